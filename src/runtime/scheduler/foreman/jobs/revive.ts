/** Builds a live job from what is stored of it: at the foreman's start, or for a retry after its end. */

import {
  SETTLED_CANCELLED,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
  type StoredJob,
  type TaskExceptionFacts,
} from "../facts.ts";
import { delayTask, mustRunAlone, queueTask } from "../queues/ready-queue.ts";
import {
  isSettledState,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_FAILED,
  TASK_QUEUED,
  troubleOf,
} from "../queues/task-table.ts";
import type { ForemanState, LiveJob } from "../state.ts";
import { recallInputs } from "./inputs.ts";
import { createLiveJob } from "./live-job.ts";
import { recountTasks } from "./moves.ts";

/** Not yet among the live jobs; nothing of it is running. */
export function reviveJob(state: ForemanState, stored: StoredJob): LiveJob {
  const { facts, fold, exceptions } = stored;
  const job = createLiveJob(state, {
    jobId: facts.jobId,
    owner: facts.owner,
    submissionId: facts.submissionId,
    resumable: facts.resumable,
    createdAtMs: facts.createdAtMs,
    notBeforeMs: facts.notBeforeMs,
    spec: facts.spec,
    taskCount: facts.inputCount,
  });
  job.specVersion = facts.specVersion;
  job.isPaused = facts.paused;
  job.isKept = facts.keep;
  job.inputCrc32 = facts.inputCrc32;
  job.inputsClosedAtMs = facts.inputsClosedAtMs;
  job.nextSettleSeq = facts.nextSettleSeq;
  job.runUs = facts.runUs;
  job.isCancelled = facts.finishedAtMs !== null && facts.state === "cancelled";
  recallInputs(job.inputs, stored.inputChunks);
  job.tasks.attempt.set(fold.attempt.subarray(0, facts.inputCount));
  job.tasks.seq.set(fold.seq.subarray(0, facts.inputCount));
  takeStates(job, fold.status);
  for (const exception of exceptions) takeException(state, job, exception);
  return job;
}

const STATE_OF_SETTLED = {
  [SETTLED_COMPLETED]: TASK_COMPLETED,
  [SETTLED_FAILED]: TASK_FAILED,
  [SETTLED_CANCELLED]: TASK_CANCELLED,
} as const;

function takeStates(job: LiveJob, status: Uint8Array): void {
  const { tasks } = job;
  for (let index = 0; index < tasks.count; index++) {
    const settled = status[index] as keyof typeof STATE_OF_SETTLED;
    tasks.state[index] = STATE_OF_SETTLED[settled] ?? TASK_QUEUED;
  }
  job.retries = retriesOf(job);
  recountTasks(job);
}

/** A settled task's last attempt was followed by none. */
function retriesOf({ tasks }: LiveJob): number {
  let retries = 0;
  for (let index = 0; index < tasks.count; index++) {
    if (!isSettledState(tasks.state[index] as number)) continue;
    retries += Math.max(0, (tasks.attempt[index] as number) - 1);
  }
  return retries;
}

function takeException(state: ForemanState, job: LiveJob, exception: TaskExceptionFacts): void {
  const { index, attempt, failures, crashes, losses, notBeforeMs } = exception;
  const { tasks } = job;
  if (index >= tasks.count) return;
  const trouble = troubleOf(tasks);
  tasks.attempt[index] = Math.max(tasks.attempt[index] as number, attempt);
  trouble.failures[index] = failures;
  trouble.crashes[index] = crashes;
  trouble.losses[index] = losses;
  trouble.isRecorded[index] = 1;
  if (isSettledState(tasks.state[index] as number)) return;
  job.retries += failures + crashes + losses;
  if (notBeforeMs !== null && notBeforeMs > state.nowMs) delayTask(job, index, notBeforeMs);
  else if (mustRunAlone(tasks, index)) queueTask(job, index);
}
