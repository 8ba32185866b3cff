/**
 * When the machine must be woken. A timer is never removed: when it fires, its owner looks what is
 * really due and sets the next one. So renewing a lease costs nothing.
 */
import type { CurrentStep } from "./current-step.ts";
import { isBlocked } from "./jobs/live-job.ts";
import { nextDelayedAtMs } from "./queues/ready-queue.ts";
import { pushAt } from "./queues/time-heap.ts";
import type { Assignment, LiveJob, Session, Worker } from "./state.ts";

/** The worker enforces time-outs; when it has said nothing so long after one, the foreman does. */
export const BACKSTOP_MS = 10_000;

/** Sets the job's timer to whatever comes first: a back-off's end, its start time, its submitter. */
export function armJob({ state, atMs }: CurrentStep, job: LiveJob): void {
  const startAtMs = isBlocked(job, atMs) ? job.notBeforeMs : null;
  const wakeAtMs = Math.min(
    nextDelayedAtMs(job),
    startAtMs !== null && startAtMs > atMs ? startAtMs : Number.POSITIVE_INFINITY,
    job.detachedUntilMs ?? Number.POSITIVE_INFINITY,
  );
  if (wakeAtMs >= job.timerAtMs) return;
  job.timerAtMs = wakeAtMs;
  pushAt(state.timers, wakeAtMs, { kind: "job", job });
}

/** Sets the session's timer: the end of its lease, of its grace, of its rest. */
export function armSession({ state, atMs }: CurrentStep, session: Session): void {
  const wakeAtMs = Math.min(
    session.leaseEndsAtMs,
    session.graceEndsAtMs ?? Number.POSITIVE_INFINITY,
    session.restsUntilMs > atMs ? session.restsUntilMs : Number.POSITIVE_INFINITY,
  );
  if (wakeAtMs >= session.timerAtMs) return;
  session.timerAtMs = wakeAtMs;
  pushAt(state.timers, wakeAtMs, { kind: "session", session });
}

export function armWorker({ state }: CurrentStep, worker: Worker): void {
  if (worker.setAsideUntilMs === null) return;
  pushAt(state.timers, worker.setAsideUntilMs, { kind: "worker", worker });
}

/** Only where the job has a time-out; for a row that is known to have started. */
export function armBackstop({ state }: CurrentStep, assignment: Assignment, row: number): void {
  const dueAtMs = backstopAtMs(assignment, row);
  if (dueAtMs !== null) pushAt(state.timers, dueAtMs, { kind: "backstop", assignment, row });
}

/** null: no time-out, or the row is not running. */
export function backstopAtMs({ job, startedAtMs }: Assignment, row: number): number | null {
  const { timeout_seconds: timeoutSeconds } = job.spec;
  const startMs = startedAtMs.get(row);
  if (timeoutSeconds === null || startMs === undefined) return null;
  return startMs + timeoutSeconds * 1000 + BACKSTOP_MS;
}
