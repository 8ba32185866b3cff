/**
 * `--after`: a job waits until all jobs it names have completed. One that ended otherwise cancels it.
 *
 *   waiting  -> `waitingFor` of the dependant, and `dependants` of the one it waits for
 *   named    -> counted in `namedBy` while the dependant is unfinished, so that it is not forgotten
 */
import type { JobId } from "../../../protocol/ids.ts";
import { type CurrentStep, recordEvent, touchJob } from "../current-step.ts";
import { cancelRest } from "../outcomes/settle.ts";
import type { ForemanState, LiveJob } from "../state.ts";
import { unpark } from "./retention.ts";

/** Notes what the job has to wait for; a dependency that did not complete cancels it. */
export function addDependencies(step: CurrentStep, job: LiveJob): void {
  nameDependencies(step.state, job);
  for (const jobId of new Set(job.spec.after as JobId[])) {
    const found = dependencyState(step.state, jobId);
    if (found === "unfinished") waitFor(step.state, job, jobId);
    else if (found === "failed") cancelDependant(step, job, jobId);
  }
}

/** Only what is live now is waited for: who retries a cancelled job wants it to run. */
export function renewDependencies(state: ForemanState, job: LiveJob): void {
  nameDependencies(state, job);
  for (const jobId of job.spec.after as JobId[]) {
    if (state.jobs.has(jobId) && jobId !== job.jobId) waitFor(state, job, jobId);
  }
}

/** The first job that is named and not known; null: all are. */
export function unknownDependency(state: ForemanState, after: readonly number[]): number | null {
  for (const jobId of after as JobId[]) {
    if (!state.jobs.has(jobId) && !state.ended.has(jobId)) return jobId;
  }
  return null;
}

/** A job has ended: those that waited for it go on, or are cancelled. */
export function resolveDependants(step: CurrentStep, jobId: JobId): void {
  const { dependants } = step.state;
  const waiting = dependants.get(jobId);
  if (!waiting) return;
  dependants.delete(jobId);
  const hasCompleted = step.state.ended.get(jobId)?.state === "completed";
  for (const job of waiting) {
    if (!job.waitingFor.delete(jobId)) continue;
    if (job.waitingFor.size === 0) job.releasedAtMs = Math.max(job.releasedAtMs, step.atMs);
    if (!hasCompleted) cancelDependant(step, job, jobId);
    touchJob(step, job);
    step.readyJobs.add(job);
    step.concludingJobs.add(job);
  }
}

/** The job waits for nobody any more, and whom it named may be forgotten. */
export function forgetDependencies(state: ForemanState, job: LiveJob): void {
  for (const jobId of job.waitingFor) {
    const waiting = state.dependants.get(jobId);
    waiting?.delete(job);
    if (waiting?.size === 0) state.dependants.delete(jobId);
  }
  job.waitingFor.clear();
  for (const jobId of new Set(job.spec.after as JobId[])) {
    const count = (state.namedBy.get(jobId) ?? 1) - 1;
    if (count > 0) state.namedBy.set(jobId, count);
    else {
      state.namedBy.delete(jobId);
      unpark(state, jobId);
    }
  }
}

function nameDependencies({ namedBy }: ForemanState, { spec }: LiveJob): void {
  for (const jobId of new Set(spec.after as JobId[])) {
    namedBy.set(jobId, (namedBy.get(jobId) ?? 0) + 1);
  }
}

function dependencyState(state: ForemanState, jobId: JobId): "unfinished" | "completed" | "failed" {
  if (state.jobs.has(jobId)) return "unfinished";
  const facts = state.ended.get(jobId);
  // One that was forgotten meanwhile had completed; otherwise this job would have been cancelled.
  return facts === undefined || facts.state === "completed" ? "completed" : "failed";
}

function waitFor(state: ForemanState, job: LiveJob, jobId: JobId): void {
  job.waitingFor.add(jobId);
  const waiting = state.dependants.get(jobId) ?? new Set();
  waiting.add(job);
  state.dependants.set(jobId, waiting);
}

function cancelDependant(step: CurrentStep, job: LiveJob, jobId: JobId): void {
  const how = step.state.ended.get(jobId)?.state ?? "failed";
  const message = `Job ${jobId}, which had to complete first, ${how === "failed" ? "failed" : "was cancelled"}.`;
  const code = "dependency_failed";
  const count = cancelRest(step, job, { code, message, reason: message });
  recordEvent(step, "job_cancelled", { jobId: job.jobId, body: { code, reason: message, count } });
}
