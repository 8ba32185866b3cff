/** A request about a job that has just ended: for a moment it is neither live nor at hand in the store. */
import { systemClock } from "../runtime/platform/clock.ts";
import { toCcError } from "../runtime/protocol/error.ts";

const TRIES_MAX = 20;
const PAUSE_MS = 50;

/** Asks again while the answer is `try_again`, for about a second. */
export async function askAgain<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (thrown) {
      if (toCcError(thrown).code !== "try_again" || tries >= TRIES_MAX) throw thrown;
      await new Promise<void>((resolve) => systemClock.setTimer(PAUSE_MS, resolve));
    }
  }
}
