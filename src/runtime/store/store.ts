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

export interface AttemptEndRow extends AttemptEndFacts {
  readonly jobId: JobId;
}

export interface JobFilter {
  /** Only these states; null: all finished ones. */
  readonly states: readonly string[] | null;
  readonly owner: string | null;
  readonly before: JobId | null;
  readonly limit: number;
}

export interface Store {
  /** Begins a new epoch (unless read-only) and says who this foreman is. */
  readonly identity: ForemanIdentity;
  /** All or nothing, in order; what is kept is copied, instants to whole milliseconds. */
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
  readEvents(filter: {
    readonly jobId: JobId | null;
    readonly afterSeq: number;
    readonly limit: number;
  }): Promise<readonly (EventFacts & { readonly seq: number })[]>;

  /**
   * Bundles: content-addressed, in chunks of BLOB_CHUNK_BYTES. `true` is a promise for as long as the
   * store is open: the bundle stays, whichever jobs are removed, until a committed job names it.
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

  listKeys(): Promise<readonly StoredKey[]>;
  putKey(key: StoredKey): Promise<void>;

  close(): Promise<void>;
}
