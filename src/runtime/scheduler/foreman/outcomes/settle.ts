/**
 * The only way into a final state: one settlement with a number of its own for a batch of tasks, or
 * one row for all that is left. Whether a result may settle anything was decided before (reports.ts).
 */
import { type IndexColumn, indexAt, type ValueColumn } from "../../../protocol/columns.ts";
import { encodeFailure } from "../../../protocol/failure.ts";
import { asBootId, asWorkerId } from "../../../protocol/ids.ts";
import { tallySettled } from "../aggregates/tally.ts";
import { type CurrentStep, touchJob } from "../current-step.ts";
import type { Settlement, TaskExceptionFacts } from "../facts.ts";
import { settledCount } from "../jobs/live-job.ts";
import { cancelUnsettled, moveTasks } from "../jobs/moves.ts";
import { clearIndexes } from "../queues/index-heap.ts";
import {
  exceptionFacts,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_FAILED,
  troubleOf,
} from "../queues/task-table.ts";
import { popDue } from "../queues/time-heap.ts";
import { countSettled } from "../rate.ts";
import { countInSeries } from "../series.ts";
import { type Assignment, isLiveRow, type LiveJob } from "../state.ts";
import { closeIfEmpty, fenceRow, indexOfRow } from "./assignments.ts";

export type SettledBatch = Omit<Settlement, "jobId" | "seq" | "settledAtMs">;

/** Where a settlement that no worker brought about came from. */
export const NO_WORKER = { workerId: asWorkerId(""), bootId: asBootId("") } as const;

const STATE_OF_STATUS = {
  completed: TASK_COMPLETED,
  failed: TASK_FAILED,
  cancelled: TASK_CANCELLED,
} as const;

/** Settles unsettled tasks of the job. */
export function settleTasks(step: CurrentStep, job: LiveJob, batch: SettledBatch): void {
  const { count, indexes, status } = batch;
  if (count === 0) return;
  const seq = job.nextSettleSeq++;
  moveTasks(job, indexes, count, STATE_OF_STATUS[status]);
  noteSettlement(job, indexes, count, seq);
  const settlement: Settlement = {
    jobId: job.jobId,
    seq,
    settledAtMs: step.atMs,
    ...batch,
  };
  step.changes.push({ type: "settled", settlement });
  dropExceptions(step, job, indexes, count);
  countEnds(step, job, status, count);
  // What is cancelled was not worked off: a million at once would be no throughput.
  if (status === "cancelled") return;
  const isFailed = status === "failed";
  tallySettled(job, { seq, count, isFailed }, step.atMs);
  countInSeries(step.state.totals.series, step.atMs, count, isFailed ? count : 0);
}

/** Tasks that end with one and the same failure of ours, such as `poison`. */
export function settleWithFailure(
  step: CurrentStep,
  job: LiveJob,
  end: {
    readonly status: "failed" | "cancelled";
    readonly indexes: Uint32Array;
    readonly code: string;
    readonly message: string;
    readonly from: Pick<Settlement, "workerId" | "bootId">;
  },
): void {
  const { indexes, code, message, from, status } = end;
  const value = encodeFailure({ code, message });
  const attempts = indexes.map((index) => job.tasks.attempt[index] as number);
  settleTasks(step, job, {
    status,
    workerId: from.workerId,
    bootId: from.bootId,
    count: indexes.length,
    indexes,
    attempts,
    runUs: 0,
    values: repeatValue(value, indexes.length),
  });
}

/** Cancels everything unsettled in one row, fences what runs, and takes no more inputs. */
export function cancelRest(
  step: CurrentStep,
  job: LiveJob,
  end: { readonly code: string; readonly message: string; readonly reason: string },
): number {
  const count = job.tasks.count - settledCount(job);
  const isOpen = job.inputsClosedAtMs === null;
  touchJob(step, job);
  step.concludingJobs.add(job);
  // With its last task settled it is over; an empty one still waits for something.
  if (count === 0 && !isOpen && job.tasks.count > 0) return 0;
  job.inputsClosedAtMs ??= step.atMs;
  job.isCancelled = true;
  if (count === 0) return 0;
  keepBegunAttempts(step, job);
  for (const assignment of [...job.assignments]) fenceAssignment(step, assignment, end.reason);
  const seq = job.nextSettleSeq++;
  markRestCancelled(job, seq);
  step.changes.push({
    type: "restCancelled",
    jobId: job.jobId,
    seq,
    count,
    inputCount: job.tasks.count,
    settledAtMs: step.atMs,
    value: encodeFailure({ code: end.code, message: end.message }),
  });
  countEnds(step, job, "cancelled", count);
  return count;
}

/** Takes the tasks of all live rows away and orders the worker to end them. */
export function fenceAssignment(step: CurrentStep, assignment: Assignment, reason: string): void {
  const indexes = new Uint32Array(assignment.liveCount);
  let at = 0;
  for (let row = 0; row < assignment.count; row++) {
    if (!isLiveRow(assignment.rows[row] as number)) continue;
    indexes[at++] = indexOfRow(assignment, row);
    fenceRow(assignment, row);
  }
  if (at > 0) orderCancel(step, assignment, indexes, reason);
  closeIfEmpty(step, assignment);
}

export function orderCancel(
  step: CurrentStep,
  { session, assignmentId }: Assignment,
  indexes: Uint32Array,
  reason: string,
): void {
  // Without a connection the order goes out with the adoption of what the worker presents.
  if (!session.isConnected) return;
  const { bootId, connectionSeq } = session;
  step.effects.push({ type: "cancelTasks", bootId, connectionSeq, assignmentId, indexes, reason });
}

export function repeatValue(value: Uint8Array, count: number): ValueColumn {
  const data = new Uint8Array(value.byteLength * count);
  for (let row = 0; row < count; row++) data.set(value, row * value.byteLength);
  return { lengths: value.byteLength, data };
}

function noteSettlement(job: LiveJob, indexes: IndexColumn, count: number, seq: number): void {
  const { seq: seqs } = job.tasks;
  if (!(indexes instanceof Uint32Array)) {
    seqs.fill(seq, indexes.first, indexes.first + count);
    return;
  }
  for (let row = 0; row < count; row++) seqs[indexes[row] as number] = seq;
}

function markRestCancelled(job: LiveJob, settleSeq: number): void {
  const { tasks, queue } = job;
  cancelUnsettled(job, settleSeq);
  queue.cursor = tasks.count;
  clearIndexes(queue.requeued);
  clearIndexes(queue.alone);
  while (popDue(queue.delayed, Number.POSITIVE_INFINITY) !== undefined);
}

/**
 * One row cancels them all and names no attempts: those that began, or may have, are written down
 * beside it, so that a retry does not give the same number to another execution.
 */
function keepBegunAttempts(step: CurrentStep, job: LiveJob): void {
  const written: TaskExceptionFacts[] = [];
  const { tasks } = job;
  for (const assignment of job.assignments) {
    for (let row = 0; row < assignment.count; row++) {
      if (!isLiveRow(assignment.rows[row] as number)) continue;
      const index = indexOfRow(assignment, row);
      troubleOf(tasks).isRecorded[index] = 1;
      written.push(exceptionFacts(tasks, index, null));
    }
  }
  if (written.length === 0) return;
  step.changes.push({ type: "taskExceptions", jobId: job.jobId, written, removed: [] });
}

/** The settlement names the attempt; the task's own row has nothing more to say. */
function dropExceptions(
  step: CurrentStep,
  job: LiveJob,
  indexes: IndexColumn,
  count: number,
): void {
  const { trouble } = job.tasks;
  if (trouble === null) return;
  const removed: number[] = [];
  for (let row = 0; row < count; row++) {
    const index = indexAt(indexes, row);
    if (trouble.isRecorded[index] === 0) continue;
    trouble.isRecorded[index] = 0;
    removed.push(index);
  }
  if (removed.length === 0) return;
  step.changes.push({ type: "taskExceptions", jobId: job.jobId, written: [], removed });
}

function countEnds(
  step: CurrentStep,
  job: LiveJob,
  status: Settlement["status"],
  count: number,
): void {
  const { totals } = step.state;
  if (status === "completed") totals.completed += count;
  if (status === "failed") totals.failed += count;
  countSettled(job.pace.rate, step.atMs, count);
  countSettled(totals.rate, step.atMs, count);
  touchJob(step, job);
  step.settledJobs.add(job.jobId);
  step.concludingJobs.add(job);
}
