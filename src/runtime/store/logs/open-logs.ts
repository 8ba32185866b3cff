/**
 * Opens `logs/logs.db` of a store, or logs in memory. Logs are not results: where the file cannot be used
 * (damaged, of a newer program), it is set aside under a name that says so, and new logs begin.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { openSqlDatabase, type SqlDatabase } from "../../platform/sqlite-driver.ts";
import { storePaths } from "../folder.ts";
import { LOG_SCHEMA, LOG_SCHEMA_VERSION } from "./log-statements.ts";
import type { LogStore } from "./log-store.ts";
import { createSqliteLogStore, logsBroken } from "./sqlite-log-store.ts";

export interface OpenedLogs {
  readonly store: LogStore;
  /** What was found and set aside; null: nothing had to be. */
  readonly setAside: { readonly path: string; readonly reason: string } | null;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Checking reads every page; a larger one is looked at as it is used. */
const WHOLE_CHECK_BYTES_MAX = 64 * 1024 * 1024;
/** A quarter of SQLite's own: a checkpoint waits for the disk. */
const CHECKPOINT_PAGES = 256;
const JOURNAL_BYTES_MAX = 16 * 1024 * 1024;
/** A reader belongs to a command that a person waits for. */
const READER_BUSY_TIMEOUT_MS = 2_000;

export const logsFile = (storeFolder: string): string =>
  join(storePaths(storeFolder).logs, "logs.db");

/** @throws CcError `logs_broken` when not even new logs can be begun. */
export async function openLogsForWriting(storeFolder: string): Promise<OpenedLogs> {
  const path = logsFile(storeFolder);
  try {
    return { store: createSqliteLogStore(await openWriter(path)), setAside: null };
  } catch (thrown) {
    const { message } = logsBroken(path, "open it", thrown);
    const aside = setLogsAside(path);
    if (aside === null) throw logsBroken(path, "open it", thrown);
    const store = createSqliteLogStore(await openWriter(path));
    return { store, setAside: { path: aside, reason: message } };
  }
}

/** null: there are none, or none that can be read. */
export async function openLogsForReading(storeFolder: string): Promise<LogStore | null> {
  const path = logsFile(storeFolder);
  if (!existsSync(path)) return null;
  let database: SqlDatabase | null = null;
  try {
    database = await openSqlDatabase({ path, readOnly: true });
    database.pragma(`busy_timeout = ${READER_BUSY_TIMEOUT_MS}`);
    if (Number(database.pragma("user_version")) !== LOG_SCHEMA_VERSION) {
      throw new Error("they are of another version");
    }
    return createSqliteLogStore(database);
  } catch {
    database?.close();
    return null;
  }
}

/** For a foreman whose store lies in memory. */
export async function openLogsInMemory(): Promise<LogStore> {
  const database = await openSqlDatabase({ path: ":memory:", readOnly: false });
  database.exec("pragma auto_vacuum = incremental");
  database.exec(LOG_SCHEMA);
  return createSqliteLogStore(database);
}

/** The newest that was set aside is kept. null: there was nothing. */
export function setLogsAside(path: string): string | null {
  if (!existsSync(path)) return null;
  const aside = `${path}.damaged`;
  for (const suffix of ["", "-wal", "-shm"]) {
    rmSync(`${aside}${suffix}`, { force: true });
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`);
  }
  return aside;
}

/** What is wrong with them: one line, or null. Reads every page. */
export async function examineLogs(storeFolder: string): Promise<LogsExamination> {
  const path = logsFile(storeFolder);
  const byteCount = statSync(path, { throwIfNoEntry: false })?.size ?? null;
  if (byteCount === null) return { path, byteCount: 0, problem: null };
  let database: SqlDatabase | null = null;
  try {
    database = await openSqlDatabase({ path, readOnly: true });
    database.pragma(`busy_timeout = ${READER_BUSY_TIMEOUT_MS}`);
    const found = database.pragma("integrity_check(1)");
    return { path, byteCount, problem: found === "ok" ? null : String(found) };
  } catch (thrown) {
    return { path, byteCount, problem: thrown instanceof Error ? thrown.message : String(thrown) };
  } finally {
    database?.close();
  }
}

export interface LogsExamination {
  readonly path: string;
  readonly byteCount: number;
  readonly problem: string | null;
}

async function openWriter(path: string): Promise<SqlDatabase> {
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  // SQLite fills an empty file as it finds it, with our mode.
  if (!existsSync(path)) closeSync(openSync(path, "wx", FILE_MODE));
  const database = await openSqlDatabase({ path, readOnly: false });
  try {
    // Nobody waits for it yet; a command that reads may be at it.
    database.pragma("busy_timeout = 1000");
    const version = Number(database.pragma("user_version"));
    if (version === 0) database.exec("pragma auto_vacuum = incremental");
    else if (version !== LOG_SCHEMA_VERSION) throw new Error(`its version is ${version}`);
    if (database.pragma("journal_mode = wal") !== "wal") throw new Error("no write-ahead log");
    database.exec("pragma synchronous = normal");
    database.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma(`journal_size_limit = ${JOURNAL_BYTES_MAX}`);
    if (version === 0) database.exec(`begin; ${LOG_SCHEMA} commit;`);
    else checkQuickly(database);
    database.pragma("busy_timeout = 0");
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function checkQuickly(database: SqlDatabase): void {
  if (statSync(database.path).size > WHOLE_CHECK_BYTES_MAX) return;
  const found = database.pragma("quick_check(1)");
  if (found !== "ok") throw new Error(String(found));
}
