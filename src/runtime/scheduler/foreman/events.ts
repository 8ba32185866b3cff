/**
 * What can happen to the foreman, in the past tense, and what it then wants done, in the imperative.
 * Both travel in batches; opaque values pass through untouched.
 */
import type { IndexColumn, U32Column, ValueColumn } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type { JobPatch, JobSpec, WorkerOffer } from "../../protocol/job-spec.ts";
import type { StoredJob } from "./facts.ts";

/** Chosen by the shell to find the request again to which an effect `reply` belongs. */
export type ReplyToken = number;

export interface HeldTasks {
  readonly assignmentId: AssignmentId;
  readonly indexes: Uint32Array;
}

/** Every event carries the foreman's time line; see facts.ts. It never goes back. */
export type ForemanEvent = { readonly atMs: number } & (
  | {
      readonly type: "jobSubmitted";
      readonly token: ReplyToken;
      readonly owner: string;
      readonly submissionId: string;
      readonly resumable: boolean;
      readonly spec: JobSpec;
      readonly count: number;
      readonly values: ValueColumn;
      /** CRC-32 over `values.data`; of a known submission the machine takes nothing from here. */
      readonly inputCrc32: number;
      readonly close: boolean;
    }
  | {
      readonly type: "tasksSubmitted";
      readonly token: ReplyToken;
      readonly jobId: JobId;
      readonly firstIndex: number;
      readonly count: number;
      readonly values: ValueColumn;
      /** CRC-32 of the job's inputs after these, computed by the shell from the running one. */
      readonly inputCrc32: number;
    }
  | {
      readonly type: "inputsClosed";
      readonly token: ReplyToken;
      readonly jobId: JobId;
      readonly count: number;
    }
  | {
      readonly type: "jobPatched";
      readonly token: ReplyToken;
      readonly jobId: JobId;
      readonly patch: JobPatch;
    }
  | {
      readonly type: "cancelRequested";
      readonly token: ReplyToken | null;
      readonly jobId: JobId;
      /** null: the whole job. */
      readonly indexes: Uint32Array | null;
      readonly code: "cancelled" | "submitter_lost";
      readonly reason: string;
    }
  | {
      readonly type: "retryRequested";
      readonly token: ReplyToken;
      readonly jobId: JobId;
      readonly indexes: Uint32Array | null;
      /** Only tasks whose last failure has this code; the shell has looked them up. */
      readonly completedToo: boolean;
      readonly patch: JobPatch | null;
      /** The job's tasks, when the job had ended and left the machine's memory. */
      readonly stored: StoredJob | null;
    }
  | { readonly type: "jobRemoved"; readonly token: ReplyToken; readonly jobId: JobId }
  /** The submitter of an open job is connected again, or has gone. */
  | { readonly type: "submitterAttached"; readonly jobId: JobId }
  | { readonly type: "submitterDetached"; readonly jobId: JobId }
  /** The first connection follows the job, or the last has gone; see `onlyFollowed`. */
  | { readonly type: "followingChanged"; readonly jobId: JobId; readonly followed: boolean }
  /** Somebody reads the job's results from now on, or nobody does any more. */
  | { readonly type: "readingChanged"; readonly jobId: JobId; readonly reading: boolean }
  /** `cc gc`: forget these, each only if it may go. */
  | {
      readonly type: "garbageCollected";
      readonly token: ReplyToken;
      readonly jobs: readonly { readonly jobId: JobId; readonly why: "age" | "count" }[];
    }
  /** A worker is connected and has presented itself; a known boot resumes its session. */
  | {
      readonly type: "sessionReady";
      readonly workerId: WorkerId;
      readonly bootId: BootId;
      readonly connectionSeq: number;
      readonly offer: WorkerOffer;
      readonly inventory: readonly HeldTasks[];
    }
  | {
      readonly type: "offerChanged";
      readonly bootId: BootId;
      readonly offer: WorkerOffer;
      readonly accepting: boolean;
      readonly reason: string | null;
      /** Null or absent: it stays. */
      readonly draining?: "requested" | "stopping" | null;
    }
  /** Renews the session's lease if the connection is the live one and the beat is new. */
  | {
      readonly type: "heartbeatReceived";
      readonly bootId: BootId;
      readonly connectionSeq: number;
      readonly beat: number;
      readonly freeSlots: number;
      readonly cpuPercent: number;
      readonly memoryPercent: number;
    }
  /** The socket ended without goodbye; the session lives on for the reconnect grace. */
  | { readonly type: "connectionLost"; readonly bootId: BootId; readonly connectionSeq: number }
  /** The worker ends in order; what it still held comes back uncounted. */
  | { readonly type: "sessionEnded"; readonly bootId: BootId; readonly reason: string }
  | {
      readonly type: "tasksStarted";
      readonly bootId: BootId;
      readonly seq: number;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
      readonly runningUs: U32Column;
    }
  | {
      readonly type: "attemptsReported";
      readonly bootId: BootId;
      readonly seq: number;
      readonly assignmentId: AssignmentId;
      readonly jobId: JobId;
      readonly status: "completed" | "failed";
      readonly count: number;
      readonly indexes: IndexColumn;
      readonly attempts: U32Column;
      readonly runUs: U32Column;
      /** Failure codes, one a row; only for failures. */
      readonly codes: readonly string[] | null;
      /** 1 where retrying is pointless. */
      readonly permanent: U32Column;
      readonly values: ValueColumn;
    }
  | {
      readonly type: "tasksReturned";
      readonly bootId: BootId;
      readonly seq: number;
      /** Answers our revocation with this number; null when the worker hands back by itself. */
      readonly revocation: number | null;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
      readonly reason: string;
    }
  /** Cancelled tasks' processes are gone: their slots are free again. */
  | {
      readonly type: "tasksGone";
      readonly bootId: BootId;
      readonly seq: number;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
    }
  | {
      readonly type: "workerPaused";
      readonly token: ReplyToken;
      readonly workerId: WorkerId;
      readonly paused: boolean;
      /** Hand back what runs, uncounted. */
      readonly now: boolean;
    }
  /** Answered once the worker has said that it drains, or that it stays after all. */
  | {
      readonly type: "drainRequested";
      readonly token: ReplyToken;
      readonly workerId: WorkerId;
      readonly undo: boolean;
    }
  /** The store's disk is full, or has room again (null): while it is full nothing new is started. */
  | { readonly type: "storageChanged"; readonly fullFolder: string | null }
  /** Time passed up to `nextWakeAtMs(state)`; deadlines are looked at. */
  | { readonly type: "clockAdvanced" }
);

export type ForemanEffect =
  /** Send `assign_task`; the inputs are read through the window. */
  | {
      readonly type: "assignTasks";
      readonly bootId: BootId;
      /** The connection it is meant for: on a later one it must not be sent, see adoption.ts. */
      readonly connectionSeq: number;
      readonly assignmentId: AssignmentId;
      readonly jobId: JobId;
      readonly count: number;
      readonly indexes: IndexColumn;
      readonly attempts: U32Column;
    }
  /** Everything up to `seq` of this session is committed. */
  | {
      readonly type: "acknowledgeReports";
      readonly bootId: BootId;
      readonly seq: number;
      readonly stale: readonly HeldTasks[];
    }
  | {
      readonly type: "revokeTasks";
      readonly bootId: BootId;
      readonly connectionSeq: number;
      readonly revocation: number;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
    }
  | {
      readonly type: "cancelTasks";
      readonly bootId: BootId;
      readonly connectionSeq: number;
      readonly assignmentId: AssignmentId;
      readonly indexes: Uint32Array;
      readonly reason: string;
    }
  /** Answered by the worker with `announce`. */
  | {
      readonly type: "drainSession";
      readonly bootId: BootId;
      readonly connectionSeq: number;
      readonly undo: boolean;
    }
  /** This boot is not served (any more): say goodbye with the reason and close. */
  | { readonly type: "endSession"; readonly bootId: BootId; readonly reason: string }
  | { readonly type: "reply"; readonly token: ReplyToken; readonly answer: ForemanAnswer }
  /** Something about the job that observers see has changed. */
  | { readonly type: "notifyJobChanged"; readonly jobId: JobId }
  /** New settlements can be read. */
  | { readonly type: "notifySettled"; readonly jobId: JobId }
  | {
      readonly type: "notifyWorkerLost";
      readonly workerId: WorkerId;
      readonly runningCount: number;
    }
  | { readonly type: "notifyJobEnded"; readonly jobId: JobId };

export type ForemanAnswer =
  | {
      readonly type: "jobAccepted";
      readonly jobId: JobId;
      readonly nextIndex: number;
      readonly inputCrc32: number;
      readonly existing: boolean;
    }
  | { readonly type: "tasksAccepted"; readonly jobId: JobId; readonly nextIndex: number }
  | {
      readonly type: "jobStatus";
      readonly jobId: JobId;
      readonly affected: number;
      readonly reopenSeq: number | null;
      readonly note: string | null;
    }
  /** Those of the jobs that were forgotten. */
  | { readonly type: "collected"; readonly jobIds: readonly JobId[] }
  | { readonly type: "done"; readonly note: string | null }
  /** The world's fault, for the peer: code, sentence, hint. */
  | {
      readonly type: "refused";
      readonly code: string;
      readonly message: string;
      readonly hint: string | null;
      readonly retryable: boolean;
    };
