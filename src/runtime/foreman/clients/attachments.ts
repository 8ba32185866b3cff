/**
 * Jobs that end with their submitter (`--attached`): when the last connection that follows such a job
 * is gone and none comes back within the grace, the job is cancelled.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";

export interface Attachments {
  onFollowed(jobId: JobId, followed: boolean): void;
  stop(): void;
}

export function createAttachments(parts: {
  readonly graceMs: number;
  readonly clock: Clock;
  /** null once the job has ended. */
  specOf(jobId: JobId): JobSpec | null;
  cancel(jobId: JobId): void;
}): Attachments {
  const leaving = new Map<JobId, Timer>();
  return {
    onFollowed(jobId, followed) {
      leaving.get(jobId)?.cancel();
      leaving.delete(jobId);
      if (followed || !parts.specOf(jobId)?.attached) return;
      const timer = parts.clock.setTimer(parts.graceMs, () => {
        leaving.delete(jobId);
        parts.cancel(jobId);
      });
      leaving.set(jobId, timer);
    },
    stop() {
      for (const timer of leaving.values()) timer.cancel();
      leaving.clear();
    },
  };
}
