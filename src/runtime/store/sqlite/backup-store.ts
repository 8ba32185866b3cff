/**
 * A copy of a store in a folder of its own, taken while a foreman may be writing to it: one moment of
 * it, whole and checked. It holds neither lock nor mark nor address, so it starts as a store by itself.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { type StorePaths, storePaths } from "../folder.ts";
import { copyOutputs } from "../output-files.ts";
import { copyDatabase } from "./copy-database.ts";
import { examineStore } from "./examine-store.ts";
import { checkQuickly, openForReading } from "./open-database.ts";
import { SCHEMA_VERSION } from "./schema.ts";

export interface StoreBackup {
  /** Absolute. */
  readonly store: string;
  readonly target: string;
  readonly byteCount: number;
  /** Rows that contradict each other, in the store as in its copy; what can be read is worth keeping. */
  readonly problems: readonly string[];
}

/**
 * @param target a folder that does not exist yet, or is empty.
 * @throws CcError `backup_folder` (64), `store_missing` (64), `store_too_new` (78), `storage_full`,
 * `storage_corrupt`, `commits_lost`, `storage_busy`, `storage_failed` (74); the target is then as it
 * was before.
 */
export async function backupStore(folder: string, target: string): Promise<StoreBackup> {
  const from = storePaths(folder);
  const to = storePaths(target);
  const isNew = prepareFolder(to);
  try {
    const version = await copyInto(from, to);
    const outputBytes = await copyOutputs(from.artifacts, to.artifacts);
    // A copy is needed on the worst of days, so it is looked at on this one.
    const problems =
      version === SCHEMA_VERSION ? (await examineStore(to.folder, { whole: true })).problems : [];
    const byteCount = statSync(to.database).size + outputBytes;
    return { store: from.folder, target: to.folder, byteCount, problems };
  } catch (thrown) {
    for (const name of readdirSync(to.folder)) rmSync(join(to.folder, name), { recursive: true });
    if (isNew) rmSync(to.folder, { recursive: true });
    throw thrown;
  }
}

async function copyInto(from: StorePaths, to: StorePaths): Promise<number> {
  const database = await openSource(from);
  try {
    checkQuickly(database);
    // Here and once more at the end: what a result in the copy names must be there with it.
    await copyOutputs(from.artifacts, to.artifacts);
    copyDatabase(database, to.database);
    return Number(database.pragma("user_version"));
  } finally {
    database.close();
  }
}

async function openSource(from: StorePaths): Promise<SqlDatabase> {
  try {
    return await openForReading(from, { olderToo: true });
  } catch (thrown) {
    if (!(thrown instanceof CcError) || thrown.code !== "store_missing") throw thrown;
    const { code, message } = thrown;
    throw new CcError({ code, message, hint: "Name the store with --store DIR.", exitCode: 64 });
  }
}

/** Whether the folder was made here. */
function prepareFolder({ folder }: StorePaths): boolean {
  if (!existsSync(folder)) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return true;
    } catch (cause) {
      throw refusedFolder(folder, `cannot be made: ${String(cause)}`, cause);
    }
  }
  if (!statSync(folder).isDirectory()) throw refusedFolder(folder, "is a file");
  if (readdirSync(folder).length > 0) throw refusedFolder(folder, "is not empty");
  return false;
}

function refusedFolder(folder: string, what: string, cause?: unknown): CcError {
  return new CcError({
    code: "backup_folder",
    message: `The folder ${folder} for the backup ${what}.`,
    hint: "Name a folder that does not exist yet: cc foreman --backup DIR",
    exitCode: 64,
    cause,
  });
}
