/** The worker's side of a shared cell: a file that has a name only until the executor has mapped it. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createCellFile, mapCell, type SharedCell } from "../../executor/shared-cell.ts";
import { CcError } from "../../protocol/error.ts";

export interface OpenedCell {
  readonly cell: SharedCell;
  readonly path: string;
  /** Both sides have mapped it, or one never will. Repeating it changes nothing. */
  unlink(): void;
}

/** In memory where the system has such a folder, so that nothing is ever written to a disk. */
const MEMORY_FOLDER = "/dev/shm";

/** @throws CcError `worker_storage` when there is room for it in neither. */
export function openCell(fallbackFolder: string): OpenedCell {
  const name = `crowdcompute-${randomUUID()}`;
  const path = createInMemory(name) ?? createOnDisk(join(fallbackFolder, name));
  return { cell: mapCell(path), path, unlink: () => rmSync(path, { force: true }) };
}

/** Null where there is no such folder, or no room in it. */
function createInMemory(name: string): string | null {
  const path = join(MEMORY_FOLDER, name);
  try {
    createCellFile(path);
    return path;
  } catch {
    return null;
  }
}

function createOnDisk(path: string): string {
  try {
    createCellFile(path);
    return path;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CcError({
      code: "worker_storage",
      message: `The worker cannot write ${path}: ${reason}.`,
      hint: "Look at the free space there and in /dev/shm.",
      retryable: true,
      exitCode: 74,
      cause,
    });
  }
}
