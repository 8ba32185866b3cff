/** The worker's side of a shared cell: a file that has a name only until the executor has mapped it. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, rmSync } from "node:fs";
import { join } from "node:path";
import { createCellFile, mapCell, type SharedCell } from "../../executor/shared-cell.ts";

export interface OpenedCell {
  readonly cell: SharedCell;
  readonly path: string;
  /** Both sides have mapped it, or one never will. Repeating it changes nothing. */
  unlink(): void;
}

/** In memory where the system has such a folder, so that nothing is ever written to a disk. */
const MEMORY_FOLDER = "/dev/shm";

export function openCell(fallbackFolder: string): OpenedCell {
  const name = `crowdcompute-${randomUUID()}`;
  const path = join(isWritable(MEMORY_FOLDER) ? MEMORY_FOLDER : fallbackFolder, name);
  createCellFile(path);
  return { cell: mapCell(path), path, unlink: () => rmSync(path, { force: true }) };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
