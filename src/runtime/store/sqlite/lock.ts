/**
 * One foreman per folder: an exclusive transaction on `lock.db`, held for as long as the store is open.
 * The system drops it with the process, whatever ends it; nothing is ever written into the file.
 */
import { openSqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { readNotedUrl, type StorePaths } from "../folder.ts";
import { storageFull } from "../storage-error.ts";
import { storageError } from "./transact.ts";

export interface StoreLock {
  release(): void;
}

/** @throws CcError `already_running` (exit 75) when another process, or this one, has it. */
export async function acquireStoreLock(paths: StorePaths): Promise<StoreLock> {
  const database = await openSqlDatabase({ path: paths.lock, readOnly: false });
  try {
    database.exec("pragma busy_timeout = 0");
    database.exec("pragma locking_mode = exclusive");
    database.exec("begin exclusive");
  } catch (thrown) {
    database.close();
    const fault = sqliteFaultOf(thrown);
    if (fault === "busy") throw alreadyRunning(paths);
    if (fault === "full") throw storageFull(`lock its folder ${paths.folder}`, thrown);
    throw storageError(paths.lock, "lock its folder", thrown);
  }
  return { release: () => database.close() };
}

function alreadyRunning(paths: StorePaths): CcError {
  const url = readNotedUrl(paths.folder);
  const at = url === null ? "" : ` at ${url}`;
  return new CcError({
    code: "already_running",
    message: `Another foreman${at} already runs on the store ${paths.folder}.`,
    hint:
      url === null
        ? "Stop it first, or give this one a store of its own: --store DIR"
        : `Use it with --foreman ${url}, or give this one a store of its own: --store DIR`,
    exitCode: 75,
  });
}
