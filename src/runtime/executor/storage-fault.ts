/**
 * Tells a disk of the worker's that is full from a fault of the author's: what was thrown must say that
 * there was no space, and the disk of the scratch folder must have none.
 */
import { findSpaceTrouble } from "../platform/free-space.ts";
import type { Failure } from "../protocol/failure.ts";

/** Errors that wrap errors; a cycle ends here too. */
const CAUSES_MAX = 5;

/** What the author's own `classifyError` has judged stays as it is. */
export function blameStorage(failure: Failure, thrown: unknown, scratchFolder: string): Failure {
  if (failure.code !== "error" || failure.permanent || !saysNoSpace(thrown)) return failure;
  const trouble = findSpaceTrouble(scratchFolder);
  if (trouble === null) return failure;
  return { ...failure, code: "worker_storage", message: `${failure.message} (${trouble})` };
}

function saysNoSpace(thrown: unknown): boolean {
  let error: unknown = thrown;
  for (let depth = 0; depth < CAUSES_MAX; depth++) {
    if (!(error instanceof Error)) return false;
    try {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return true;
      error = error.cause;
    } catch {
      // A getter of the author's that throws: nobody knows.
      return false;
    }
  }
  return false;
}
