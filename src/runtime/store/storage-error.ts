/**
 * The sentences a store ends with when the disk or the database fails. Every one names the path and
 * what to do; nothing here decides whether to retry: busy and full are outcomes, not errors.
 */
import { CcError } from "../protocol/error.ts";

/** A commit or read that failed for good: I/O, a broken constraint, a fault of the disk. Exit 74. */
export function storageFailed(what: string, cause: unknown): CcError {
  return new CcError({
    code: "storage_failed",
    message: `The store failed to ${what}: ${messageOf(cause)}.`,
    hint: "Check the disk and its file system (dmesg), then start the foreman again; nothing that was acknowledged is lost. If it fails again, restore a backup.",
    exitCode: 74,
    cause,
  });
}

/** The file system does not let us: mounted read-only, or files of another account. Exit 74. */
export function storageUnwritable(what: string, cause: unknown): CcError {
  return new CcError({
    code: "storage_failed",
    message: `The store failed to ${what}: ${messageOf(cause)}.`,
    hint: "Its folder and files must be this account's, on a file system that is not mounted read-only; looking needs that, too.",
    exitCode: 74,
    cause,
  });
}

/** The database is damaged or is none. Exit 74. */
export function storageCorrupt(path: string, detail: string, cause?: unknown): CcError {
  return new CcError({
    code: "storage_corrupt",
    message: `The store ${path} is damaged: ${damageText(detail)}.`,
    hint: `Restore a backup, or save what is left with: sqlite3 ${path} .recover | sqlite3 recovered.db`,
    exitCode: 74,
    cause,
  });
}

/** One line of what SQLite finds, which begins with a heading of its own. */
export function damageText(found: string): string {
  return found.replace(/^\*\*\* in database \w+ \*\*\*\s*/, "").replace(/\s*\n\s*/g, "; ");
}

/** Another program holds the write lock for longer than this request can wait. */
export function storageBusy(what: string, cause?: unknown): CcError {
  return new CcError({
    code: "storage_busy",
    message: `The store could not ${what}: another program keeps it locked.`,
    hint: "Try again when the backup or other program that has it open is done.",
    retryable: true,
    exitCode: 74,
    cause,
  });
}

/** No space is left for a write that has no other way to say so. */
export function storageFull(what: string, cause?: unknown): CcError {
  return new CcError({
    code: "storage_full",
    message: `The store could not ${what}: no space is left on its disk.`,
    hint: "Free some space, then try again.",
    retryable: true,
    exitCode: 74,
    cause,
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
