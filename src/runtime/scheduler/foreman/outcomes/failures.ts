/**
 * Attempts that ended as failed: the last word for the task, or a back-off and another attempt.
 * Failures count against `--retries`; permanent ones are never retried. Only what a worker's disk is to
 * blame for counts as a loss, as long as somebody else could run the task, and not for ever: a task may
 * be what fills the disks.
 */
import {
  expandIndexes,
  gatherU32,
  gatherValues,
  indexAt,
  u32At,
  type ValueColumn,
  valueOffsets,
} from "../../../protocol/columns.ts";
import type { AttemptEndFacts } from "../changes.ts";
import type { CurrentStep, EventOf } from "../current-step.ts";
import { countCodes, type NamedTasks } from "../event-facts.ts";
import type { TaskExceptionFacts } from "../facts.ts";
import { delayTask, queueTask } from "../queues/ready-queue.ts";
import { ATTEMPT_MAX, exceptionFacts, troubleOf } from "../queues/task-table.ts";
import { nextRandom } from "../random.ts";
import { hasOtherServing } from "../sessions/serving.ts";
import type { ForemanState, LiveJob, Session } from "../state.ts";
import { armJob } from "../timers.ts";
import { settleTasks } from "./settle.ts";
import { recordTasks } from "./task-events.ts";

/** No back-off is longer. */
export const BACKOFF_MS_MAX = 300_000;
/** Wake-ups for back-offs are grouped, so that ten thousand of them do not come one by one. */
const BACKOFF_GRAIN_MS = 20;
/** The default of `--max-fails` needs to know whether a second worker agrees; no more. */
const WORKERS_NOTED_MAX = 2;

const WORKER_STORAGE = "worker_storage";
/** So many losses in all; from as many on a task also runs alone. */
const STORAGE_MOVES_MAX = 3;

/** Ended attempts that passed the fence. */
export type Results = Pick<
  EventOf<"attemptsReported">,
  "status" | "count" | "indexes" | "attempts" | "runUs" | "codes" | "permanent" | "values"
>;

/** The tasks are running; afterwards they are failed, delayed or queued. */
export function settleFailures(
  step: CurrentStep,
  job: LiveJob,
  session: Session,
  results: Results,
): void {
  const { workerId } = session.worker;
  if (job.failedOn.size < WORKERS_NOTED_MAX) job.failedOn.add(workerId);
  const mayMove =
    results.codes?.includes(WORKER_STORAGE) === true &&
    hasOtherServing(step.state, session, job.demand);
  const { final, again, moved } = splitByRetries(job, results, mayMove);
  if (moved.length > 0) retryTasks(step, job, session, { results, rows: moved, isMove: true });
  if (again.length > 0) retryTasks(step, job, session, { results, rows: again, isMove: false });
  const last = final.length === results.count ? results : selectRows(results, final);
  const { count, indexes, attempts, runUs, values } = last;
  const { bootId } = session;
  recordTasks(step, job, "tasks_failed", {
    indexes: expandIndexes(indexes, count),
    workerId,
    body: (named) => ({ ...named, codes: countCodes(last.codes ?? []) }),
  });
  settleTasks(step, job, {
    status: "failed",
    workerId,
    bootId,
    count,
    indexes,
    attempts,
    runUs,
    values,
  });
}

/** Full jitter: anything from nothing to the doubled base, so that retries never march in step. */
export function planBackoffMs(state: ForemanState, job: LiveJob, failureCount: number): number {
  const baseMs = job.spec.backoff_seconds * 1000;
  const ceilingMs = Math.min(BACKOFF_MS_MAX, baseMs * 2 ** Math.min(failureCount - 1, 40));
  return nextRandom(state.random) * ceilingMs;
}

function splitByRetries(
  job: LiveJob,
  results: Results,
  mayMove: boolean,
): { readonly final: Uint32Array; readonly again: Uint32Array; readonly moved: Uint32Array } {
  const final = new Uint32Array(results.count);
  const again = new Uint32Array(results.count);
  const moved: number[] = [];
  let finalCount = 0;
  let againCount = 0;
  for (let row = 0; row < results.count; row++) {
    if (mayMove && isWorkersFault(job, results, row)) moved.push(row);
    else if (mayTryAgain(job, results, row)) again[againCount++] = row;
    else final[finalCount++] = row;
  }
  return {
    final: final.subarray(0, finalCount),
    again: again.subarray(0, againCount),
    moved: Uint32Array.from(moved),
  };
}

/** With `--max-crashes 1` what has started never starts again, whoever was to blame. */
function isWorkersFault(job: LiveJob, results: Results, row: number): boolean {
  const { codes, indexes, permanent } = results;
  if (codes?.[row] !== WORKER_STORAGE || job.spec.max_crashes === 1) return false;
  // Only an author's own failure is permanent, whatever it calls itself.
  if (u32At(permanent, row) !== 0) return false;
  const index = indexAt(indexes, row);
  const losses = job.tasks.trouble?.losses[index] ?? 0;
  return losses < STORAGE_MOVES_MAX && (job.tasks.attempt[index] as number) < ATTEMPT_MAX;
}

function mayTryAgain(job: LiveJob, results: Results, row: number): boolean {
  const { retries } = job.spec;
  if (retries === 0 || u32At(results.permanent, row) !== 0) return false;
  const index = indexAt(results.indexes, row);
  const failures = job.tasks.trouble?.failures[index] ?? 0;
  return failures < retries && (job.tasks.attempt[index] as number) < ATTEMPT_MAX;
}

function retryTasks(
  step: CurrentStep,
  job: LiveJob,
  session: Session,
  {
    results,
    rows,
    isMove,
  }: { readonly results: Results; readonly rows: Uint32Array; readonly isMove: boolean },
): void {
  const trouble = troubleOf(job.tasks);
  const offsets = valueOffsets(results.values, results.count);
  const written: TaskExceptionFacts[] = [];
  const ended: AttemptEndFacts[] = [];
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const index = indexAt(results.indexes, row);
    const column = isMove ? trouble.losses : trouble.failures;
    const count = (column[index] as number) + 1;
    column[index] = count;
    trouble.isRecorded[index] = 1;
    const notBeforeMs = isMove ? queueAtOnce(job, index) : startAgain(step, job, index, count);
    earliestMs = Math.min(earliestMs, notBeforeMs ?? step.atMs);
    written.push(exceptionFacts(job.tasks, index, notBeforeMs));
    ended.push({
      index,
      attempt: u32At(results.attempts, row),
      outcome: "failed",
      code: results.codes?.[row] ?? "error",
      workerId: session.worker.workerId,
      bootId: session.bootId,
      runUs: u32At(results.runUs, row),
      endedAtMs: step.atMs,
      error: results.values.data.subarray(offsets[row] as number, offsets[row + 1] as number),
    });
  }
  const { jobId } = job;
  job.retries += ended.length;
  step.changes.push({ type: "attemptsEnded", jobId, rows: ended });
  step.changes.push({ type: "taskExceptions", jobId, written, removed: [] });
  const about = { indexes: ended.map(({ index }) => index), workerId: session.worker.workerId };
  const codes = countCodes(ended.map(({ code }) => code ?? "error"));
  if (isMove)
    recordTasks(step, job, "attempts_moved", { ...about, body: (named) => ({ ...named, codes }) });
  else {
    const retry_in_seconds = (earliestMs - step.atMs) / 1000;
    const body = (named: NamedTasks) => ({ ...named, codes, retry_in_seconds });
    recordTasks(step, job, "attempts_failed", { ...about, body });
  }
  step.readyJobs.add(job);
  armJob(step, job);
}

function queueAtOnce(job: LiveJob, index: number): null {
  queueTask(job, index);
  return null;
}

/** @returns until when the task waits; null: not at all. */
function startAgain(
  step: CurrentStep,
  job: LiveJob,
  index: number,
  failureCount: number,
): number | null {
  const backoffMs = planBackoffMs(step.state, job, failureCount);
  if (backoffMs === 0) {
    queueTask(job, index);
    return null;
  }
  const notBeforeMs = Math.ceil((step.atMs + backoffMs) / BACKOFF_GRAIN_MS) * BACKOFF_GRAIN_MS;
  delayTask(job, index, notBeforeMs);
  return notBeforeMs;
}

export function selectRows(results: Results, rows: Uint32Array): Results {
  const values: ValueColumn = gatherValues(
    results.values,
    rows,
    valueOffsets(results.values, results.count),
  );
  const { codes } = results;
  return {
    status: results.status,
    count: rows.length,
    indexes: Uint32Array.from(rows, (row) => indexAt(results.indexes, row)),
    attempts: gatherU32(results.attempts, rows),
    runUs: gatherU32(results.runUs, rows),
    codes: codes === null ? null : Array.from(rows, (row) => codes[row] ?? "error"),
    permanent: gatherU32(results.permanent, rows),
    values,
  };
}
