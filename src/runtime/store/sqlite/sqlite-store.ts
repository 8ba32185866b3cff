/**
 * The store of one machine: an SQLite database in a folder that one foreman writes and anybody of the
 * same account may read meanwhile. Commits are synchronous inside, since a one-row commit takes a
 * fifth of a millisecond; a lock held by another program is reported as busy and never waited for.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../platform/clock.ts";
import { type Logger, silentLogger } from "../../platform/logger.ts";
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { StoredJob, StoredState } from "../../scheduler/foreman/facts.ts";
import { createStoreFolder, type StorePaths, storePaths } from "../folder.ts";
import { storageBusy, storageFailed, storageFull } from "../storage-error.ts";
import type { ForemanIdentity, Store } from "../store.ts";
import { createBlobAccess, sweepUnusedBlobs } from "./blobs.ts";
import { createFactReader, type FactReader } from "./fact-reader.ts";
import { createGroupWriter } from "./group-writer.ts";
import { createKeyAccess } from "./keys.ts";
import { acquireStoreLock } from "./lock.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { migrate, openForReading, openForWriting } from "./open-database.ts";
import { createBlobPromises } from "./promised-blobs.ts";
import { createReading, snapshot } from "./reading.ts";
import { createTransact, type Transact } from "./transact.ts";

export interface SqliteStoreOptions {
  readonly folder: string;
  /** Takes no lock, begins no epoch, writes nothing; works beside a running foreman and without one. */
  readonly readOnly: boolean;
  readonly clock: Pick<Clock, "nowMs">;
  readonly logger?: Logger;
}

/**
 * Opens the store of a folder, which is made when missing (unless read-only).
 * @throws CcError `already_running` (75), `store_missing` (3, read-only), `store_too_new` or
 * `store_too_old` (78), `storage_corrupt`, `storage_busy`, `storage_failed`, `store_folder` (74).
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
  const transact = createTransact(database);
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
  const logger = options.logger ?? silentLogger;
  createStoreFolder(paths);
  const lock = await acquireStoreLock(paths);
  let database: SqlDatabase | null = null;
  try {
    const opened = await openForWriting(paths);
    database = opened.database;
    const { migratedFrom } = opened;
    if (migratedFrom !== null && migratedFrom > 0) logger.info("store upgrades", { migratedFrom });
    const transact = createTransact(database);
    const identity = beginEpoch(database, { transact, nowMs: options.clock.nowMs(), logger });
    const release = (): void => {
      opened.database.close();
      lock.release();
    };
    return assembleStore(database, { identity, transact, release });
  } catch (thrown) {
    database?.close();
    lock.release();
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
  /** Closes what was opened for this store. */
  release(): void;
}

function assembleStore(database: SqlDatabase, parts: StoreParts): Store {
  const { transact } = parts;
  const promises = createBlobPromises();
  const writer = createGroupWriter(database, promises);
  const facts = createFactReader(database);
  const log = createLogReader(database);
  const blobs = createBlobAccess(database, { transact, promises });
  const keys = createKeyAccess(database, transact);
  const reading = createReading(database);
  let isClosed = false;

  return {
    identity: parts.identity,
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
      reading("read a job's tasks", () => log.fold(jobId, { inputCount, seq: ANY_SEQ })),
    listEndedJobs: (filter) => reading("list jobs", () => facts.endedJobs(filter)),
    countEndedJobs: (filter) => reading("count jobs", () => facts.countEndedJobs(filter)),
    readInputChunk: (jobId, index) => reading("read inputs", () => facts.inputChunk(jobId, index)),
    readSettlement: (jobId, seq) => reading("read results", () => log.settlementAt(jobId, seq)),
    readSettlements: (jobId, from) =>
      reading("read results", () => log.settlementsFrom(jobId, from)),
    readReopened: (jobId, seq) => reading("read a retry", () => log.reopenedAt(jobId, seq)),
    readTaskHistory: (jobId, index) =>
      reading("read a task's history", () => log.taskHistory(jobId, index)),
    readAttemptEnds: (jobId, index, limit) =>
      reading("read attempts", () => facts.attemptEnds(jobId, index, limit)),
    readWorker: (workerId) => reading("read a worker", () => facts.worker(workerId)),
    readEvents: (filter) => reading("read events", () => facts.events(filter)),
    hasBlob: (sha256) => reading("look for a bundle", () => blobs.hasBlob(sha256)),
    putBlob: blobs.putBlob,
    readBlob: (sha256) => reading("read a bundle", () => blobs.readBlob(sha256)),
    listKeys: () => reading("list keys", keys.listKeys),
    putKey: keys.putKey,
    async close() {
      if (isClosed) return;
      isClosed = true;
      parts.release();
    },
  };
}

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
