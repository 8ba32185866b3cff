/**
 * The store of one machine: an SQLite database in a folder that one foreman writes and anybody of the
 * same account may read meanwhile. Commits are synchronous inside, since a one-row commit takes a
 * fifth of a millisecond; a lock held by another program is reported as busy and never waited for.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../platform/clock.ts";
import { type Logger, silentLogger } from "../../platform/logger.ts";
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { StoredJob, StoredState } from "../../scheduler/foreman/facts.ts";
import { type CommitMark, openCommitMark } from "../commit-mark.ts";
import { createStoreFolder, type StorePaths, storePaths } from "../folder.ts";
import { createStoreSpace, type OpenedStoreSpace, type StoreSpace } from "../reserve.ts";
import { createFold } from "../settlement-fold.ts";
import { storageBusy, storageFailed, storageFull } from "../storage-error.ts";
import type { ForemanIdentity, Store } from "../store.ts";
import { createBlobAccess, sweepUnusedBlobs } from "./blobs.ts";
import { createCommitCount, readCommitNumber } from "./commit-count.ts";
import { createFactReader, type FactReader } from "./fact-reader.ts";
import { createGroupWriter } from "./group-writer.ts";
import { createKeyAccess } from "./keys.ts";
import { acquireStoreLock, type StoreLock } from "./lock.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { migrate, openForReading, openForWriting } from "./open-database.ts";
import { createBlobPromises } from "./promised-blobs.ts";
import { createReading, snapshot } from "./reading.ts";
import { createReclaimer } from "./reclaim.ts";
import { createTransact, type Transact } from "./transact.ts";

export interface SqliteStoreOptions {
  readonly folder: string;
  /** Takes no lock, begins no epoch, writes nothing; works beside a running foreman and without one. */
  readonly readOnly: boolean;
  readonly clock: Pick<Clock, "nowMs">;
  readonly logger?: Logger;
  /** It is damaged, or its disk fails: nothing more of this store may be served. */
  onBroken?(error: CcError): void;
}

/**
 * Opens the store of a folder, which is made when missing (unless read-only).
 * @throws CcError `already_running` (75), `store_missing` (3, read-only), `store_too_new` or
 * `store_too_old` (78), `storage_corrupt`, `commits_lost`, `storage_busy`, `storage_full`,
 * `storage_failed`, `store_folder` (74).
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const paths = storePaths(options.folder);
  return options.readOnly ? openReader(paths) : openWriter(paths, options);
}

/**
 * A store in a database that the caller made and keeps (in memory, for the simulator): each call is a
 * start, with its next epoch. Closing the store leaves the database open.
 */
export function openStoreOn(database: SqlDatabase, { nowMs }: { readonly nowMs: number }): Store {
  migrate(database, Number(database.pragma("user_version")));
  const transact = createTransact(database, { count: createCommitCount(database, null) });
  const identity = beginEpoch(database, { transact, nowMs, logger: silentLogger });
  return assembleStore(database, { identity, transact, release() {} });
}

async function openReader(paths: StorePaths): Promise<Store> {
  const database = await openForReading(paths);
  const identity = database.prepare<IdentityRow>(FOREMAN_GET).get();
  return assembleStore(database, {
    identity: identityOf(identity ?? { foreman_id: "", epoch: 0 }),
    transact(what) {
      throw storageFailed(what, new Error("it is open for reading only"));
    },
    release: () => database.close(),
  });
}

async function openWriter(paths: StorePaths, options: SqliteStoreOptions): Promise<Store> {
  createStoreFolder(paths);
  const space = createStoreSpace(paths);
  try {
    return await startLocked(paths, { ...options, space });
  } catch (thrown) {
    const isFull = thrown instanceof CcError && thrown.code === "storage_full";
    // Beginning takes a few pages, which is what the reserve is for.
    if (isFull && space.releaseReserve()) return await startLocked(paths, { ...options, space });
    throw thrown;
  }
}

async function startLocked(
  paths: StorePaths,
  options: SqliteStoreOptions & { readonly space: OpenedStoreSpace },
): Promise<Store> {
  const lock = await acquireStoreLock(paths);
  try {
    return await startWriting(paths, { ...options, lock });
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

interface WriterParts extends SqliteStoreOptions {
  readonly lock: StoreLock;
  readonly space: OpenedStoreSpace;
}

/** Releases the lock with the store; what it throws leaves the lock held. */
async function startWriting(paths: StorePaths, parts: WriterParts): Promise<Store> {
  const { lock, space } = parts;
  const logger = parts.logger ?? silentLogger;
  const { database, migrated } = await openForWriting(paths);
  let mark: CommitMark | null = null;
  let hasDiskFailed = false;
  const release = (): void => {
    space.close();
    mark?.close();
    // Closing would write what is left of the log, over a disk that just failed to.
    if (!hasDiskFailed) database.close();
  };
  try {
    if (migrated !== null) logger.warn("the store was brought up to this version", { ...migrated });
    mark = openCommitMark(paths.commits, {
      commitNumber: readCommitNumber(database),
      onFailed: (cause) => logger.warn("the commit mark cannot be written", { cause }),
    });
    const transact = createTransact(database, {
      count: createCommitCount(database, mark),
      onBroken(error, thrown) {
        if (sqliteFaultOf(thrown) === "io") hasDiskFailed = true;
        parts.onBroken?.(error);
      },
    });
    const identity = beginEpoch(database, { transact, nowMs: parts.clock.nowMs(), logger });
    return assembleStore(database, {
      identity,
      transact,
      space,
      ...(parts.onBroken === undefined ? {} : { onBroken: parts.onBroken }),
      release() {
        release();
        lock.release();
      },
    });
  } catch (thrown) {
    release();
    throw thrown;
  }
}

const FOREMAN_BEGIN_EPOCH = `
  insert into foreman(one, foreman_id, epoch)
  values (1, ?, 1)
  on conflict(one) do update
  set epoch = epoch + 1
  returning foreman_id, epoch`;

const FOREMAN_GET = `
  select foreman_id, epoch
  from foreman`;

interface IdentityRow {
  readonly foreman_id: string;
  readonly epoch: number;
}

const identityOf = (row: IdentityRow): ForemanIdentity => ({
  foremanId: row.foreman_id,
  epoch: row.epoch,
});

interface EpochParts {
  readonly transact: Transact;
  readonly nowMs: number;
  readonly logger: Logger;
}

function beginEpoch(database: SqlDatabase, { transact, nowMs, logger }: EpochParts) {
  const begin = database.prepare<IdentityRow>(FOREMAN_BEGIN_EPOCH);
  let row: IdentityRow | null = null;
  let sweptCount = 0;
  const outcome = transact("begin a new epoch", () => {
    row = begin.get(randomUUID());
    sweptCount = sweepUnusedBlobs(database, nowMs);
  });
  if (outcome === "busy") throw storageBusy("begin a new epoch");
  if (outcome === "full" || row === null) throw storageFull("begin a new epoch");
  if (sweptCount > 0) logger.info("unused bundles are removed", { rowCount: sweptCount });
  return identityOf(row);
}

interface StoreParts {
  readonly identity: ForemanIdentity;
  readonly transact: Transact;
  readonly space?: StoreSpace;
  onBroken?(error: CcError): void;
  /** Closes what was opened for this store. */
  release(): void;
}

function assembleStore(database: SqlDatabase, parts: StoreParts): Store {
  const { transact } = parts;
  const promises = createBlobPromises();
  const reclaimer = createReclaimer(database, { transact, promises });
  const writer = createGroupWriter(database, { promises, reclaimer });
  const facts = createFactReader(database);
  const log = createLogReader(database);
  const blobs = createBlobAccess(database, { transact, promises });
  const keys = createKeyAccess(database, transact);
  const reading = createReading(database, parts.onBroken);
  let isClosed = false;

  /**
   * Rows of a removed job are deleted bit by bit: what was read counts only if the job is still there
   * afterwards.
   */
  const ofJob = <Found, Nothing>(
    what: string,
    jobId: JobId,
    { read, otherwise }: { read(): Found | Promise<Found>; otherwise(): Nothing },
  ): Promise<Found | Nothing> =>
    reading(what, async () => {
      const found = await read();
      return facts.hasJob(jobId) ? found : otherwise();
    });

  return {
    identity: parts.identity,
    ...(parts.space === undefined ? {} : { space: parts.space }),
    async commit(changes) {
      const outcome = transact("record a group of changes", () => writer.write(changes));
      if (outcome === "ok") {
        promises.onCommitted();
      } else {
        writer.onRolledBack();
        promises.onRolledBack();
      }
      return outcome;
    },
    load: () => reading("load its jobs", () => snapshot(database, () => loadState(facts, log))),
    readJob: (jobId) => reading("read a job", () => facts.job(jobId)),
    readStoredJob: (jobId) =>
      reading("read a job's tasks", () => readStoredJob(database, { facts, log, jobId })),
    readFold: (jobId, inputCount) =>
      ofJob("read a job's tasks", jobId, {
        read: () => log.fold(jobId, { inputCount, seq: ANY_SEQ }),
        otherwise: () => createFold(inputCount),
      }),
    listEndedJobs: (filter) => reading("list jobs", () => facts.endedJobs(filter)),
    countEndedJobs: (filter) => reading("count jobs", () => facts.countEndedJobs(filter)),
    readInputChunk: (jobId, index) =>
      ofJob("read inputs", jobId, { read: () => facts.inputChunk(jobId, index), otherwise: noRow }),
    readSettlement: (jobId, seq) =>
      ofJob("read results", jobId, { read: () => log.settlementAt(jobId, seq), otherwise: noRow }),
    readSettlements: (jobId, from) =>
      ofJob("read results", jobId, {
        read: () => log.settlementsFrom(jobId, from),
        otherwise: noRows,
      }),
    sketchSettlements: (jobId, from) =>
      ofJob("read failures", jobId, {
        read: () => log.sketchesFrom(jobId, from),
        otherwise: noRows,
      }),
    readReopened: (jobId, seq) =>
      ofJob("read a retry", jobId, { read: () => log.reopenedAt(jobId, seq), otherwise: noRow }),
    readTaskHistory: (jobId, index) =>
      ofJob("read a task's history", jobId, {
        read: () => log.taskHistory(jobId, index),
        otherwise: noRows,
      }),
    readAttemptEnds: (jobId, index, limit) =>
      ofJob("read attempts", jobId, {
        read: () => facts.attemptEnds(jobId, index, limit),
        otherwise: noRows,
      }),
    readWorker: (workerId) => reading("read a worker", () => facts.worker(workerId)),
    readEvents: (filter) => reading("read events", () => facts.events(filter)),
    readEventRange: () => reading("read events", () => facts.eventRange()),
    hasBlob: (sha256) => reading("look for a bundle", () => blobs.hasBlob(sha256)),
    putBlob: blobs.putBlob,
    readBlob: (sha256) => reading("read a bundle", () => blobs.readBlob(sha256)),
    reclaim: async (limits) => reclaimer.reclaim(limits),
    readJobBytes: (jobId) => reading("measure a job", () => facts.jobBytes(jobId)),
    readBlobBytes: (sha256) => reading("measure a bundle", () => facts.blobBytes(sha256)),
    listKeys: () => reading("list keys", keys.listKeys),
    putKey: keys.putKey,
    async close() {
      if (isClosed) return;
      isClosed = true;
      parts.release();
    },
  };
}

const noRow = (): null => null;
const noRows = (): never[] => [];
const ANY_SEQ = Number.MAX_SAFE_INTEGER;

function loadState(facts: FactReader, log: LogReader): StoredState {
  const jobs = facts.jobs();
  return {
    jobs: jobs
      .filter((job) => job.finishedAtMs === null)
      .map((job) => ({
        facts: job,
        fold: log.foldAtOnce(job.jobId, { inputCount: job.inputCount, seq: ANY_SEQ }),
        exceptions: facts.exceptions(job.jobId),
        inputChunks: facts.inputChunkSizes(job.jobId),
      })),
    ended: jobs.filter((job) => job.finishedAtMs !== null),
    assignments: facts.assignments(),
    workers: facts.workers(),
    nextJobId: facts.lastJobId() + 1,
    lastEventAtMs: facts.lastEventAtMs(),
  };
}

/** One moment of the job: the fold stops where the log ended when the other rows were read. */
async function readStoredJob(
  database: SqlDatabase,
  { facts, log, jobId }: { facts: FactReader; log: LogReader; jobId: JobId },
): Promise<StoredJob | null> {
  const moment = snapshot(database, () => {
    const job = facts.job(jobId);
    return (
      job && {
        job,
        exceptions: facts.exceptions(jobId),
        inputChunks: facts.inputChunkSizes(jobId),
        lastSeq: log.lastSeq(jobId),
      }
    );
  });
  if (!moment) return null;
  const { job, exceptions, inputChunks, lastSeq } = moment;
  const fold = await log.fold(jobId, { inputCount: job.inputCount, seq: lastSeq + 1 });
  return { facts: job, fold, exceptions, inputChunks };
}
