/**
 * Jobs whose inputs are still open and whose submitter is gone: cancelled after a minute, or after a
 * day when the user named the submission and may come back for the same line.
 */

import { type CurrentStep, type EventOf, touchJob } from "../current-step.ts";
import type { LiveJob } from "../state.ts";
import { armJob } from "../timers.ts";
import { cancelJob } from "./cancel.ts";

export const SUBMITTER_GRACE_MS = 60_000;
export const RESUMABLE_GRACE_MS = 86_400_000;

export function onSubmitterAttached(step: CurrentStep, event: EventOf<"submitterAttached">): void {
  const job = step.state.jobs.get(event.jobId);
  if (job) job.detachedUntilMs = null;
}

export function onSubmitterDetached(step: CurrentStep, event: EventOf<"submitterDetached">): void {
  const job = step.state.jobs.get(event.jobId);
  if (job) detachSubmitter(step, job);
}

/** From now on the job waits for its submitter. */
export function detachSubmitter(step: CurrentStep, job: LiveJob): void {
  if (job.inputsClosedAtMs !== null) return;
  const graceMs = job.resumable ? RESUMABLE_GRACE_MS : SUBMITTER_GRACE_MS;
  job.detachedUntilMs = step.atMs + graceMs;
  armJob(step, job);
}

export function cancelDetached(step: CurrentStep, job: LiveJob): void {
  if (job.detachedUntilMs === null || job.detachedUntilMs > step.atMs) return;
  job.detachedUntilMs = null;
  if (job.inputsClosedAtMs !== null) return;
  const reason = "its submitter went away before all inputs had arrived";
  cancelJob(step, job, { code: "submitter_lost", reason });
  touchJob(step, job);
}
