/** An assignment as the worker hears it; a job's specification travels with the first one that needs it. */
import type { IndexColumn, U32Column } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";
import type { MessageOf } from "../../protocol/messages.ts";

/** What an assignment needs to know of its job when it leaves. */
export interface AssignableJob {
  readonly owner: string;
  readonly spec: JobSpec;
  readonly specVersion: number;
}

/** The connection for which the machine meant it; what a reconnect overtook is dropped. */
export interface Addressee {
  readonly bootId: BootId;
  readonly connectionSeq: number;
}

export interface AssignTasks extends Addressee {
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
}

/** A worker sees as many jobs' specs as it likes; beyond this they are sent anew. */
const SPECS_PER_SESSION_MAX = 2_000;

/** @param known versions of specs that the worker has; noted here when one more travels. */
export function assignmentMessage(
  known: Map<JobId, number>,
  effect: AssignTasks,
  job: AssignableJob,
  input: MessageOf<"assign_task">["input"],
): MessageOf<"assign_task"> {
  const { spec } = job;
  const knowsSpec = known.get(effect.jobId) === job.specVersion;
  if (!knowsSpec) {
    if (known.size >= SPECS_PER_SESSION_MAX) known.clear();
    known.set(effect.jobId, job.specVersion);
  }
  return {
    type: "assign_task",
    assignment: effect.assignmentId,
    job_id: effect.jobId,
    ...(knowsSpec ? {} : { spec }),
    spec_version: job.specVersion,
    owner: job.owner,
    bundle_sha256: spec.work.kind === "function" ? spec.work.bundle_sha256 : null,
    priority: spec.priority,
    attempt: effect.attempts,
    timeout_ms: spec.timeout_seconds === null ? 0 : Math.ceil(spec.timeout_seconds * 1000),
    ...(effect.indexes instanceof Uint32Array
      ? { index: effect.indexes }
      : { first_index: effect.indexes.first }),
    count: effect.count,
    input,
  };
}
