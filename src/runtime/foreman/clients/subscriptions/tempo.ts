/**
 * How often observers are shown something new: four times a second, and less often where that would
 * cost the foreman more than about a hundredth of its time. It never lets a screen stand for longer
 * than two seconds.
 */

const INTERVAL_MS_MIN = 250;
const INTERVAL_MS_MAX = 2_000;
/**
 * Of the foreman's time what is counted here may take one part in so many: with what it causes elsewhere
 * (collecting garbage, the system's own work) that stays below a hundredth.
 */
const TIME_SHARE = 150;

/** @param costMs what the last round took. */
export function pauseAfter(costMs: number): number {
  return Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, costMs * TIME_SHARE));
}
