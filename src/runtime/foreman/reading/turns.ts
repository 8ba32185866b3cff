/** How long work on many rows lets sockets, heartbeats and commits have their turn in between. */
import type { Clock } from "../../platform/clock.ts";

/** Resolves once everything that was waiting has had its turn. */
export const nextTurn = (clock: Pick<Clock, "defer">): Promise<void> =>
  new Promise((resolve) => clock.defer(resolve));

/** Failures decoded in one turn: some milliseconds. */
export const FAILURES_PER_TURN = 500;
