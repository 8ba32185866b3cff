/**
 * How long to wait before dialling again: three tries within two seconds, because most losses are
 * restarts, then up to five seconds. Jittered, so that workers that lost one foreman do not return in
 * one stampede.
 */
import type { Chance } from "../platform/random.ts";

export interface Backoff {
  nextDelayMs(): number;
  /** After a connection that proved stable. */
  reset(): void;
}

interface DelayRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The first three end within two seconds whatever is drawn. */
const EARLY_DELAYS: readonly DelayRange[] = [
  { fromMs: 20, untilMs: 250 },
  { fromMs: 250, untilMs: 650 },
  { fromMs: 500, untilMs: 1_000 },
  { fromMs: 1_000, untilMs: 2_500 },
];
const LATE_DELAY: DelayRange = { fromMs: 2_500, untilMs: 5_000 };

export function createBackoff(chance: Chance): Backoff {
  let triesSoFar = 0;
  return {
    nextDelayMs() {
      const { fromMs, untilMs } = EARLY_DELAYS[triesSoFar] ?? LATE_DELAY;
      triesSoFar++;
      return fromMs + chance() * (untilMs - fromMs);
    },
    reset() {
      triesSoFar = 0;
    },
  };
}
