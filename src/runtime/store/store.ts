/**
 * The durable facts behind one small interface made of batches. A store decides nothing: it writes
 * the changes of a group in one transaction and answers reads with what is committed. The conformance
 * suite defines it; memory and SQLite pass the same one.
 */
import type { ValueColumn } from "../protocol/columns.ts";
import type { JobId, WorkerId } from "../protocol/ids.ts";
import type { AttemptEndFacts, Change, EventFacts } from "../scheduler/foreman/changes.ts";
import type {
  JobFacts,
  JobFold,
  Settlement,
  StoredJob,
  StoredState,
  WorkerFacts,
} from "../scheduler/foreman/facts.ts";
import type { StoreSpace } from "./reserve.ts";

/**
 * How a commit ended. `busy`: nothing was written, the same group may be tried again. `full`: rolled
 * back, no space. Anything worse is thrown as CcError `storage_failed` (exit 74) and stops the foreman.
 */
export type CommitOutcome = "ok" | "busy" | "full";

export interface ForemanIdentity {
  readonly foremanId: string;
  /** Grows with each start that writes. */
  readonly epoch: number;
}

export interface StoredKey {
  readonly keyId: string;
  readonly owner: string;
  readonly role: "client" | "worker";
  readonly scopes: readonly string[];
  /** The two derived keys, Kf then Kc, 32 bytes each; never the secret. */
  readonly verifier: Uint8Array;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}

export interface InputChunk {
  readonly firstIndex: number;
  readonly count: number;
  readonly values: ValueColumn;
}

/** A settlement read back; `restCancelled` rows come as one value for every index they cover. */
export interface SettlementChunk extends Settlement {
  /** Such a row stands for all its tasks with one value: `values` has a single row. */
  readonly sharedValue: boolean;
}

/**
 * A settlement without the results of what completed, so that it is small whatever they are. Of a
 * cancelled rest (`sharedValue`) its tasks are not told either, and `count` is 0.
 */
export interface SettlementSketch extends Omit<SettlementChunk, "values"> {
  /** null where the tasks completed. */
  readonly values: ValueColumn | null;
}

export interface AttemptEndRow extends AttemptEndFacts {
  readonly jobId: JobId;
}

/** How much one call of `reclaim` may do, and what is old. */
export interface ReclaimLimits {
  readonly rowsMax: number;
  /** Of inputs and results; one row may be larger than all of it. */
  readonly bytesMax: number;
  /** Pages of the file moved or given back. */
  readonly pagesMax: number;
  /** Nobody waits for commits: free space goes back to the last page. */
  readonly quiet: boolean;
  /** The foreman's time line. */
  readonly nowMs: number;
  /** Events that belong to no job: the newest so many, and no older ones than this. */
  readonly eventsMax: number;
  readonly eventAgeMsMax: number;
}

/** `more`: call again soon; `later`: it could not write (busy or full); `done`: until more is forgotten. */
export type ReclaimOutcome = "more" | "later" | "done";

export interface JobFilter {
  /** Only these states; null: all finished ones. */
  readonly states: readonly string[] | null;
  readonly owner: string | null;
  readonly before: JobId | null;
  readonly limit: number;
}

export interface EventFilter {
  readonly jobId: JobId | null;
  readonly workerId: WorkerId | null;
  readonly afterSeq: number;
  readonly limit: number;
}

export interface EventRowFacts extends EventFacts {
  readonly seq: number;
}

export interface EventRange {
  /**
   * The oldest event kept of those that belong to no job, which are forgotten in their order; one
   * beyond `lastSeq` when there is none. Of those before it only some jobs' own are left.
   */
  readonly oldestSeq: number;
  /** The newest number ever given; 0: none. */
  readonly lastSeq: number;
}

export interface Store {
  /** The disk it lies on, where it has one that it writes. */
  readonly space?: StoreSpace;
  /** Begins a new epoch (unless read-only) and says who this foreman is. */
  readonly identity: ForemanIdentity;
  /**
   * All or nothing, in order; what is kept is copied, instants to whole milliseconds. A removed job is
   * gone for every reader at once; `reclaim` frees what it took.
   */
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
  load(): Promise<StoredState>;

  readJob(jobId: JobId): Promise<JobFacts | null>;
  /** A job with its tasks, finished or not; the fold of its log. */
  readStoredJob(jobId: JobId): Promise<StoredJob | null>;
  readFold(jobId: JobId, inputCount: number): Promise<JobFold>;
  /** Finished jobs, newest first. */
  listEndedJobs(filter: JobFilter): Promise<readonly JobFacts[]>;
  /** How many such jobs there are, whatever `limit` says. */
  countEndedJobs(filter: JobFilter): Promise<number>;
  /** The chunk that holds this input; null beyond the last. */
  readInputChunk(jobId: JobId, index: number): Promise<InputChunk | null>;
  readSettlement(jobId: JobId, seq: number): Promise<SettlementChunk | null>;
  /** Settlements from `seq` on in order, at most `limit` and about `bytesMax`. */
  readSettlements(
    jobId: JobId,
    from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
  ): Promise<readonly SettlementChunk[]>;
  /** The same, as sketches; `bytesMax` of failures. */
  sketchSettlements(
    jobId: JobId,
    from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
  ): Promise<readonly SettlementSketch[]>;
  /** The tasks that settlement `seq` (a reopening) queued again. */
  readReopened(jobId: JobId, seq: number): Promise<Uint32Array | null>;
  /**
   * Every settlement that ever held this task, oldest first, each cut down to this task's row: its
   * history over retries.
   */
  readTaskHistory(jobId: JobId, index: number): Promise<readonly SettlementChunk[]>;
  /** By index and attempt; at most ATTEMPT_ENDS_PER_JOB_MAX are kept of a job, the first ones. */
  readAttemptEnds(
    jobId: JobId,
    index: number | null,
    limit: number,
  ): Promise<readonly AttemptEndRow[]>;
  readWorker(workerId: WorkerId): Promise<WorkerFacts | null>;
  /** In the order of their numbers; with a job and a worker only what concerns both. */
  readEvents(filter: EventFilter): Promise<readonly EventRowFacts[]>;
  /** Numbers are never given twice, and those of forgotten events stay gaps. */
  readEventRange(): Promise<EventRange>;

  /**
   * Bundles: content-addressed, in chunks of BLOB_CHUNK_BYTES. `true` is a promise for a day, while
   * the store is open: the bundle stays, whichever jobs are removed, until a committed job names it.
   */
  hasBlob(sha256: string): Promise<boolean>;
  /** The same promise. Throws `bundle_mismatch` when the bytes do not have that SHA-256. */
  putBlob(blob: {
    readonly sha256: string;
    readonly kind: "bundle";
    readonly bytes: Uint8Array;
    readonly atMs: number;
  }): Promise<CommitOutcome>;
  readBlob(sha256: string): Promise<Uint8Array | null>;

  /**
   * Frees one slice of what is forgotten: rows of removed jobs, bundles that no job names, old events;
   * then space of the file. A short transaction a call; writes nothing when there is nothing to do.
   */
  reclaim(limits: ReclaimLimits): Promise<ReclaimOutcome>;
  /** What a job's inputs, results and errors take, in bytes of values; 0 when there is no such job. */
  readJobBytes(jobId: JobId): Promise<number>;
  /** The size of a bundle; null when it is not here. */
  readBlobBytes(sha256: string): Promise<number | null>;

  listKeys(): Promise<readonly StoredKey[]>;
  putKey(key: StoredKey): Promise<void>;

  close(): Promise<void>;
}
