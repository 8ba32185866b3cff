/**
 * A start that is not put off by a foreman on its way out: one that another command had started for
 * itself lives on for a moment after that command. Any other foreman on the store stays an error, said
 * at once.
 */
import { bodyOf } from "../runtime/client/connection.ts";
import { type ReachRequest, reachForeman } from "../runtime/client/resolve.ts";
import { toCcError } from "../runtime/protocol/error.ts";
import type { ForemanView } from "../runtime/protocol/views.ts";

/** Longer than a foreman lingers that nobody follows any more. */
const TRIES_MAX = 30;
const PAUSE_MS = 50;

/** @throws what `start` throws. */
export async function outliveFleeting<Started>(
  request: ReachRequest,
  start: () => Promise<Started>,
): Promise<Started> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (thrown) {
      const isTaken = toCcError(thrown).code === "already_running";
      if (!isTaken || tries >= TRIES_MAX) throw thrown;
      // Asked once only: each connection keeps it for another moment.
      if (tries === 1 && !(await isFleeting(request))) throw thrown;
      await new Promise<void>((resolve) => request.clock.setTimer(PAUSE_MS, resolve));
    }
  }
}

/** Whether the account's foreman belongs to a command, or is just ending or starting. */
async function isFleeting(request: ReachRequest): Promise<boolean> {
  try {
    const reached = await reachForeman(request);
    if (reached.kind === "absent") return true;
    const { connection } = reached;
    const foreman = bodyOf<ForemanView>(await connection.look({ kind: "foreman" }));
    connection.close();
    return foreman.only_followed;
  } catch (thrown) {
    // It went away while it was asked; who refuses us is no foreman of this account.
    return toCcError(thrown).retryable;
  }
}
