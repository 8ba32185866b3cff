/**
 * When so many tasks failed that the rest is not worth starting: `--max-fails`, and by default a job
 * whose first twenty settled tasks all failed, on two workers where two are connected.
 */
import { assertNever } from "../../../protocol/error.ts";
import { type CurrentStep, recordEvent } from "../current-step.ts";
import { cancelRest } from "../outcomes/settle.ts";
import { TASK_COMPLETED, TASK_FAILED } from "../queues/task-table.ts";
import { servingSums } from "../sessions/serving.ts";
import type { ForemanState, LiveJob } from "../state.ts";
import { countOf } from "./live-job.ts";

export const ALL_FAILING_MIN = 20;
/** While inputs still arrive a share of them says little before so many have settled. */
const SETTLED_MIN_WHILE_OPEN = 100;

/** Cancels the rest where the limit is passed. */
export function applyFailureLimit(step: CurrentStep, job: LiveJob): void {
  const verdict = passedLimit(step.state, job);
  if (verdict === null) return;
  const wasCancelled = job.isCancelled;
  const { code, message } = verdict;
  const count = cancelRest(step, job, { code, message, reason: message });
  if (count > 0) step.seenJobs.add(job.jobId);
  if (wasCancelled || !job.isCancelled) return;
  recordEvent(step, "job_cancelled", { jobId: job.jobId, body: { code, reason: message, count } });
}

function passedLimit(
  state: ForemanState,
  job: LiveJob,
): { readonly code: string; readonly message: string } | null {
  const failed = countOf(job, TASK_FAILED);
  if (failed === 0) return null;
  const { max_fails: limit } = job.spec;
  switch (limit.kind) {
    case "none":
      return null;
    case "default":
      return isAllFailing(state, job, failed)
        ? { code: "all_failing", message: `The first ${failed} tasks all failed.` }
        : null;
    case "count":
      return failed > limit.count
        ? {
            code: "max_fails",
            message: `${failed} tasks failed; --max-fails allows ${limit.count}.`,
          }
        : null;
    case "percent":
      return isOverPercent(job, failed, limit.percent)
        ? {
            code: "max_fails",
            message: `${failed} of ${job.tasks.count} tasks failed; --max-fails allows ${limit.percent}%.`,
          }
        : null;
    default:
      return assertNever(limit, "limit of failures");
  }
}

function isAllFailing(state: ForemanState, job: LiveJob, failed: number): boolean {
  if (failed < ALL_FAILING_MIN || countOf(job, TASK_COMPLETED) > 0) return false;
  return job.failedOn.size >= Math.min(2, servingSums(state, job.demand).sessionCount);
}

function isOverPercent(job: LiveJob, failed: number, percent: number): boolean {
  const settled = failed + countOf(job, TASK_COMPLETED);
  if (job.inputsClosedAtMs === null && settled < SETTLED_MIN_WHILE_OPEN) return false;
  return failed * 100 > percent * job.tasks.count;
}
