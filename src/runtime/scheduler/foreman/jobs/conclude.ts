/**
 * What follows from a step for the jobs it touched: limits, their end, and what their end means for
 * jobs that waited for them. Runs once, after the event's own handler, until nothing follows any more.
 */
import { keepTally } from "../aggregates/tally.ts";
import { type CurrentStep, recordEvent } from "../current-step.ts";
import { syncLevel } from "../placement/fairness.ts";
import type { LiveJob } from "../state.ts";
import { forgetDependencies, resolveDependants } from "./dependencies.ts";
import { applyFailureLimit } from "./limits.ts";
import { factsOf, isBlocked, settledCount } from "./live-job.ts";
import { queueEnded } from "./retention.ts";

export function concludeJobs(step: CurrentStep): void {
  const { concludingJobs } = step;
  // A set visits what is added while it is walked; what is looked at again is added again.
  for (const job of concludingJobs) {
    concludingJobs.delete(job);
    if (step.state.jobs.get(job.jobId) !== job) continue;
    applyFailureLimit(step, job);
    concludingJobs.delete(job);
    if (isOver(step, job)) endJob(step, job);
  }
}

/** Nothing can be added and everything is settled; an empty job still waits for its turn. */
function isOver(step: CurrentStep, job: LiveJob): boolean {
  if (job.inputsClosedAtMs === null || settledCount(job) < job.tasks.count) return false;
  return job.isCancelled || !isBlocked(job, step.atMs);
}

/** Its tasks leave the memory; its facts stay. */
function endJob(step: CurrentStep, job: LiveJob): void {
  const { state } = step;
  const { jobId } = job;
  const facts = factsOf(job, step.atMs);
  state.jobs.delete(jobId);
  state.ended.set(jobId, facts);
  keepTally(state, job);
  queueEnded(state, facts);
  forgetDependencies(state, job);
  syncLevel(step, job);
  step.changedJobs.delete(job);
  step.readyJobs.delete(job);
  step.changes.push({ type: "jobChanged", facts });
  step.seenJobs.add(jobId);
  step.endedJobs.push(jobId);
  const { completed, failed, cancelled } = facts;
  recordEvent(step, "job_ended", {
    jobId,
    body: {
      state: facts.state,
      completed,
      failed,
      cancelled,
      ...(job.taskEventsLeftOut === 0 ? {} : { events_left_out: job.taskEventsLeftOut }),
    },
  });
  resolveDependants(step, jobId);
}
