/**
 * Workers that fail what they should not. Infrastructure failures blame the worker at once; failures
 * of user code only when several jobs fail there in a row, or one that succeeds elsewhere. Such a
 * worker is set aside for 30 s, then gets one task at a time until one succeeds. Never the last one
 * that could run a job.
 */
import { type CurrentStep, type EventOf, recordEvent } from "../current-step.ts";
import { revokeSession } from "../placement/revocation.ts";
import type { LiveJob, Session, Worker } from "../state.ts";
import { armWorker } from "../timers.ts";
import { isIndispensable, noteServing } from "./serving.ts";
import { writeWorker } from "./workers.ts";

export const SET_ASIDE_MS = 30_000;
/** Codes that tell of the worker, not of the task. */
const INFRASTRUCTURE_CODES: ReadonlySet<string> = new Set(["worker_storage"]);
/** Failures in a row of each of two jobs. */
const FAILURES_OF_SEVERAL_JOBS = 3;
/** Failures in a row of one job that completes tasks elsewhere. */
const FAILURES_OF_ONE_JOB = 10;
const WORKERS_NOTED_MAX = 2;
const JOBS_NOTED_MAX = 100;

export function noteSuccess(step: CurrentStep, { worker }: Session, job: LiveJob): void {
  if (job.completedOn.size < WORKERS_NOTED_MAX) job.completedOn.add(worker.workerId);
  if (worker.failuresInRow.size > 0) worker.failuresInRow.clear();
  // What began before it was set aside proves nothing.
  if (!worker.isOnProbation || worker.setAsideUntilMs !== null) return;
  worker.isOnProbation = false;
  recordEvent(step, "worker_trusted_again", { workerId: worker.workerId, body: {} });
}

export function noteFailures(
  step: CurrentStep,
  session: Session,
  job: LiveJob,
  { codes, count }: Pick<EventOf<"attemptsReported">, "codes" | "count">,
): void {
  const { worker } = session;
  const ownFault = codes?.find((code) => INFRASTRUCTURE_CODES.has(code));
  if (ownFault !== undefined) {
    setAside(step, session, `a task failed there as ${ownFault}`);
    return;
  }
  if (worker.failuresInRow.size >= JOBS_NOTED_MAX) worker.failuresInRow.clear();
  const inRow = (worker.failuresInRow.get(job.jobId) ?? 0) + count;
  worker.failuresInRow.set(job.jobId, inRow);
  const reason = suspicionOf(worker, job, inRow);
  if (reason !== null) setAside(step, session, reason);
}

function suspicionOf(worker: Worker, job: LiveJob, inRow: number): string | null {
  let failingJobs = 0;
  for (const count of worker.failuresInRow.values()) {
    if (count >= FAILURES_OF_SEVERAL_JOBS) failingJobs++;
  }
  if (failingJobs > 1) return `tasks of ${failingJobs} jobs failed there in a row`;
  if (inRow < FAILURES_OF_ONE_JOB) return null;
  for (const elsewhere of job.completedOn) {
    if (elsewhere === worker.workerId) return null;
  }
  if (job.completedOn.size === 0) return null;
  return `${inRow} tasks of job ${job.jobId} failed there in a row and others complete elsewhere`;
}

/** @returns whether it was: the last worker that could run a job stays. */
export function setAside(step: CurrentStep, session: Session, reason: string): boolean {
  const { worker } = session;
  if (worker.setAsideUntilMs !== null || isIndispensable(step.state, session)) return false;
  worker.setAsideUntilMs = step.atMs + SET_ASIDE_MS;
  worker.setAsideReason = reason;
  worker.isOnProbation = true;
  worker.failuresInRow.clear();
  noteServing(step.state);
  armWorker(step, worker);
  revokeSession(step, session);
  writeWorker(step, worker);
  recordEvent(step, "worker_set_aside", {
    workerId: worker.workerId,
    body: { reason, seconds: SET_ASIDE_MS / 1000 },
  });
  return true;
}

/** The time is over: a task or two will show. */
export function liftSetAside(step: CurrentStep, worker: Worker): void {
  if (worker.setAsideUntilMs === null || worker.setAsideUntilMs > step.atMs) return;
  worker.setAsideUntilMs = null;
  worker.setAsideReason = null;
  noteServing(step.state);
  writeWorker(step, worker);
  recordEvent(step, "worker_probed", { workerId: worker.workerId, body: {} });
  const session = step.state.sessions.get(worker.bootId);
  if (session) step.roomySessions.add(session);
}
