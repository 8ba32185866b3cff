/**
 * A foreman in reach, or one that is started here. Another command may be starting its own at this very
 * moment, or the last one's may be just ending: then the store is taken for an instant, and the search
 * begins anew. It never waits for a foreman that stays.
 */
import { toCcError } from "../protocol/error.ts";
import type { ForemanView } from "../protocol/views.ts";
import { bodyOf } from "./connection.ts";
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

/**
 * Starts a foreman on a store of one's own choice; null when another one that answers holds it. A store
 * whose foreman is just ending is waited for.
 */
export async function startUnlessHeld<Started>(
  request: ReachRequest,
  start: () => Promise<Started>,
): Promise<Started | null> {
  for (let tries = 0; ; tries++) {
    try {
      return await start();
    } catch (thrown) {
      if (toCcError(thrown).code !== "already_running") throw thrown;
    }
    if (tries >= LOOK_AGAIN_TIMES || (await isHeld(request))) return null;
    await new Promise<void>((resolve) => request.clock.setTimer(LOOK_AGAIN_MS, resolve));
  }
}

/** A foreman that stays, or one that is busy for another command; not one that is about to end. */
async function isHeld(request: ReachRequest): Promise<boolean> {
  try {
    const reached = await reachForeman({ ...request, foreman: undefined });
    if (reached.kind !== "connected") return false;
    const foreman = bodyOf<ForemanView>(await reached.connection.look({ kind: "foreman" }));
    reached.connection.close();
    return !foreman.only_followed || foreman.active_tasks > 0;
  } catch {
    // It has just ended, or somebody else sits at its address: neither says who holds the store.
    return false;
  }
}

function isTaken(thrown: unknown): boolean {
  const { code } = toCcError(thrown);
  return code === "already_running" || code === "address_in_use";
}
