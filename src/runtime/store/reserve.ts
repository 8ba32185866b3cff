/**
 * Space put aside on the store's disk: a file `reserve` of real blocks, given up when a commit finds
 * the disk full, so that results of running tasks and cancels are still recorded. It is made again
 * once there is room for it twice, so that a disk at its brim does not flap.
 *
 *   whole      the file is there              -> given up by `release`
 *   given up   its blocks serve the database  -> whole by `restore`
 */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { storageFailed } from "./storage-error.ts";

/** Room for the results of what runs on some hundred slots. */
const RESERVE_BYTES_MAX = 32 * 1024 * 1024;
/** Of a small disk the reserve takes this part of what is free. */
const RESERVE_SHARE = 4;
/** Less would not outlast a single group of results. */
const RESERVE_BYTES_MIN = 256 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;
/** The unit of `blocks` in stat(2), whatever the file system's own. */
const STAT_BLOCK_BYTES = 512;

export interface StoreSpace {
  readonly folder: string;
  /** What an ordinary account can still write there. */
  freeBytes(): number;
  /** Gives the reserve to the disk; false when there was none. */
  releaseReserve(): boolean;
  /**
   * Makes the reserve where it is missing and there is room; whether the disk has room now.
   * @throws CcError `storage_failed` when it is not room that lacks.
   */
  restoreReserve(): boolean;
}

export function createStoreSpace(paths: {
  readonly folder: string;
  readonly reserve: string;
}): StoreSpace {
  /** What it had when it was last whole. */
  let wantedBytes = wholeBytes(paths.reserve);

  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(paths.folder);
    return bavail * bsize;
  };
  return {
    folder: paths.folder,
    freeBytes,
    releaseReserve() {
      const isThere = wholeBytes(paths.reserve) > 0;
      rmSync(paths.reserve, { force: true });
      return isThere;
    },
    restoreReserve() {
      const held = wholeBytes(paths.reserve);
      const free = freeBytes();
      const sensible = Math.min(RESERVE_BYTES_MAX, Math.floor((free + held) / RESERVE_SHARE));
      if (held > 0) {
        // One that was made on a disk at its brim grows when there is more.
        if (sensible >= 2 * held && free >= 2 * sensible) fill(paths.reserve, sensible);
        return free >= held;
      }
      if (wantedBytes === 0) wantedBytes = sensible;
      if (wantedBytes < RESERVE_BYTES_MIN || free < 2 * wantedBytes) return false;
      return fill(paths.reserve, wantedBytes);
    },
  };
}

/** 0 when the file is missing or a copy has left holes in it. */
function wholeBytes(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  // A file system that compresses may store noise in slightly less.
  return stat.blocks * STAT_BLOCK_BYTES >= stat.size * 0.9 ? stat.size : 0;
}

/** Noise, since a file system may keep zeros in no blocks at all. */
function fill(path: string, byteCount: number): boolean {
  const fresh = `${path}.new`;
  const noise = randomBytes(CHUNK_BYTES);
  try {
    const file = openSync(fresh, "w", FILE_MODE);
    try {
      for (let left = byteCount; left > 0; ) {
        left -= writeSync(file, noise, 0, Math.min(left, CHUNK_BYTES));
      }
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
    return true;
  } catch (thrown) {
    rmSync(fresh, { force: true });
    // Somebody else took the room meanwhile, or a quota ends before the disk does.
    if (isOutOfRoom(thrown)) return false;
    throw storageFailed(`put ${byteCount} bytes aside in ${path}`, thrown);
  }
}

function isOutOfRoom(thrown: unknown): boolean {
  if (!(thrown instanceof Error && "code" in thrown)) return false;
  return thrown.code === "ENOSPC" || thrown.code === "EDQUOT";
}
