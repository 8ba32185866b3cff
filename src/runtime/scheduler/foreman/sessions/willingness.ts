/**
 * What the log hears of a worker that takes nothing new for a while, such as beyond its memory
 * threshold or with a full disk. Load goes up and down around a threshold: not every turn is a line.
 */
import { type CurrentStep, recordEvent } from "../current-step.ts";
import type { Session } from "../state.ts";

const TOLD_AGAIN_MS = 60_000;

/** @param wasAccepting before the worker spoke. */
export function noteWillingness(step: CurrentStep, session: Session, wasAccepting: boolean): void {
  const { worker, isAccepting, draining } = session;
  const { workerId, unwilling } = worker;
  if (isAccepting) {
    if (!unwilling.isTold) return;
    unwilling.isTold = false;
    recordEvent(step, "worker_willing", { workerId, body: {} });
    return;
  }
  // A drain has a line of its own.
  if (!wasAccepting || draining !== null || step.atMs < unwilling.notAgainBeforeMs) return;
  unwilling.isTold = true;
  unwilling.notAgainBeforeMs = step.atMs + TOLD_AGAIN_MS;
  recordEvent(step, "worker_unwilling", { workerId, body: { reason: session.reason } });
}
