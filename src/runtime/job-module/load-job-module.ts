/**
 * Loads a bundle from disk and checks its exports. This runs the author's top-level code, so whoever
 * calls it is a process in which that code may run: an executor, or the submitter.
 */
import { realpath } from "node:fs/promises";
import { CcError, usageError } from "../protocol/error.ts";
import { describeThrown } from "./describe-thrown.ts";
import { findExportProblem } from "./export-problem.ts";
import { type JobModule, jobModuleOf, type ModuleNamespace } from "./job-module.ts";

/**
 * @param path absolute; a second load of the same path in one process gives the same module.
 * @throws CcError `job_file_throws` when its top level throws, or the code of what its exports lack.
 */
export async function loadJobModule(path: string): Promise<JobModule> {
  // Stack traces name the real path; what is missing is the import's to complain about.
  const real = await realpath(path).catch(() => path);
  const namespace = await importModule(real);
  const problem = findExportProblem(namespace);
  if (problem) throw usageError(problem.code, problem.sentence, problem.hint);
  return jobModuleOf(namespace, real);
}

async function importModule(path: string): Promise<ModuleNamespace> {
  try {
    // A variable, because a literal path would be bundled into the executable.
    return (await import(path)) as ModuleNamespace;
  } catch (cause) {
    const { message } = describeThrown(cause, { bundlePath: path, classifyError: undefined });
    throw new CcError({
      code: "job_file_throws",
      message: `Loading the job file threw: ${message}.`,
      exitCode: 2,
      cause,
    });
  }
}
