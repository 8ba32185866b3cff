/**
 * How often observers are shown something new: four times a second, and less often where that would
 * cost the foreman more than about a hundredth of its time. It lets a screen stand for two seconds, and
 * for longer only where looking would take more than a fifth of that: people who look on must not be what
 * the work waits for. Nor must a foreman seem to be gone.
 */

const INTERVAL_MS_MIN = 250;
const INTERVAL_MS_MAX = 2_000;
/**
 * Of the foreman's time what is counted here may take one part in so many: with what it causes elsewhere
 * (collecting garbage, the system's own work) that stays below a hundredth.
 */
const TIME_SHARE = 150;

/** Where many look at much: so many parts of work for one of looking, also beyond two seconds. */
const WORK_SHARE_MIN = 4;
const OVERLOAD_MS_MAX = 5_000;

/** @param costMs what the last round took. */
export function pauseAfter(costMs: number): number {
  const wanted = Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, costMs * TIME_SHARE));
  return Math.max(wanted, Math.min(OVERLOAD_MS_MAX, costMs * WORK_SHARE_MIN));
}
