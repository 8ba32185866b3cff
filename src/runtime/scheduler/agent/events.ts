/**
 * What can happen to a worker, in the past tense, and what it then wants done, in the imperative.
 * Tasks travel in columns; their inputs and results pass through untouched.
 */
import type { IndexColumn, U32Column, ValueColumn } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";

/** What the machine must know of a job at one version of its specification. */
export interface AgentJob {
  readonly jobId: JobId;
  readonly specVersion: number;
  /** Functions may be handed over in batches; commands go one at a time. */
  readonly kind: "function" | "command";
  /** How many slots one of its tasks occupies. */
  readonly slotsPerTask: number;
  /** Code that must be here before a task can start; null: none. */
  readonly bundleSha256: string | null;
}

/** Some finished rows of a batch, all with the same status. Rows count from 0 within the batch. */
export interface ResultChunk {
  readonly status: "completed" | "failed";
  readonly rows: IndexColumn;
  readonly count: number;
  readonly runUs: U32Column;
  /** Failure codes, one a row; only for failures. */
  readonly codes: readonly string[] | null;
  /** 1 where retrying is pointless. */
  readonly permanent: U32Column;
  readonly values: ValueColumn;
}

/** `atMs` is the worker's monotonic time; it never goes back. */
export type AgentEvent = {
  readonly atMs: number;
} /** Authenticated. Another foreman than before means another store: the old work is dropped. */ & (
  | {
      readonly type: "connected";
      readonly foremanId: string;
      readonly heartbeatMs: number;
      readonly leaseMs: number;
      /** Becomes the boot's id if this connection begins a new session. */
      readonly freshBootId: BootId;
    }
  | { readonly type: "disconnected" }
  /** The foreman does not serve this session any more: nothing of it is assigned. */
  | { readonly type: "sessionEnded" }
  | {
      readonly type: "tasksAssigned";
      readonly assignmentId: AssignmentId;
      readonly job: AgentJob;
      readonly priority: number;
      readonly count: number;
      readonly indexes: IndexColumn;
      readonly attempts: U32Column;
      /** 0: none. */
      readonly timeoutMs: number;
      readonly values: ValueColumn;
    }
  /** The assignment cannot be used here at all, such as for want of the job's specification. */
  | {
      readonly type: "assignmentRefused";
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
      readonly reason: string;
    }
  | {
      readonly type: "tasksRevoked";
      readonly request: number;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
    }
  | {
      readonly type: "tasksCancelled";
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
      readonly reason: string;
    }
  | { readonly type: "reportsAcknowledged"; readonly seq: number }
  | { readonly type: "beatEchoed"; readonly beat: number }
  | { readonly type: "bundleReady"; readonly sha256: string }
  | { readonly type: "bundleFailed"; readonly sha256: string; readonly reason: string }
  | {
      readonly type: "resultsDelivered";
      readonly batchId: number;
      readonly chunks: readonly ResultChunk[];
    }
  /** Cancelled rows whose processes are gone, while the batch goes on. */
  | { readonly type: "rowsGone"; readonly batchId: number; readonly rows: Uint32Array }
  /** Answers `recallRows`: rows from `firstRow` on never started and do not start any more. */
  | { readonly type: "rowsRecalled"; readonly batchId: number; readonly firstRow: number }
  /** Answers `inspectBatch`; null: nothing of it runs at this moment. */
  | {
      readonly type: "batchInspected";
      readonly batchId: number;
      readonly runningRow: number | null;
      readonly runningUs: number;
    }
  /**
   * Nothing of the batch runs any more. Rows without a result never started, unless they were
   * cancelled or the batch was killed. `refusal`: this machine could not run them, and why.
   */
  | { readonly type: "batchEnded"; readonly batchId: number; readonly refusal: string | null }
  | {
      readonly type: "loadMeasured";
      /** Per cent of the machine's CPU time that others than this worker's tasks use. */
      readonly foreignCpuPercent: number;
      /** Per cent of the machine, for the heartbeat. */
      readonly cpuPercent: number;
      readonly memoryPercent: number;
    }
  /** What is wrong with the disk that tasks need; null: nothing any more. */
  | { readonly type: "storageMeasured"; readonly trouble: string | null }
  /** The foreman wants this worker gracefully out, or with `undo` to stay after all. */
  | { readonly type: "drainOrdered"; readonly undo: boolean }
  /** Finish what runs, hand back the rest, then stop. */
  | { readonly type: "drainRequested"; readonly reason: string }
  /** End what runs, hand everything back, then stop. */
  | { readonly type: "abortRequested"; readonly reason: string }
  /** Time passed up to `nextWakeAtMs(state)`. */
  | { readonly type: "clockAdvanced" }
);

export type EventOf<Type extends AgentEvent["type"]> = Extract<AgentEvent, { type: Type }>;

/** One stretch of an assignment's tasks for one executor or, with one row, one command. */
export interface BatchOrder {
  readonly batchId: number;
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
  readonly specVersion: number;
  /** Numbered from 1; more than one where a task takes several. */
  readonly slots: readonly number[];
  /** Runs in the same executor, after this batch. */
  readonly behind: number | null;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly values: ValueColumn;
  /** 0: none. */
  readonly timeoutMs: number;
}

export type AgentMessage = MessageOf<
  | "worker_ready"
  | "announce"
  | "heartbeat"
  | "task_started"
  | "task_result"
  | "tasks_returned"
  | "tasks_gone"
  | "goodbye"
>;

export type AgentEffect =
  /** Only ever while connected. */
  | { readonly type: "sendMessage"; readonly message: AgentMessage }
  /** Answered by `bundleReady` or `bundleFailed`. */
  | { readonly type: "fetchBundle"; readonly sha256: string }
  /** Answered by results and at last by `batchEnded`. */
  | { readonly type: "runBatch"; readonly order: BatchOrder }
  /** Asks the executor for what it has not started yet. It need not answer when it can't. */
  | { readonly type: "recallRows"; readonly batchId: number }
  /** Ends these rows, kindly and then not; rows that never started are simply gone. */
  | {
      readonly type: "cancelRows";
      readonly batchId: number;
      readonly rows: Uint32Array;
      readonly reason: string;
    }
  /** Ends the whole batch at once; nothing of it is reported. */
  | { readonly type: "killBatch"; readonly batchId: number }
  | { readonly type: "inspectBatch"; readonly batchId: number }
  /** To disk, beside the sending: it outlives this process until it is acknowledged. */
  | {
      readonly type: "spoolResult";
      readonly spoolId: number;
      readonly foremanId: string;
      readonly message: MessageOf<"task_result">;
    }
  /** They are acknowledged, or nobody wants them any more. */
  | { readonly type: "dropSpooled"; readonly spoolIds: readonly number[] }
  /** They belong to another foreman: kept out of the way, for a person. */
  | {
      readonly type: "setSpooledAside";
      readonly spoolIds: readonly number[];
      readonly reason: string;
    }
  /** The connection is deaf: drop it and dial again. */
  | { readonly type: "redial"; readonly reason: string }
  /** Nothing is left to do: close in order and exit with 0. */
  | { readonly type: "stop"; readonly reason: string };
