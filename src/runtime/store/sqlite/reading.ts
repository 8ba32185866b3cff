/** What reads have in common: errors that name the store, and snapshots of several rows. */
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { storageBusy, storageCorrupt } from "../storage-error.ts";
import { DamagedRow } from "./binary-columns.ts";
import { storageError } from "./transact.ts";

/** Runs a read; `what` completes "failed to …". */
export type Reading = <Result>(
  what: string,
  read: () => Result | Promise<Result>,
) => Promise<Result>;

/** @param onBroken hears of damage, and of a disk that cannot be read, before whoever reads does. */
export function createReading(database: SqlDatabase, onBroken?: (error: CcError) => void): Reading {
  return async (what, read) => {
    try {
      return await read();
    } catch (thrown) {
      const error = readError(database.path, what, thrown);
      if (error.code === "storage_corrupt" || sqliteFaultOf(thrown) === "io") onBroken?.(error);
      throw error;
    }
  };
}

/** Reads several rows as of one moment; `read` must not pause. */
export function snapshot<Result>(database: SqlDatabase, read: () => Result): Result {
  database.exec("begin");
  try {
    return read();
  } finally {
    database.exec("commit");
  }
}

function readError(path: string, what: string, thrown: unknown): CcError {
  if (thrown instanceof CcError) return thrown;
  if (thrown instanceof DamagedRow) return storageCorrupt(path, thrown.message, thrown);
  if (sqliteFaultOf(thrown) === "busy") return storageBusy(what, thrown);
  return storageError(path, what, thrown);
}
