/**
 * Whether a folder's disk has room left. Looks only, and never writes: a healthy disk is not touched
 * for the sake of knowing that it is healthy.
 */
import { statfsSync } from "node:fs";

/** Less is trouble: code, inputs and a task's first files need as much. */
const FREE_BYTES_MIN = 16 * 1024 * 1024;
/** Of a small disk it is this part, so that a disk of few megabytes can be used at all. */
const FREE_PART_MIN = 1 / 64;

export interface FreeSpaceOptions {
  /** It takes twice as much to leave trouble as to get into it, so that the answer does not flutter. */
  readonly wasInTrouble?: boolean;
}

/** Null: there is room, or nobody can tell. Otherwise what is wrong, with the path and the free bytes. */
export function findSpaceTrouble(folder: string, options: FreeSpaceOptions = {}): string | null {
  let facts: ReturnType<typeof statfsSync>;
  try {
    facts = statfsSync(folder);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === "ENOENT" ? `${folder} is gone` : null;
  }
  const { bsize, blocks, bavail, files, ffree } = facts;
  const freeBytes = bavail * bsize;
  const bytesMin = Math.min(FREE_BYTES_MIN, blocks * bsize * FREE_PART_MIN);
  const wanted = options.wasInTrouble ? 2 * bytesMin : bytesMin;
  if (blocks > 0 && freeBytes < wanted) {
    return `the disk of ${folder} has ${formatFree(freeBytes)} free`;
  }
  // Where files are not counted, both numbers are 0.
  return files > 0 && ffree === 0 ? `the disk of ${folder} has no free inodes` : null;
}

function formatFree(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kibibytes = bytes / 1024;
  return kibibytes < 1024 ? `${Math.floor(kibibytes)} KiB` : `${Math.floor(kibibytes / 1024)} MiB`;
}
