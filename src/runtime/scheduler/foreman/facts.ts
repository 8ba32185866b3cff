/**
 * The durable facts that the machine decides on and the store keeps: what a row is, in memory terms.
 * All instants are milliseconds of the foreman's own time line: the wall clock at its start plus
 * monotonic time since, so that they read as dates and never jump while it runs.
 */
import type { IndexColumn, U32Column, ValueColumn } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type { JobSpec, WorkerOffer } from "../../protocol/job-spec.ts";
import type { JobState } from "../../protocol/views.ts";

/** A job as its row says. Counters are those of settled tasks. */
export interface JobFacts {
  readonly jobId: JobId;
  readonly owner: string;
  readonly submissionId: string;
  /** The submitter may come back within a day and go on with open inputs. */
  readonly resumable: boolean;
  readonly spec: JobSpec;
  /** Grows with each change of `spec`. */
  readonly specVersion: number;
  readonly inputCount: number;
  /** CRC-32 over the bytes of all inputs' values so far. */
  readonly inputCrc32: number;
  /** null while inputs may still arrive. */
  readonly inputsClosedAtMs: number | null;
  readonly paused: boolean;
  readonly keep: boolean;
  readonly state: JobState;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** The next settlement's number in this job; grows from 1. */
  readonly nextSettleSeq: number;
  readonly createdAtMs: number;
  /** Nothing starts before (`--delay`). */
  readonly notBeforeMs: number | null;
  readonly finishedAtMs: number | null;
  /** Sum of all attempts' run times, in microseconds. */
  readonly runUs: number;
}

export const SETTLED_NONE = 0;
export const SETTLED_COMPLETED = 1;
export const SETTLED_FAILED = 2;
export const SETTLED_CANCELLED = 3;

/** The fold of a job's settlement log, one entry a task: what is settled, by which attempt, where. */
export interface JobFold {
  /** SETTLED_… by index. */
  readonly status: Uint8Array;
  /** Attempts begun, as far as settlements tell. */
  readonly attempt: Uint16Array;
  /** The settlement that holds the result; 0: none. */
  readonly seq: Uint32Array;
}

/** One batch handed to one worker boot and not wholly settled yet. */
export interface AssignmentFacts {
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly bootId: BootId;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly assignedAtMs: number;
}

/** A task that something exceptional happened to. */
export interface TaskExceptionFacts {
  readonly index: number;
  /** The last attempt begun. */
  readonly attempt: number;
  /** Against `--retries`. */
  readonly failures: number;
  /** Against `--max-crashes`. */
  readonly crashes: number;
  /** Lost with its worker before it is known to have started. */
  readonly losses: number;
  readonly notBeforeMs: number | null;
}

export interface WorkerFacts {
  readonly workerId: WorkerId;
  readonly bootId: BootId;
  readonly offer: WorkerOffer;
  readonly paused: boolean;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly setAsideUntilMs: number | null;
}

/** A live job with all that a restart needs to go on with it. */
export interface StoredJob {
  readonly facts: JobFacts;
  readonly fold: JobFold;
  readonly exceptions: readonly TaskExceptionFacts[];
  /** The chunks in which the inputs came, ascending: they keep an assignment within one message. */
  readonly inputChunks: readonly InputChunkFacts[];
}

export interface InputChunkFacts {
  readonly firstIndex: number;
  readonly byteCount: number;
}

/** What a foreman starts from. */
export interface StoredState {
  /** Unfinished jobs, by id. */
  readonly jobs: readonly StoredJob[];
  /** Finished jobs still kept, by id, without their tasks. */
  readonly ended: readonly JobFacts[];
  readonly assignments: readonly AssignmentFacts[];
  readonly workers: readonly WorkerFacts[];
  readonly nextJobId: number;
  /** When the foreman before us last wrote an event, by its time line; null: it never did. */
  readonly lastEventAtMs: number | null;
}

/** One entry of a job's settlement log. Rows of `values` follow `indexes`. */
export interface Settlement {
  readonly jobId: JobId;
  readonly seq: number;
  readonly status: "completed" | "failed" | "cancelled";
  readonly workerId: WorkerId;
  readonly bootId: BootId;
  readonly settledAtMs: number;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly runUs: U32Column;
  readonly values: ValueColumn;
}
