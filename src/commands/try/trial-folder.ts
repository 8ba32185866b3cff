/**
 * The folder in which a trial keeps code, inputs and scratch. `cc try` leaves Ctrl-C to the system
 * while a function runs, because no handler would be heard by one that never pauses; what such an end
 * leaves behind is removed by the next trial of the same account.
 */
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CcError } from "../../runtime/protocol/error.ts";

export interface TrialFolder {
  /** Its real path, because that is what stack traces name. */
  readonly path: string;
  /** A fresh folder inside. */
  createFolder(name: string): string;
  remove(): void;
}

const PREFIX = "cc-try-";

/** @throws CcError `no_temporary_folder` */
export function createTrialFolder(): TrialFolder {
  let path: string;
  try {
    removeAbandoned();
    path = realpathSync(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  } catch (cause) {
    throw new CcError({
      code: "no_temporary_folder",
      message: `No file can be written to ${tmpdir()}, where a task is tried.`,
      hint: "Set TMPDIR to a folder that can be written.",
      exitCode: 2,
      cause,
    });
  }
  return {
    path,
    createFolder: (name) => mkdtempSync(join(path, `${name}-`)),
    remove: () => removeTree(path),
  };
}

function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    // A shared folder holds those of other accounts, too.
    if (statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.()) removeTree(path);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The task took its own permissions away; it is in a temporary folder, and in nobody's way.
  }
}
