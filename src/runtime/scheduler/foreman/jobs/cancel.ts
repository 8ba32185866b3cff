/**
 * Cancelling commits at once and fences: whatever a worker says afterwards of those tasks changes
 * nothing. Slots stay occupied until it says that the processes are gone.
 */
import { BATCH_TASKS_MAX } from "../../../protocol/limits.ts";
import { type CurrentStep, type EventOf, recordEvent, reply } from "../current-step.ts";
import { closeIfEmpty, fenceRow, indexOfRow } from "../outcomes/assignments.ts";
import { cancelRest, NO_WORKER, orderCancel, settleWithFailure } from "../outcomes/settle.ts";
import { recordTasks } from "../outcomes/task-events.ts";
import { isSettledState } from "../queues/task-table.ts";
import { isLiveRow, type LiveJob } from "../state.ts";
import { refuseUnknownJob } from "./jobs.ts";

type CancelRequested = EventOf<"cancelRequested">;

export function onCancelRequested(step: CurrentStep, event: CancelRequested): void {
  const { token, jobId, indexes } = event;
  const job = step.state.jobs.get(jobId);
  const ended = step.state.ended.get(jobId);
  if (!job && !ended) {
    refuseUnknownJob(step, token, jobId);
    return;
  }
  let affected = 0;
  let note: string | null = null;
  if (!job) note = `job ${jobId} has already ended (${ended?.state})`;
  else if (indexes === null) affected = cancelJob(step, job, event);
  else {
    affected = cancelTasks(step, job, indexes, event);
    if (affected === 0) note = `job ${jobId}: nothing to cancel, those tasks have ended`;
  }
  reply(step, token, { type: "jobStatus", jobId, affected, reopenSeq: null, note });
}

/** @returns how many tasks were not settled yet. */
export function cancelJob(
  step: CurrentStep,
  job: LiveJob,
  { code, reason }: Pick<CancelRequested, "code" | "reason">,
): number {
  const { jobId } = job;
  const count = cancelRest(step, job, { code, message: reason, reason });
  recordEvent(step, "job_cancelled", { jobId, body: { code, reason, count } });
  return count;
}

function cancelTasks(
  step: CurrentStep,
  job: LiveJob,
  wanted: Uint32Array,
  { code, reason }: CancelRequested,
): number {
  const { state, count } = job.tasks;
  const chosen = [...new Set(wanted)]
    .filter((index) => index < count && !isSettledState(state[index] as number))
    .sort((a, b) => a - b);
  if (chosen.length === 0) return 0;
  fenceTasks(step, job, new Set(chosen), reason);
  for (let from = 0; from < chosen.length; from += BATCH_TASKS_MAX) {
    settleWithFailure(step, job, {
      status: "cancelled",
      indexes: Uint32Array.from(chosen.slice(from, from + BATCH_TASKS_MAX)),
      code,
      message: reason,
      from: NO_WORKER,
    });
  }
  step.readyJobs.add(job);
  recordTasks(step, job, "tasks_cancelled", {
    indexes: chosen,
    body: (named) => ({ ...named, code, reason }),
  });
  return chosen.length;
}

/** Takes those of the tasks that are at workers away from them. */
function fenceTasks(
  step: CurrentStep,
  job: LiveJob,
  chosen: ReadonlySet<number>,
  reason: string,
): void {
  for (const assignment of [...job.assignments]) {
    const fenced: number[] = [];
    for (let row = 0; row < assignment.count; row++) {
      if (!isLiveRow(assignment.rows[row] as number)) continue;
      const index = indexOfRow(assignment, row);
      if (!chosen.has(index)) continue;
      fenceRow(assignment, row);
      fenced.push(index);
    }
    if (fenced.length === 0) continue;
    orderCancel(step, assignment, Uint32Array.from(fenced), reason);
    closeIfEmpty(step, assignment);
  }
}
