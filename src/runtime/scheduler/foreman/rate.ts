/** How many tasks a second were settled lately: a small ring of seconds, no list of instants. */
import { RATE_SECONDS, type RateRing } from "./state.ts";

const WINDOW_SECONDS = 10;
/** Over a shorter time a rate says nothing. */
const ELAPSED_MS_MIN = 250;

export function countSettled(ring: RateRing, atMs: number, count: number): void {
  const second = Math.floor(atMs / 1000);
  const gap = second - ring.second;
  if (gap >= RATE_SECONDS || ring.sinceMs === null) {
    ring.counts.fill(0);
    ring.sinceMs = atMs;
  } else {
    for (let i = 1; i <= gap; i++) ring.counts[(ring.second + i) % RATE_SECONDS] = 0;
  }
  ring.second = Math.max(ring.second, second);
  const slot = second % RATE_SECONDS;
  ring.counts[slot] = (ring.counts[slot] as number) + count;
}

/** Settled tasks a second over the last ten seconds; null while there is nothing to tell. */
export function ratePerSecond(ring: RateRing, nowMs: number): number | null {
  if (ring.sinceMs === null) return null;
  const second = Math.floor(nowMs / 1000);
  const firstSecond = second - WINDOW_SECONDS + 1;
  const sinceMs = Math.max(ring.sinceMs, firstSecond * 1000);
  const elapsedMs = nowMs - sinceMs;
  if (elapsedMs < ELAPSED_MS_MIN || ring.second < firstSecond) return null;
  let count = 0;
  for (let at = firstSecond; at <= ring.second; at++) {
    if (at > ring.second - RATE_SECONDS) count += ring.counts[at % RATE_SECONDS] as number;
  }
  return (count * 1000) / elapsedMs;
}
