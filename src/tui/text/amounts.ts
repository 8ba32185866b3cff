/** How amounts look to a person. Pure; JSON output never uses it. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `340ms`, `4.2s`, `42s`, `1m10s`, `56 min`, `3h05m`, `2d4h`: two places at most, whatever the size. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "?";
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  if (durationMs < 0.9995)
    return durationMs === 0 ? "0ms" : `${Math.max(1, Math.round(durationMs * 1000))}µs`;
  if (durationMs < 999.5) return `${Math.round(durationMs)}ms`;
  if (durationMs < 9_950) return `${(durationMs / SECOND_MS).toFixed(1)}s`;
  if (durationMs < 59_500) return `${Math.round(durationMs / SECOND_MS)}s`;
  if (durationMs < 10 * MINUTE_MS - 500)
    return twoUnits(durationMs, [MINUTE_MS, "m"], [SECOND_MS, "s"], 2);
  if (durationMs < 2 * HOUR_MS - 30_000) return `${Math.round(durationMs / MINUTE_MS)} min`;
  if (durationMs < 2 * DAY_MS - 30_000)
    return twoUnits(durationMs, [HOUR_MS, "h"], [MINUTE_MS, "m"], 2);
  return twoUnits(durationMs, [DAY_MS, "d"], [HOUR_MS, "h"], 1);
}

type Unit = readonly [number, string];

function twoUnits(
  durationMs: number,
  [largeMs, large]: Unit,
  [smallMs, small]: Unit,
  digits: number,
): string {
  const smallCount = Math.round(durationMs / smallMs);
  const perLarge = largeMs / smallMs;
  const rest = String(smallCount % perLarge).padStart(digits, "0");
  return `${Math.floor(smallCount / perLarge)}${large}${rest}${small}`;
}

/** `9,999`, then `78.1k`, `3.4M`: exact while a person would count, rounded beyond. */
export function formatCount(count: number): string {
  const size = Math.abs(count);
  if (size < 10_000) return formatExactCount(count);
  return formatScaled(count, ["", "k", "M", "G", "T"], 1000);
}

/** `1,234,567`: every digit, grouped. */
export function formatExactCount(count: number): string {
  const [whole = "0", fraction] = String(count).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `812 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) < 1024) return `${Math.round(bytes)} B`;
  return formatScaled(bytes, [" B", " KiB", " MiB", " GiB", " TiB", " PiB"], 1024);
}

/** `152 k/s` style rates: three digits at most. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 1000) return `${formatScaled(perSecond, ["", "k", "M", "G"], 1000)}/s`;
  return `${perSecond >= 10 ? Math.round(perSecond) : Number(perSecond.toFixed(1))}/s`;
}

function formatScaled(amount: number, suffixes: readonly string[], base: number): string {
  let scaled = amount;
  let step = 0;
  // 999.95 would be shown as 1000.0; it belongs to the next suffix.
  while (Math.abs(scaled) >= base - 0.05 && step < suffixes.length - 1) {
    scaled /= base;
    step += 1;
  }
  const digits = Math.abs(scaled) >= 99.95 ? 0 : 1;
  return `${scaled.toFixed(digits)}${suffixes[step] ?? ""}`;
}

/** `1 task`, `2 tasks`, `9,999 tasks`. */
export function formatPlural(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatExactCount(count)} ${count === 1 ? singular : plural}`;
}

/** `12s ago`, `3h05m ago`; the future is `in 12s`. */
export function formatAge(atMs: number, nowMs: number): string {
  const ageMs = nowMs - atMs;
  return ageMs < 0 ? `in ${formatDuration(-ageMs)}` : `${formatDuration(ageMs)} ago`;
}
