/**
 * Opens `foreman.db`: settings, version, a check that is bounded in time, migrations. It leaves the
 * database as the running foreman needs it, in particular without ever waiting for a lock.
 */
import { statSync } from "node:fs";
import { openSqlDatabase, type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { checkCommitNumber, readCommitMark } from "../commit-mark.ts";
import type { StorePaths } from "../folder.ts";
import { storageBusy, storageCorrupt, storageFailed, storageFull } from "../storage-error.ts";
import { readCommitNumber } from "./commit-count.ts";
import { copyDatabase } from "./copy-database.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";
import { storageError } from "./transact.ts";

/** While it opens nobody waits for it yet, so it may wait for a backup or for another opening. */
const OPENING_BUSY_TIMEOUT_MS = 5_000;
/** A reader belongs to a command that a person waits for; it never holds up a foreman. */
const READER_BUSY_TIMEOUT_MS = 2_000;
/** Checking reads every page, at some hundred MiB a second from a cold disk. */
const WHOLE_CHECK_BYTES_MAX = 128 * 1024 * 1024;
/** Small whatever the number of tasks; checked even where the whole would take too long. */
const TABLES_ALWAYS_CHECKED = [
  "foreman",
  "api_key",
  "job",
  "assignment",
  "task_exception",
  "worker",
];
/** A write-ahead log that a long reader made large is cut back to this. */
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;

export interface OpenedDatabase {
  readonly database: SqlDatabase;
  /** The version it came from and where a copy of that lies; null when there was nothing to do. */
  readonly migrated: { readonly from: number; readonly copy: string } | null;
}

/**
 * @throws CcError `storage_corrupt`, `commits_lost`, `storage_busy`, `storage_full`,
 * `storage_failed` (74), `store_too_new` (78).
 */
export async function openForWriting(paths: StorePaths): Promise<OpenedDatabase> {
  const mark = readCommitMark(paths.commits);
  const database = await openAt(paths, { readOnly: false });
  return closingOnError(database, () => {
    database.pragma(`busy_timeout = ${OPENING_BUSY_TIMEOUT_MS}`);
    const version = readVersion(database);
    // Only a database without tables takes this over, and only before it is in WAL mode.
    if (version === 0) database.exec("pragma auto_vacuum = incremental");
    useWriteAheadLog(database);
    if (version > 0) checkQuickly(database);
    checkCommits(database, { version, mark, paths });
    const copy = version === 0 || version === SCHEMA_VERSION ? null : copyBeside(database, version);
    migrate(database, version);
    database.pragma("busy_timeout = 0");
    return { database, migrated: copy === null ? null : { from: version, copy } };
  });
}

/** @throws CcError `store_missing` (3), `store_too_old` (78) and those of `openForWriting`. */
export async function openForReading(
  paths: StorePaths,
  { olderToo = false }: { readonly olderToo?: boolean } = {},
): Promise<SqlDatabase> {
  // Before the database, which a running foreman is always ahead in.
  const mark = readCommitMark(paths.commits);
  const database = await openAt(paths, { readOnly: true });
  return closingOnError(database, () => {
    database.pragma(`busy_timeout = ${READER_BUSY_TIMEOUT_MS}`);
    const version = readVersion(database);
    // Made but not yet filled by a foreman that is just starting, unless it was filled before.
    if (version === 0) {
      checkCommits(database, { version, mark, paths });
      throw storeMissing(paths.folder);
    }
    if (version < SCHEMA_VERSION && !olderToo) throw storeTooOld(paths.folder, version);
    checkCommits(database, { version, mark, paths });
    return database;
  });
}

async function openAt(
  paths: StorePaths,
  { readOnly }: { readonly readOnly: boolean },
): Promise<SqlDatabase> {
  try {
    return await openSqlDatabase({ path: paths.database, readOnly });
  } catch (thrown) {
    const isMissing = statSync(paths.database, { throwIfNoEntry: false }) === undefined;
    if (readOnly && isMissing) throw storeMissing(paths.folder);
    throw storageError(paths.database, `open ${paths.database}`, thrown);
  }
}

function closingOnError<Result>(database: SqlDatabase, open: () => Result): Result {
  try {
    return open();
  } catch (thrown) {
    database.close();
    if (thrown instanceof CcError) throw thrown;
    const fault = sqliteFaultOf(thrown);
    if (fault === "busy") throw storageBusy(`open ${database.path}`, thrown);
    if (fault === "full") throw storageFull(`open ${database.path}`, thrown);
    throw storageError(database.path, `open ${database.path}`, thrown);
  }
}

/** The first version that counts commits. */
const VERSION_WITH_COMMITS = 2;

function checkCommits(
  database: SqlDatabase,
  facts: { readonly version: number; readonly mark: number | null; readonly paths: StorePaths },
): void {
  const { version, mark, paths } = facts;
  // One of an older program cannot be behind a mark: that program left none.
  if (version > 0 && version < VERSION_WITH_COMMITS) return;
  checkCommitNumber(version === 0 ? 0 : readCommitNumber(database), mark, paths);
}

/** The way back, should the newer program not be liked. */
function copyBeside(database: SqlDatabase, version: number): string {
  const copy = `${database.path}.v${version}-backup`;
  copyDatabase(database, copy);
  return copy;
}

function readVersion(database: SqlDatabase): number {
  const version = Number(database.pragma("user_version"));
  if (version > SCHEMA_VERSION) throw storeTooNew(database.path, version);
  return version;
}

function useWriteAheadLog(database: SqlDatabase): void {
  const mode = database.pragma("journal_mode = wal");
  if (mode !== "wal") {
    const cause = new Error("its file system allows no shared memory, as network folders do");
    throw storageFailed(`use a write-ahead log in ${database.path}`, cause);
  }
  database.exec("pragma synchronous = full");
  database.exec("pragma wal_autocheckpoint = 1000");
  database.pragma(`journal_size_limit = ${JOURNAL_BYTES_MAX}`);
}

/** Says how much it has checked. @throws CcError `storage_corrupt`. */
export function checkQuickly(database: SqlDatabase): "pages" | "small tables" {
  const isSmall = statSync(database.path).size <= WHOLE_CHECK_BYTES_MAX;
  const checks = isSmall
    ? ["quick_check(1)"]
    : TABLES_ALWAYS_CHECKED.map((table) => `quick_check(${table})`);
  for (const check of checks) {
    const result = database.pragma(check);
    if (result !== "ok") throw storageCorrupt(database.path, String(result));
  }
  return isSmall ? "pages" : "small tables";
}

/** Returns the version it came from, or null when there was nothing to do. */
export function migrate(database: SqlDatabase, version: number): number | null {
  if (version === SCHEMA_VERSION) return null;
  database.exec("begin immediate");
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`pragma user_version = ${SCHEMA_VERSION}`);
  database.exec("commit");
  return version;
}

function storeTooNew(path: string, version: number): CcError {
  return new CcError({
    code: "store_too_new",
    message: `The store ${path} has version ${version}; this program knows up to ${SCHEMA_VERSION}.`,
    hint: "Start the newer cc that last used this store, or choose another folder with --store DIR.",
    exitCode: 78,
  });
}

function storeTooOld(folder: string, version: number): CcError {
  return new CcError({
    code: "store_too_old",
    message: `The store ${folder} has version ${version}; this program reads version ${SCHEMA_VERSION}.`,
    hint: `Start a foreman on it once, which brings it up to date: cc foreman --store ${folder}`,
    exitCode: 78,
  });
}

function storeMissing(folder: string): CcError {
  return new CcError({
    code: "store_missing",
    message: `There is no store in ${folder}.`,
    hint: `A foreman makes one when it first starts: cc foreman --store ${folder}`,
    exitCode: 3,
  });
}
