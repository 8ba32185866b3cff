/** Checks that what was named as a job file can be one, before anything reads it as code. */
import { realpath, stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { CcError, usageError } from "../protocol/error.ts";
import { displayPath } from "./source-location.ts";

/** What `Bun.build` takes as a module. */
export const JOB_FILE_EXTENSIONS = [
  ".ts",
  ".tsx",
  ".mts",
  ".cts",
  ".js",
  ".jsx",
  ".mjs",
  ".cjs",
] as const;

export interface EntryFile {
  /** Absolute, symbolic links resolved: what the bundler reports places in. */
  readonly path: string;
  /** As the author named it: relative to the folder they stand in, or absolute. */
  readonly namedAs: string;
}

/** @throws CcError with exit code 2 for a missing file, a folder or something that is no module. */
export async function resolveEntryFile(entryPath: string, cwd: string): Promise<EntryFile> {
  const named = resolve(cwd, entryPath);
  const facts = await stat(named).catch((cause: unknown) => {
    throw unreadable(entryPath, cause);
  });
  if (facts.isDirectory()) {
    throw usageError(
      "job_file_not_a_file",
      `${entryPath} is a folder, expected a TypeScript or JavaScript file.`,
      "Name the file: cc submit FOLDER/job.ts",
    );
  }
  if (!facts.isFile() || !isJobFileName(named)) {
    throw usageError(
      "job_file_not_a_module",
      `${entryPath} is not a TypeScript or JavaScript file, expected a name that ends in ${JOB_FILE_EXTENSIONS.join(" ")}.`,
      "To run a command instead, write: cc submit -- CMD ARG…",
    );
  }
  const path = await realpath(named);
  return { path, namedAs: displayPath(named, cwd) };
}

/** Whether a name looks like a job file's. */
export function isJobFileName(name: string): boolean {
  return (JOB_FILE_EXTENSIONS as readonly string[]).includes(extname(name).toLowerCase());
}

function unreadable(entryPath: string, cause: unknown): CcError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return usageError("job_file_not_found", `There is no file ${entryPath}.`);
  }
  return new CcError({
    code: "job_file_unreadable",
    message: `${entryPath} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
    exitCode: 2,
    cause,
  });
}
