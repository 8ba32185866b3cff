/**
 * Space put aside on the store's disk: a file `reserve` of real blocks, given up when a commit finds
 * the disk full, so that results of running tasks and cancels are still recorded. It is made again
 * once there is room for it twice, so that a disk at its brim does not flap; and piece by piece, since
 * nobody may wait for 32 MiB to be written.
 *
 *   whole        the file is there              -> given up by `release`
 *   given up     its blocks serve the database  -> in the making by `restore`
 *   in the making  as `reserve.new`             -> whole, given up, or thrown away with the store
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
/** Beside the reserve; a disk with less would be full again with the next job. */
const ROOM_BYTES_MIN = 2 * 1024 * 1024;
/** Written at a time: about a millisecond. */
const SLICE_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;
/** The unit of `blocks` in stat(2), whatever the file system's own. */
const STAT_BLOCK_BYTES = 512;

export interface StoreSpace {
  readonly folder: string;
  /** What an ordinary account can still write there. */
  freeBytes(): number;
  /** Gives the reserve to the disk, also one in the making; false when there was none. */
  releaseReserve(): boolean;
  /**
   * Sees to the reserve: whether the disk has room now, or `more` while it is being made; the first
   * such answer has written nothing yet, every further call writes a little.
   * @throws CcError `storage_failed` when it is not room that lacks.
   */
  restoreReserve(): boolean | "more";
}

export interface OpenedStoreSpace extends StoreSpace {
  /** Leaves nothing half made behind. */
  close(): void;
}

interface Making {
  readonly byteCount: number;
  leftBytes: number;
  /** null: nothing is written yet. */
  file: number | null;
  /** Written again and again; a file system may keep zeros in no blocks at all. */
  readonly noise: Uint8Array;
}

/** @param freeBytesOf asks the file system unless given. */
export function createStoreSpace(
  paths: { readonly folder: string; readonly reserve: string },
  freeBytesOf: (folder: string) => number = askFreeBytes,
): OpenedStoreSpace {
  const fresh = `${paths.reserve}.new`;
  /** What it had when it was last whole; 0: it never was. */
  let wantedBytes = wholeBytes(paths.reserve);
  let making: Making | null = null;

  const freeBytes = (): number => freeBytesOf(paths.folder);

  function abandon(): void {
    const file = making?.file ?? null;
    making = null;
    if (file === null) return;
    closeSync(file);
    rmSync(fresh, { force: true });
  }

  /** Whether there is room nevertheless. */
  function giveUp(): boolean {
    abandon();
    return hasRoomBeside(wholeBytes(paths.reserve));
  }

  const begin = (byteCount: number): "more" => {
    making = { byteCount, leftBytes: byteCount, file: null, noise: randomBytes(SLICE_BYTES) };
    return "more";
  };

  const hasRoomBeside = (held: number): boolean =>
    held > 0 && freeBytes() >= Math.max(held, ROOM_BYTES_MIN);

  function lookForRoom(): boolean | "more" {
    // One that a crash left half made.
    rmSync(fresh, { force: true });
    const held = wholeBytes(paths.reserve);
    const free = freeBytes();
    const sensible = Math.min(RESERVE_BYTES_MAX, Math.floor((free + held) / RESERVE_SHARE));
    if (held > 0) {
      // One that was made on a disk at its brim grows when there is more.
      if (sensible >= 2 * held && free >= 2 * sensible) return begin(sensible);
      return hasRoomBeside(held);
    }
    const wanted = wantedBytes === 0 ? sensible : wantedBytes;
    if (wanted < RESERVE_BYTES_MIN) return false;
    return free >= wanted + Math.max(wanted, ROOM_BYTES_MIN) ? begin(wanted) : false;
  }

  /** Somebody else may take the room meanwhile, or a quota end before the disk does. */
  function writeSlice(to: Making): boolean | "more" {
    try {
      if (freeBytes() < to.leftBytes + ROOM_BYTES_MIN) return giveUp();
      to.file ??= openSync(fresh, "w", FILE_MODE);
      to.leftBytes -= writeSync(to.file, to.noise, 0, Math.min(to.leftBytes, SLICE_BYTES));
      if (to.leftBytes > 0) return "more";
      const { file } = to;
      to.file = null;
      closeSync(file);
      renameSync(fresh, paths.reserve);
      wantedBytes = to.byteCount;
      making = null;
      return true;
    } catch (thrown) {
      const hasRoom = giveUp();
      if (isOutOfRoom(thrown)) return hasRoom;
      throw storageFailed(`put ${to.byteCount} bytes aside in ${paths.reserve}`, thrown);
    }
  }

  return {
    folder: paths.folder,
    freeBytes,
    releaseReserve() {
      const isThere = wholeBytes(paths.reserve) + wholeBytes(fresh) > 0;
      abandon();
      for (const file of [fresh, paths.reserve]) rmSync(file, { force: true });
      return isThere;
    },
    restoreReserve: () => (making === null ? lookForRoom() : writeSlice(making)),
    close: abandon,
  };
}

function askFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** 0 when the file is missing or a copy has left holes in it. */
function wholeBytes(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  // A file system that compresses may store noise in slightly less.
  return stat.blocks * STAT_BLOCK_BYTES >= stat.size * 0.9 ? stat.size : 0;
}

function isOutOfRoom(thrown: unknown): boolean {
  if (!(thrown instanceof Error && "code" in thrown)) return false;
  return thrown.code === "ENOSPC" || thrown.code === "EDQUOT";
}
