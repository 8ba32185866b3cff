/**
 * What a step of the foreman's machine wants to be durable: row-level facts, in batches. The store
 * commits all changes of a group in one transaction, in order, before any effect is performed.
 */
import type { IndexColumn, U32Column, ValueColumn } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type {
  AssignmentFacts,
  JobFacts,
  Settlement,
  TaskExceptionFacts,
  WorkerFacts,
} from "./facts.ts";

export type Change =
  | { readonly type: "jobCreated"; readonly facts: JobFacts }
  /** The row as it now is; of several in one group only the last counts. */
  | { readonly type: "jobChanged"; readonly facts: JobFacts }
  | { readonly type: "jobRemoved"; readonly jobId: JobId }
  | {
      readonly type: "inputsAppended";
      readonly jobId: JobId;
      readonly firstIndex: number;
      readonly count: number;
      readonly values: ValueColumn;
    }
  | { readonly type: "assigned"; readonly assignment: AssignmentFacts }
  /** Tasks left the assignment unsettled (returned, lost); `remaining: null`: nothing of it is left. */
  | {
      readonly type: "assignmentShrunk";
      readonly assignmentId: AssignmentId;
      readonly remaining: {
        readonly count: number;
        readonly indexes: IndexColumn;
        readonly attempts: U32Column;
      } | null;
    }
  | { readonly type: "settled"; readonly settlement: Settlement }
  /**
   * Every task that is not settled yet is cancelled with this code, in one row. `value` is the
   * failure (kind 5) they all show.
   */
  | {
      readonly type: "restCancelled";
      readonly jobId: JobId;
      readonly seq: number;
      readonly count: number;
      readonly inputCount: number;
      readonly settledAtMs: number;
      readonly value: Uint8Array;
    }
  /** Settled tasks are queued again; `attempts` are those begun so far. */
  | {
      readonly type: "reopened";
      readonly jobId: JobId;
      readonly seq: number;
      readonly atMs: number;
      readonly count: number;
      readonly indexes: IndexColumn;
    }
  /** Rows to be written or, with `exception: null`, to be removed. */
  | {
      readonly type: "taskExceptions";
      readonly jobId: JobId;
      readonly written: readonly TaskExceptionFacts[];
      readonly removed: readonly number[];
    }
  | {
      readonly type: "attemptsEnded";
      readonly jobId: JobId;
      readonly rows: readonly AttemptEndFacts[];
    }
  | { readonly type: "workerChanged"; readonly worker: WorkerFacts }
  | { readonly type: "workerForgotten"; readonly workerId: WorkerId }
  | { readonly type: "eventRecorded"; readonly event: EventFacts };

/** An attempt that ended without settling its task. */
export interface AttemptEndFacts {
  readonly index: number;
  readonly attempt: number;
  readonly outcome: "failed" | "lost" | "cancelled";
  readonly code: string | null;
  readonly workerId: WorkerId;
  readonly bootId: BootId;
  readonly runUs: number | null;
  readonly endedAtMs: number;
  /** A failure value (kind 5), or null. */
  readonly error: Uint8Array | null;
}

/** Per job, worker and batch; per task only for exceptions. */
export interface EventFacts {
  readonly atMs: number;
  readonly kind: string;
  readonly jobId: JobId | null;
  readonly index: number | null;
  readonly workerId: WorkerId | null;
  /** JSON text, snake_case, bounded. */
  readonly body: string;
}
