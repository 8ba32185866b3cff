/**
 * Amounts for columns: short forms that keep within a few cells whatever their size, so that a growing
 * number never moves its neighbours. Nothing known is `--`, an estimate begins with `~`. Beside amounts.ts,
 * which is for sentences.
 */

export const UNKNOWN = "--";

type Amount = number | null | undefined;

const isKnown = (amount: Amount): amount is number =>
  amount !== null && amount !== undefined && Number.isFinite(amount);

/** `0` … `9999`, `21.5k`, `100k`, `1.25M`: five cells at most below 10^18. */
export function shortCount(count: Amount): string {
  if (!isKnown(count)) return UNKNOWN;
  if (Math.abs(count) < 9_999.5) return String(Math.round(count));
  return scaled(count, ["k", "M", "G", "T", "P"], 1000);
}

/** A rate a second without its unit: `0`, `0.04`, `3.2`, `150`, `1.84k`. */
export function shortRate(perSecond: Amount): string {
  if (!isKnown(perSecond)) return UNKNOWN;
  const size = Math.abs(perSecond);
  if (size < 0.005) return "0";
  if (size < 0.095) return perSecond.toFixed(2);
  if (size < 9.95) return perSecond.toFixed(1).replace(/\.0$/, "");
  if (size < 999.5) return String(Math.round(perSecond));
  return scaled(perSecond, ["k", "M", "G", "T"], 1000);
}

/** `812B`, `410M`, `3.1G`: powers of 1024. */
export function shortBytes(bytes: Amount): string {
  if (!isKnown(bytes)) return UNKNOWN;
  if (Math.abs(bytes) < 999.5) return `${Math.round(bytes)}B`;
  return scaled(bytes, ["K", "M", "G", "T", "P"], 1024);
}

const DAY = 86_400;

/** `180ms`, `9.2s`, `42s`, `1m10s`, `3h05m`, `2d04h`, `140d`: six cells at most below 300 years. */
export function shortSeconds(seconds: Amount): string {
  if (!isKnown(seconds)) return UNKNOWN;
  if (seconds < 0) return `-${shortSeconds(-seconds)}`;
  if (seconds === 0) return "0s";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))}ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 59.5) return `${Math.round(seconds)}s`;
  if (seconds < 3_599.5) return twoPlaces(seconds, 60, ["m", "s"], 60);
  if (seconds < DAY - 30) return twoPlaces(seconds, 3_600, ["h", "m"], 60);
  if (seconds < 99.5 * DAY) return twoPlaces(seconds, DAY, ["d", "h"], 24);
  return `${Math.round(seconds / DAY)}d`;
}

/** For what is counted in whole seconds: `3s`, `1m10s`. */
export const wholeSeconds = (seconds: number): string =>
  seconds < 60 ? `${Math.max(0, Math.floor(seconds))}s` : shortSeconds(seconds);

/** `97%`, `4%`: where a tenth says nothing. */
export const wholePercent = (percent: Amount): string =>
  isKnown(percent) ? `${Math.round(percent)}%` : UNKNOWN;

/** `97%`, `0.2%`, `<0.1%`; 100 % is said only when it is all. */
export function shortPercent(percent: Amount): string {
  if (!isKnown(percent)) return UNKNOWN;
  if (percent <= 0) return "0%";
  if (percent < 0.05) return "<0.1%";
  if (percent < 9.95) return `${percent.toFixed(1)}%`;
  if (percent < 100) return `${Math.min(99, Math.round(percent))}%`;
  return `${Math.round(percent)}%`;
}

/** `~13s`; what is unknown stays `--`. */
export function estimate(text: string): string {
  return text === UNKNOWN ? text : `~${text}`;
}

/** When it may be done: `~13s`, `~1m10s`, `~12m`, `~3h05m`, `~12h`; an estimate has no more than two places. */
export function shortEstimate(seconds: Amount): string {
  if (!isKnown(seconds)) return UNKNOWN;
  if (seconds >= 599.5 && seconds < 3_570) return `~${Math.round(seconds / 60)}m`;
  if (seconds >= 35_970 && seconds < DAY - 1_800) return `~${Math.round(seconds / 3_600)}h`;
  // What is nearly an hour or a day is one.
  const unit = seconds < 3_570 ? 1 : seconds < 35_970 ? 60 : 3_600;
  return estimate(shortSeconds(unit === 1 ? seconds : Math.round(seconds / unit) * unit));
}

/** `14:22:07` by the clock of the person who looks. */
export function clockTime(atMs: number): string {
  return `${clockMinutes(atMs)}:${two(new Date(atMs).getSeconds())}`;
}

/** `14:22`. */
export function clockMinutes(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(at.getTime()) ? UNKNOWN : `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Of an instant as the protocol writes it; `--` for what is none. */
export function instantTime(instant: string | null): string {
  const atMs = instant === null ? Number.NaN : Date.parse(instant);
  return Number.isNaN(atMs) ? UNKNOWN : clockTime(atMs);
}

const two = (amount: number) => String(amount).padStart(2, "0");

function twoPlaces(
  seconds: number,
  largeSeconds: number,
  [large, small]: readonly [string, string],
  perLarge: number,
): string {
  const smallCount = Math.round((seconds / largeSeconds) * perLarge);
  return `${Math.floor(smallCount / perLarge)}${large}${two(smallCount % perLarge)}${small}`;
}

/** Three digits and a suffix; `10k` rather than `10.0k` when that is all of it. */
function scaled(amount: number, suffixes: readonly string[], base: number): string {
  let rest = amount;
  let step = -1;
  do {
    rest /= base;
    step += 1;
  } while (Math.abs(rest) >= 999.5 && step < suffixes.length - 1);
  const size = Math.abs(rest);
  const digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  const text = Number.isInteger(rest)
    ? String(rest)
    : rest.toFixed(base === 1024 ? Math.min(digits, 1) : digits);
  return `${text}${suffixes[step] ?? ""}`;
}
