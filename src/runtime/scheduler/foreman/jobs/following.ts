/**
 * A foreman that is tied to commands runs only what somebody follows, and what a followed job waits
 * for. Everything else stays queued until `cc wait` asks for it.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { CurrentStep, EventOf } from "../current-step.ts";
import type { ForemanState, LiveJob } from "../state.ts";

export function onFollowingChanged(step: CurrentStep, event: EventOf<"followingChanged">): void {
  const { followed } = step.state;
  if (event.followed) followed.add(event.jobId);
  else followed.delete(event.jobId);
  offerWithDependencies(step, event.jobId, new Set());
}

/** Whether the job is asked for. */
export function isWanted(state: ForemanState, job: LiveJob): boolean {
  return !state.options.onlyFollowed || hasFollower(state, job.jobId, new Set());
}

function hasFollower(state: ForemanState, jobId: JobId, visited: Set<JobId>): boolean {
  if (state.followed.has(jobId)) return true;
  visited.add(jobId);
  for (const dependant of state.dependants.get(jobId) ?? []) {
    if (visited.has(dependant.jobId)) continue;
    if (hasFollower(state, dependant.jobId, visited)) return true;
  }
  return false;
}

function offerWithDependencies(step: CurrentStep, jobId: JobId, visited: Set<JobId>): void {
  const job = step.state.jobs.get(jobId);
  if (!job || visited.has(jobId)) return;
  visited.add(jobId);
  step.readyJobs.add(job);
  for (const dependency of job.waitingFor) offerWithDependencies(step, dependency, visited);
}
