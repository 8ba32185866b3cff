/**
 * A live job's record: how it is made, its counters, and its row as the store keeps it. Counters
 * change only in moves.ts, so that they always sum up to the tasks there are.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { JobSpec } from "../../../protocol/job-spec.ts";
import type { JobState } from "../../../protocol/views.ts";
import type { JobFacts } from "../facts.ts";
import { demandOf } from "../placement/demand.ts";
import { createIndexHeap } from "../queues/index-heap.ts";
import {
  createTaskTable,
  TASK_ALONE,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_QUEUED,
  TASK_RUNNING,
  TASK_STATE_COUNT,
} from "../queues/task-table.ts";
import { createTimeHeap } from "../queues/time-heap.ts";
import { createRateRing, type ForemanState, type LiveJob } from "../state.ts";
import { createInputSizes } from "./inputs.ts";

export interface LiveJobFields {
  readonly jobId: JobId;
  readonly owner: string;
  readonly submissionId: string;
  readonly resumable: boolean;
  readonly createdAtMs: number;
  readonly notBeforeMs: number | null;
  readonly spec: JobSpec;
  readonly taskCount: number;
}

/** All its tasks are queued. */
export function createLiveJob(state: ForemanState, fields: LiveJobFields): LiveJob {
  const { taskCount, ...kept } = fields;
  const counts = new Array<number>(TASK_STATE_COUNT).fill(0);
  counts[TASK_QUEUED] = taskCount;
  return {
    ...kept,
    specVersion: 1,
    demand: demandOf(state, fields.spec),
    isPaused: false,
    isKept: false,
    inputCrc32: 0,
    inputsClosedAtMs: null,
    nextSettleSeq: 1,
    runUs: 0,
    isCancelled: false,
    tasks: createTaskTable(taskCount),
    counts,
    grid: null,
    queue: {
      cursor: 0,
      requeued: createIndexHeap(),
      alone: createIndexHeap(),
      delayed: createTimeHeap(),
    },
    inputs: createInputSizes(),
    tally: null,
    retries: 0,
    releasedAtMs: fields.notBeforeMs ?? fields.createdAtMs,
    waitingFor: new Set(),
    assignments: new Set(),
    share: { level: null, servedUs: 0, outstandingUs: 0, assignedAtSumMs: 0, orderUs: 0 },
    pace: {
      meanUs: null,
      sampleCount: 0,
      rate: createRateRing(),
    },
    failedOn: new Set(),
    completedOn: new Set(),
    detachedUntilMs: null,
    claimed: null,
    timerAtMs: Number.POSITIVE_INFINITY,
    taskEvents: 0,
    taskEventsLeftOut: 0,
  };
}

export const countOf = (job: LiveJob, state: number): number => job.counts[state] as number;

export const queuedCount = (job: LiveJob): number =>
  countOf(job, TASK_QUEUED) + countOf(job, TASK_ALONE);

export const settledCount = (job: LiveJob): number =>
  countOf(job, TASK_COMPLETED) + countOf(job, TASK_FAILED) + countOf(job, TASK_CANCELLED);

/** Nothing of the job may start: another job must complete first, or its time has not come. */
export const isBlocked = (job: LiveJob, nowMs: number): boolean =>
  job.waitingFor.size > 0 || (job.notBeforeMs !== null && job.notBeforeMs > nowMs);

/** `queued` until the first task was handed out. */
export function liveState(job: LiveJob): JobState {
  if (job.isPaused) return "paused";
  const hasBegun = countOf(job, TASK_RUNNING) + countOf(job, TASK_DELAYED) + settledCount(job) > 0;
  return hasBegun ? "running" : "queued";
}

/** How the job ends once everything is settled. */
export function endState(job: LiveJob): JobState {
  if (job.isCancelled) return "cancelled";
  if (countOf(job, TASK_FAILED) > 0) return "failed";
  return countOf(job, TASK_CANCELLED) > 0 ? "cancelled" : "completed";
}

/** The job's row as it now is; `finishedAtMs` only with its last settlement. */
export function factsOf(job: LiveJob, finishedAtMs: number | null = null): JobFacts {
  return {
    jobId: job.jobId,
    owner: job.owner,
    submissionId: job.submissionId,
    resumable: job.resumable,
    spec: job.spec,
    specVersion: job.specVersion,
    inputCount: job.tasks.count,
    inputCrc32: job.inputCrc32,
    inputsClosedAtMs: job.inputsClosedAtMs,
    paused: job.isPaused,
    keep: job.isKept,
    state: finishedAtMs === null ? liveState(job) : endState(job),
    completed: countOf(job, TASK_COMPLETED),
    failed: countOf(job, TASK_FAILED),
    cancelled: countOf(job, TASK_CANCELLED),
    nextSettleSeq: job.nextSettleSeq,
    createdAtMs: job.createdAtMs,
    notBeforeMs: job.notBeforeMs,
    finishedAtMs,
    runUs: job.runUs,
  };
}
