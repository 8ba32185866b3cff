/**
 * How much room logs may take up: a quota for all of them, and none of a disk that is nearly full, which
 * belongs to results. What went beyond it is told in the event log, at most once a minute.
 */
import { statfsSync } from "node:fs";
import type { Clock } from "../../platform/clock.ts";
import type { StoreSpace } from "../../store/reserve.ts";

export interface LogRoom {
  /** null: no bound but the disk. */
  readonly quotaBytes: number | null;
  hasRoom(): boolean;
}

const GIB = 1024 ** 3;
const QUOTA_BYTES_MAX = 10 * GIB;
const QUOTA_SHARE = 0.1;
/** What is left to results and inputs. */
const LEFT_BYTES_MIN = 64 * 1024 * 1024;
/** How old an answer of the file system may be. */
const FREE_BYTES_AGE_MS = 1_000;

/** 10 GiB, or a tenth of a smaller disk. */
export function defaultLogQuota(folder: string): number {
  const { blocks, bsize } = statfsSync(folder);
  return Math.min(QUOTA_BYTES_MAX, Math.floor(blocks * bsize * QUOTA_SHARE));
}

export function createLogRoom(parts: {
  readonly space: StoreSpace | undefined;
  readonly quotaBytes: number | null;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** The disk is full: what runs needs all that is left. */
  isFull(): boolean;
  /** The quota is used up, and nothing can go. */
  isOverQuota(): boolean;
}): LogRoom {
  const { space, clock } = parts;
  let known = { bytes: 0, atMs: Number.NEGATIVE_INFINITY };

  function freeBytes(of: StoreSpace): number {
    const atMs = clock.monotonicMs();
    if (atMs - known.atMs > FREE_BYTES_AGE_MS) known = { bytes: of.freeBytes(), atMs };
    return known.bytes;
  }

  return {
    quotaBytes: parts.quotaBytes,
    hasRoom() {
      if (parts.isFull() || parts.isOverQuota()) return false;
      return space === undefined || freeBytes(space) >= LEFT_BYTES_MIN;
    },
  };
}
