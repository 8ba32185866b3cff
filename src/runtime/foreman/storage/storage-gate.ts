/**
 * What the foreman does about a full disk. New work is turned away before it is stepped, nothing new
 * is started, and what runs is still recorded, from the store's reserve; all of it goes back by itself
 * once there is room. It is a mode of its own because SQLite may take a small row after it had no room
 * for a large one.
 *
 *   open   -> full   a commit found no room, or nearly none is left when new work comes
 *   full   -> open   the reserve could be made again, and as much is free beside it
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import type { StoreSpace } from "../../store/reserve.ts";

export interface StorageGate {
  readonly isFull: boolean;
  /** Puts the reserve aside, later and bit by bit; without room for it the disk counts as full at once. */
  start(): void;
  /** The refusal that new work of so many bytes meets; null: it may come in. */
  refuseNew(byteCount: number): CcError | null;
  /** A commit found no room. True: the reserve was given up, and it may be tried at once. */
  onFull(): boolean;
  /** New work found no room where the gate thought there was; what runs needs the reserve. */
  onNoRoomForNew(): void;
  stop(): void;
}

export interface StorageGateParts {
  /** undefined: the store lies on no disk. */
  readonly space: StoreSpace | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The folder whose disk is full; null once it is not any more. */
  onChange(fullFolder: string | null): void;
}

/** Only while it is full. */
const CHECK_MS = 1_000;
/** A foreman that lives shorter than this, started for one small job, does not write a reserve. */
const FIRST_SLICE_MS = 1_000;
/** Between two pieces of the reserve, for everybody else. */
const NEXT_SLICE_MS = 5;
/** How old an answer of the file system may be; what was taken in since is counted off. */
const FREE_BYTES_AGE_MS = 100;
/** Inputs stand in the write-ahead log and then in the database. */
const BYTES_ON_DISK_FACTOR = 2;
/** A group has other rows too, and the log its frames. */
const GROUP_OVERHEAD_BYTES = 256 * 1024;
/** With less than this nothing new is begun. */
const LEFT_BYTES_MIN = 1024 * 1024;

export function createStorageGate(parts: StorageGateParts): StorageGate {
  const { space, clock, logger } = parts;
  let isFull = false;
  let timer: Timer | null = null;
  let known = { bytes: 0, atMs: Number.NEGATIVE_INFINITY };

  function enter(): void {
    arm();
    if (isFull) return;
    isFull = true;
    const folder = space?.folder ?? "";
    logger.error("the disk is full: no new work is taken until there is room", { folder });
    parts.onChange(folder);
  }

  function arm(delayMs = CHECK_MS): void {
    timer?.cancel();
    timer = clock.setTimer(delayMs, check, { holdsProcess: false });
  }

  function check(): void {
    timer = null;
    const room = lookForRoom();
    if (room === "more") arm(NEXT_SLICE_MS);
    else if (!room) enter();
    else if (isFull) leave();
  }

  function leave(): void {
    isFull = false;
    known = { bytes: 0, atMs: Number.NEGATIVE_INFINITY };
    logger.info("the disk has room again: new work is taken");
    parts.onChange(null);
  }

  function lookForRoom(): boolean | "more" {
    try {
      return space === undefined || space.restoreReserve();
    } catch (thrown) {
      logger.warn("the reserve cannot be made", { ...toCcError(thrown).toView() });
      return false;
    }
  }

  function leftBytes(from: StoreSpace): number {
    const atMs = clock.monotonicMs();
    if (atMs - known.atMs > FREE_BYTES_AGE_MS) known = { bytes: from.freeBytes(), atMs };
    return known.bytes;
  }

  return {
    get isFull() {
      return isFull;
    },
    start() {
      const room = lookForRoom();
      if (room === "more") arm(FIRST_SLICE_MS);
      else if (!room) enter();
    },
    refuseNew(byteCount) {
      if (space === undefined) return null;
      if (isFull) return storageFullRefusal(space);
      const neededBytes = byteCount * BYTES_ON_DISK_FACTOR + GROUP_OVERHEAD_BYTES;
      const left = leftBytes(space);
      if (left < LEFT_BYTES_MIN) enter();
      else if (left >= neededBytes) {
        known.bytes -= byteCount * BYTES_ON_DISK_FACTOR;
        return null;
      }
      return storageFullRefusal(space);
    },
    onFull() {
      const isReleased = space?.releaseReserve() ?? false;
      enter();
      return isReleased;
    },
    onNoRoomForNew: enter,
    stop() {
      timer?.cancel();
    },
  };
}

function storageFullRefusal(space: StoreSpace): CcError {
  const freeMiB = (space.freeBytes() / 1024 ** 2).toFixed(1);
  return new CcError({
    code: "storage_full",
    message: `The foreman's disk is full (${freeMiB} MiB free in ${space.folder}): it takes no new work; results of running tasks are still recorded.`,
    hint: `Free some space there, then try again: df -h ${space.folder}`,
    retryable: true,
    exitCode: 3,
  });
}
