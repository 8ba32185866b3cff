/** A timer of any length: the runtime's own fires at once beyond 2^31 ms (24.8 days). */

const TIMER_MS_MAX = 2 ** 31 - 1;

/** Calls `onPassed` once after `durationMs`; the answer cancels it and may be called repeatedly. */
export function startDeadline(durationMs: number, onPassed: () => void): () => void {
  const passesAtMs = performance.now() + durationMs;
  let timer = setTimeout(check, Math.min(durationMs, TIMER_MS_MAX));
  function check(): void {
    const leftMs = passesAtMs - performance.now();
    if (leftMs <= 0) onPassed();
    else timer = setTimeout(check, Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
  }
  return () => clearTimeout(timer);
}
