/**
 * A store's folder: the names in it, how it is made (nobody else may read it), and the URL that a
 * running foreman notes there for clients without an address. It never opens a database.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { CcError } from "../protocol/error.ts";

export interface StorePaths {
  readonly folder: string;
  readonly database: string;
  /** Held by the one foreman that writes here. */
  readonly lock: string;
  readonly logs: string;
  readonly artifacts: string;
  /** The URL of the foreman that runs on this store. */
  readonly url: string;
  /** How many transactions were ever recorded; see commit-mark.ts. */
  readonly commits: string;
  /** Space put aside for results when the disk is full; see reserve.ts. */
  readonly reserve: string;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** No address is longer; what is longer was not written by us. */
const URL_CHARACTERS_MAX = 2_048;

export function storePaths(folder: string): StorePaths {
  const absolute = resolve(folder);
  return {
    folder: absolute,
    database: join(absolute, "foreman.db"),
    lock: join(absolute, "lock.db"),
    logs: join(absolute, "logs"),
    artifacts: join(absolute, "artifacts"),
    url: join(absolute, "url"),
    commits: join(absolute, "commits"),
    reserve: join(absolute, "reserve"),
  };
}

/** Whether a foreman has ever kept a store in this folder. */
export function hasStore(folder: string): boolean {
  return existsSync(storePaths(folder).database);
}

/**
 * Makes the folder (0700) and its empty files (0600) where they are missing. A folder that exists
 * keeps its mode: it may be one that the user shares for other reasons.
 * @throws CcError `store_folder` (exit 74) when that is not possible.
 */
export function createStoreFolder(paths: StorePaths): void {
  try {
    mkdirSync(paths.folder, { recursive: true, mode: FOLDER_MODE });
    for (const folder of [paths.logs, paths.artifacts]) {
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    }
    // SQLite gives its -wal and -shm files the mode of the database.
    for (const file of [paths.database, paths.lock]) createPrivateFile(file);
  } catch (cause) {
    throw new CcError({
      code: "store_folder",
      message: `The store folder ${paths.folder} cannot be made: ${messageOf(cause)}.`,
      hint: "Choose a folder on a local disk that this account may write, with --store DIR.",
      exitCode: 74,
      cause,
    });
  }
}

/** Notes where the foreman of this store listens. */
export function noteUrl(folder: string, url: string): void {
  const paths = storePaths(folder);
  const fresh = `${paths.url}.${process.pid}.tmp`;
  // Renamed into place, so that a reader never sees half of it.
  writeFileSync(fresh, `${url}\n`, { mode: FILE_MODE });
  renameSync(fresh, paths.url);
}

/** The URL noted last, or null. Whether anybody still listens there is for the caller to find out. */
export function readNotedUrl(folder: string): string | null {
  try {
    const { url } = storePaths(folder);
    if (statSync(url).size > URL_CHARACTERS_MAX) return null;
    const text = readFileSync(url, "utf8").trim();
    return /^wss?:\/\/\S+$/.test(text) ? text : null;
  } catch {
    // Missing or unreadable is the same to a client: no address is known.
    return null;
  }
}

/** Called by the foreman that noted it, when it no longer listens. */
export function forgetUrl(folder: string): void {
  rmSync(storePaths(folder).url, { force: true });
}

/**
 * Never opens a file that exists: closing it would drop the POSIX locks that a store open in this
 * very process holds on it.
 */
function createPrivateFile(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, "wx", FILE_MODE));
  } catch (thrown) {
    const isThere = thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST";
    if (!isThere) throw thrown;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
