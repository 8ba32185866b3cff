/**
 * `cc retry`: settled tasks are queued again in the same job. Failures, crashes and losses begin at
 * zero, attempt numbers go on, and what was recorded stays. A job that had ended lives again.
 */
import { compactIndexes } from "../../../protocol/columns.ts";
import { takeTallyBack } from "../aggregates/tally.ts";
import { type CurrentStep, type EventOf, refuse, reply, touchJob } from "../current-step.ts";
import type { TaskExceptionFacts } from "../facts.ts";
import { recordTasks } from "../outcomes/task-events.ts";
import { dropStaleDelays } from "../queues/ready-queue.ts";
import {
  exceptionFacts,
  isSettledState,
  TASK_COMPLETED,
  TASK_FAILED,
  TASK_QUEUED,
} from "../queues/task-table.ts";
import type { LiveJob } from "../state.ts";
import { armJob } from "../timers.ts";
import { renewDependencies } from "./dependencies.ts";
import { refuseUnknownJob } from "./jobs.ts";
import { countOf } from "./live-job.ts";
import { moveTasks } from "./moves.ts";
import { unqueueEnded } from "./retention.ts";
import { reviveJob } from "./revive.ts";
import { patchJob } from "./steering.ts";

type RetryRequested = EventOf<"retryRequested">;

export function onRetryRequested(step: CurrentStep, event: RetryRequested): void {
  const { token, jobId } = event;
  const job = findJob(step, event);
  if (job === null) return;
  const chosen = chooseTasks(job, event);
  if (chosen.length === 0) {
    const note = "nothing to queue again: no such task has failed or was cancelled";
    reply(step, token, { type: "jobStatus", jobId, affected: 0, reopenSeq: null, note });
    return;
  }
  if (!step.state.jobs.has(jobId)) bringBack(step, job);
  if (event.patch !== null) patchJob(step, job, event.patch);
  const seq = reopenTasks(step, job, chosen);
  const affected = chosen.length;
  reply(step, token, { type: "jobStatus", jobId, affected, reopenSeq: seq, note: null });
}

/** The live job, or an ended one built anew from what is stored; null: refused. */
function findJob(step: CurrentStep, { token, jobId, stored }: RetryRequested): LiveJob | null {
  const { state } = step;
  const job = state.jobs.get(jobId);
  if (job) return job;
  const facts = state.ended.get(jobId);
  if (!facts) refuseUnknownJob(step, token, jobId);
  else if (stored === null || stored.facts.nextSettleSeq !== facts.nextSettleSeq) {
    const message = `Job ${jobId} has just ended; its tasks are not at hand yet.`;
    refuse(step, token, { code: "try_again", message, hint: `cc retry ${jobId}` });
  } else return reviveJob(state, { ...stored, facts });
  return null;
}

/** In ascending order, each once. */
function chooseTasks(job: LiveJob, { indexes, completedToo }: RetryRequested): Uint32Array {
  const { state, count } = job.tasks;
  const wanted = indexes === null ? null : Uint32Array.from(new Set(indexes)).sort();
  const candidates = wanted?.length ?? count;
  const chosen = new Uint32Array(candidates);
  let chosenCount = 0;
  for (let at = 0; at < candidates; at++) {
    const index = wanted === null ? at : (wanted[at] as number);
    if (index >= count) break;
    const taskState = state[index] as number;
    if (!isSettledState(taskState) || (taskState === TASK_COMPLETED && !completedToo)) continue;
    chosen[chosenCount++] = index;
  }
  return chosenCount === candidates ? chosen : chosen.slice(0, chosenCount);
}

function bringBack(step: CurrentStep, job: LiveJob): void {
  const { state } = step;
  state.ended.delete(job.jobId);
  takeTallyBack(state, job);
  unqueueEnded(state, job.jobId);
  state.jobs.set(job.jobId, job);
  renewDependencies(state, job);
  armJob(step, job);
}

/** @returns the settlement that names the tasks. */
function reopenTasks(step: CurrentStep, job: LiveJob, chosen: Uint32Array): number {
  const { tasks, queue, jobId } = job;
  const written: TaskExceptionFacts[] = [];
  dropStaleDelays(job);
  for (let at = 0; at < chosen.length; at++) {
    const index = chosen[at] as number;
    tasks.seq[index] = 0;
    if (tasks.trouble !== null && forgetTrouble(job, index)) {
      written.push(exceptionFacts(tasks, index, null));
    }
  }
  const count = chosen.length;
  const moved = moveTasks(job, chosen, count, TASK_QUEUED);
  job.retries += moved[TASK_FAILED] as number;
  // Many tasks at once: the cursor finds them all again, without a heap.
  queue.cursor = Math.min(queue.cursor, chosen[0] as number);
  job.isCancelled = false;
  if (countOf(job, TASK_FAILED) === 0) job.failedOn.clear();
  const seq = job.nextSettleSeq++;
  const indexes = compactIndexes(chosen);
  step.changes.push({ type: "reopened", jobId, seq, atMs: step.atMs, count, indexes });
  if (written.length > 0) {
    step.changes.push({ type: "taskExceptions", jobId, written, removed: [] });
  }
  recordTasks(step, job, "tasks_reopened", { indexes: chosen, body: (named) => named });
  touchJob(step, job);
  step.readyJobs.add(job);
  step.concludingJobs.add(job);
  return seq;
}

/** @returns whether the task has a row of its own, which then says zero of everything. */
function forgetTrouble({ tasks }: LiveJob, index: number): boolean {
  const { trouble } = tasks;
  if (trouble === null) return false;
  trouble.failures[index] = 0;
  trouble.crashes[index] = 0;
  trouble.losses[index] = 0;
  return trouble.isRecorded[index] === 1;
}
