/** An ended job leaves the memory and the store with all it left; its number is never given again. */
import { forgetTally } from "../aggregates/tally.ts";
import { type CurrentStep, recordEvent } from "../current-step.ts";
import type { JobFacts } from "../facts.ts";
import { submissionKey } from "../state.ts";

/** @param why asked for by `cc rm`, or by which rule of retention. */
export function forgetJob(
  step: CurrentStep,
  { jobId, owner, submissionId, spec, state: endState }: JobFacts,
  why: "request" | "age" | "count",
): void {
  const { state } = step;
  state.ended.delete(jobId);
  forgetTally(state, jobId);
  state.submissions.delete(submissionKey(owner, submissionId));
  step.changes.push({ type: "jobRemoved", jobId });
  // Under no job: it outlives what was said of this one.
  recordEvent(step, "job_removed", {
    body: { job_id: jobId, name: spec.name, state: endState, why },
  });
  step.seenJobs.add(jobId);
}
