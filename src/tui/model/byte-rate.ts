/** Bytes a second over the last few seconds, as something that comes in lumps. */

const WINDOW_MS = 5_000;

export interface ByteRate {
  add(bytes: number, nowMs: number): void;
  perSecond(nowMs: number): number;
}

export function createByteRate(): ByteRate {
  let lumps: { readonly atMs: number; readonly bytes: number }[] = [];
  const forget = (nowMs: number): void => {
    lumps = lumps.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
  };
  return {
    add(bytes, nowMs) {
      forget(nowMs);
      lumps.push({ atMs: nowMs, bytes });
    },
    perSecond(nowMs) {
      forget(nowMs);
      return lumps.reduce((sum, { bytes }) => sum + bytes, 0) / (WINDOW_MS / 1000);
    },
  };
}
