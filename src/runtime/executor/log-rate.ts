/**
 * How much of what an attempt prints may leave at once: its first mebibyte, and then so much a second, up
 * to a mebibyte again after it was quiet. What does not leave stays a moment, and gives way to newer.
 */

export interface LogRate {
  /** True: so many bytes may leave, and are counted. */
  take(byteCount: number, nowMs: number): boolean;
  /** For another attempt. */
  reset(nowMs: number): void;
}

const BURST_BYTES = 1024 * 1024;
const BYTES_PER_MS = (256 * 1024) / 1000;

export function createLogRate(nowMs: number): LogRate {
  let credit = BURST_BYTES;
  let countedAtMs = nowMs;
  return {
    take(byteCount, atMs) {
      credit = Math.min(BURST_BYTES, credit + (atMs - countedAtMs) * BYTES_PER_MS);
      countedAtMs = atMs;
      if (credit < byteCount) return false;
      credit -= byteCount;
      return true;
    },
    reset(atMs) {
      credit = BURST_BYTES;
      countedAtMs = atMs;
    },
  };
}
