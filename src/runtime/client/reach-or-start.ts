/**
 * A foreman in reach, or one that is started here. Another command may be starting its own at this very
 * moment, or the last one's may be just ending: then the store is taken for an instant, and the search
 * begins anew. It never waits for a foreman that stays.
 */
import { toCcError } from "../protocol/error.ts";
import { type Reachable, type ReachRequest, reachForeman } from "./resolve.ts";

/** How often a foreman that seems to be coming up or going down is looked for again. */
const LOOK_AGAIN_MS = 100;
const LOOK_AGAIN_TIMES = 50;

export type ReachedOrStarted<Started> =
  | Extract<Reachable, { kind: "connected" }>
  | { readonly kind: "started"; readonly foreman: Started };

/** @throws what `start` throws, unless that is only that another foreman is there. */
export async function reachOrStart<Started>(
  request: ReachRequest,
  start: () => Promise<Started>,
): Promise<ReachedOrStarted<Started>> {
  for (let tries = 0; ; tries++) {
    const reached = await reachForeman(request);
    if (reached.kind === "connected") return reached;
    try {
      return { kind: "started", foreman: await start() };
    } catch (thrown) {
      if (!isTaken(thrown) || tries >= LOOK_AGAIN_TIMES) throw thrown;
      await new Promise<void>((resolve) => request.clock.setTimer(LOOK_AGAIN_MS, resolve));
    }
  }
}

function isTaken(thrown: unknown): boolean {
  const { code } = toCcError(thrown);
  return code === "already_running" || code === "address_in_use";
}
