/**
 * A whole and consistent copy of a database, as of one moment, while others go on writing to it: a
 * reader's snapshot, written compactly. It appears under its name only once it is on disk.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { storageBusy } from "../storage-error.ts";
import { storageError } from "./transact.ts";

const FILE_MODE = 0o600;

/**
 * Writes the copy to `target` (0600), replacing an older one there.
 * @throws CcError `storage_full`, `storage_busy`, `storage_corrupt`, `storage_failed` (74); then
 * nothing is left of it.
 */
export function copyDatabase(database: SqlDatabase, target: string): void {
  const fresh = `${target}.new`;
  try {
    requireRoom(database, target);
    rmSync(fresh, { force: true });
    // SQLite fills an empty file as it finds it, with our mode.
    closeSync(openSync(fresh, "wx", FILE_MODE));
    database.prepare("vacuum into ?").run(fresh);
    syncPath(fresh);
    renameSync(fresh, target);
    syncPath(dirname(target));
  } catch (thrown) {
    for (const suffix of ["", "-journal"]) rmSync(`${fresh}${suffix}`, { force: true });
    throw copyError(database, { target, thrown });
  }
}

/** Said before hours are spent on half of it. */
function requireRoom(database: SqlDatabase, target: string): void {
  const pages = Number(database.pragma("page_count")) - Number(database.pragma("freelist_count"));
  const neededBytes = pages * Number(database.pragma("page_size"));
  const { bavail, bsize } = statfsSync(dirname(target));
  if (bavail * bsize < neededBytes)
    throw noRoom(target, { neededBytes, freeBytes: bavail * bsize });
}

function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function copyError(
  database: SqlDatabase,
  { target, thrown }: { readonly target: string; readonly thrown: unknown },
): CcError {
  if (thrown instanceof CcError) return thrown;
  const what = `copy ${database.path} to ${target}`;
  const fault = sqliteFaultOf(thrown);
  if (fault === "busy") return storageBusy(what, thrown);
  if (fault === "full") return noRoom(target, null, thrown);
  return storageError(database.path, what, thrown);
}

function noRoom(
  target: string,
  bytes: { readonly neededBytes: number; readonly freeBytes: number } | null,
  cause?: unknown,
): CcError {
  const detail =
    bytes === null ? "" : `: it needs ${bytes.neededBytes} bytes and ${bytes.freeBytes} are free`;
  return new CcError({
    code: "storage_full",
    message: `There is no room for the copy ${target}${detail}.`,
    hint: `Free some space in ${dirname(target)}, then try again.`,
    retryable: true,
    exitCode: 74,
    cause,
  });
}
