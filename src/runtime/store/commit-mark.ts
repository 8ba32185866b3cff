/**
 * The file `commits` beside the database: how many transactions were recorded, written after each one.
 * SQLite silently goes back to an earlier state when its write-ahead log is cut short, missing or
 * noisy; a database that counts fewer than the mark has lost what was acknowledged. The mark is never
 * synced, so it may be older than the database and never newer: it follows the sync of the log.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { CcError } from "../protocol/error.ts";
import { storageFailed } from "./storage-error.ts";

/** Holds every safe integer; of one width, so that overwriting it needs no space. */
const DIGITS = 16;
const FILE_MODE = 0o600;

export interface CommitMark {
  /** At most some microseconds. A mark that cannot be written is reported once and stays older. */
  write(commitNumber: number): void;
  close(): void;
}

/**
 * The mark of a store; null when there is none, which proves nothing.
 * @throws CcError `commit_mark_damaged` (74).
 */
export function readCommitMark(path: string): number | null {
  const text = readIfThere(path);
  // Made and not yet synced when the power failed: nothing was recorded under it.
  if (text === null || text === "") return null;
  if (!/^\d{16}\n$/.test(text)) throw markDamaged(path);
  return Number(text);
}

/**
 * Throws when the database counts fewer transactions than were acknowledged.
 * @throws CcError `commits_lost` (74).
 */
export function checkCommitNumber(
  commitNumber: number,
  mark: number | null,
  paths: { readonly database: string; readonly commits: string },
): void {
  if (mark === null || commitNumber >= mark) return;
  throw new CcError({
    code: "commits_lost",
    message: `The store ${paths.database} has lost what was acknowledged: it counts ${commitNumber} commits and ${mark} were made, as after a write-ahead log that was cut short or removed.`,
    hint: `Restore a backup into a folder of its own, or accept the loss and go on from there: rm ${paths.commits}`,
    exitCode: 74,
  });
}

/** Opens the mark for writing and makes sure that its blocks are there. */
export function openCommitMark(
  path: string,
  { commitNumber, onFailed }: { readonly commitNumber: number; onFailed(cause: unknown): void },
): CommitMark {
  const bytes = Buffer.alloc(DIGITS + 1, "\n");
  const put = (file: number, value: number): void => {
    bytes.write(String(value).padStart(DIGITS, "0"), 0, DIGITS, "latin1");
    writeSync(file, bytes, 0, bytes.byteLength, 0);
  };
  const file = openMarkFile(path, (opened) => {
    put(opened, commitNumber);
    fsyncSync(opened);
  });
  let hasFailed = false;
  return {
    write(value) {
      try {
        put(file, value);
      } catch (thrown) {
        // The commit stands: only the check at the next start knows less.
        if (!hasFailed) onFailed(thrown);
        hasFailed = true;
      }
    },
    close: () => closeSync(file),
  };
}

function openMarkFile(path: string, prepare: (file: number) => void): number {
  let file: number | null = null;
  try {
    file = openSync(path, constantsOfMark(path), FILE_MODE);
    prepare(file);
    return file;
  } catch (thrown) {
    if (file !== null) closeSync(file);
    throw storageFailed(`write ${path}`, thrown);
  }
}

/** Never truncated: what stands there is overwritten in place. */
function constantsOfMark(path: string): "r+" | "w+" {
  return readIfThere(path) === null ? "w+" : "r+";
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw storageFailed(`read ${path}`, thrown);
  }
}

function markDamaged(path: string): CcError {
  return new CcError({
    code: "commit_mark_damaged",
    message: `The file ${path} does not hold a number of commits, so nobody can tell whether the store beside it is whole.`,
    hint: `Restore a backup into a folder of its own, or trust the store as it is: rm ${path}`,
    exitCode: 74,
  });
}
