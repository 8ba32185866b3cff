/**
 * One write transaction: all or nothing, and how it ended. After a failure that is neither busy nor
 * full nothing is written any more: what the disk did with it is unknown (a failed fsync is not
 * repeated), so only a restart, which reads what is there, may go on.
 */
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import type { CcError } from "../../protocol/error.ts";
import { storageCorrupt, storageFailed, storageUnwritable } from "../storage-error.ts";
import type { CommitOutcome } from "../store.ts";
import type { CommitCount } from "./commit-count.ts";

/**
 * Runs `write` within a transaction; `what` completes "failed to …".
 * @throws CcError `storage_failed` or `storage_corrupt`; from then on at every call.
 */
export type Transact = (what: string, write: () => void) => CommitOutcome;

export interface TransactOptions {
  /** Counts each transaction; a database without our tables has none. */
  readonly count?: CommitCount;
  /** Nothing is written any more; `thrown` is what the driver said. */
  onBroken?(error: CcError, thrown: unknown): void;
}

export function createTransact(database: SqlDatabase, options: TransactOptions = {}): Transact {
  const { count } = options;
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const rollback = database.prepare("rollback");
  let fatal: CcError | null = null;

  function giveUp(what: string, thrown: unknown): CcError {
    fatal = storageError(database.path, what, thrown);
    options.onBroken?.(fatal, thrown);
    return fatal;
  }

  return (what, write) => {
    if (fatal) throw fatal;
    try {
      begin.run();
      write();
      count?.advance();
      commit.run();
    } catch (thrown) {
      try {
        // SQLite has rolled back by itself after some errors, such as a full disk.
        if (database.inTransaction) rollback.run();
      } catch (second) {
        throw giveUp(what, second);
      }
      const fault = sqliteFaultOf(thrown);
      if (fault === "busy" || fault === "full") return fault;
      throw giveUp(what, thrown);
    }
    count?.onCommitted();
    return "ok";
  };
}

/** The CcError of whatever a read or a write threw for good. */
export function storageError(path: string, what: string, thrown: unknown): CcError {
  const fault = sqliteFaultOf(thrown);
  if (fault === "cannot_open" || fault === "read_only") return storageUnwritable(what, thrown);
  if (fault !== "corrupt" && fault !== "not_a_database") return storageFailed(what, thrown);
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return storageCorrupt(path, detail, thrown);
}
