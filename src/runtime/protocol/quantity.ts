/**
 * Reads the amounts people type: durations, sizes, shares, counts and `NAME=VALUE`. Pure; each parser
 * throws a usage error that names the option (`name`: a flag, an environment variable or a job file's
 * field), the text it got and what was expected.
 */
import { usageError } from "./error.ts";

export interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A hundred years: longer is a slip of the hand, and sums of a few stay exact integers. */
export const DURATION_MS_MAX = 36_525 * 86_400_000;

/** `250ms`, `30s`, `1h30m`, `0` -> milliseconds. A bare number is refused: nobody agrees on its unit. */
export function parseDurationMs(text: string, name: string, bounds: Bounds = {}): number {
  const clean = text.trim().toLowerCase();
  if (clean === "0") return checkBounds(0, text, name, bounds, formatMs);
  if (/^\d+(\.\d+)?$/.test(clean)) {
    throw usageError(
      "bad_duration",
      `${name}: "${text}" has no unit.`,
      `Write ${exampleOf(name, `${clean}s`)} for seconds; units are ms, s, m, h and d.`,
    );
  }
  const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;
  let totalMs = 0;
  while (part.lastIndex < clean.length) {
    const match = part.exec(clean);
    if (!match) throw notADuration(text, name);
    totalMs += Number(match[1]) * (MS_OF_UNIT[match[2] ?? ""] ?? Number.NaN);
  }
  if (clean === "") throw notADuration(text, name);
  return checkBounds(
    Math.round(totalMs),
    text,
    name,
    { min: bounds.min, max: bounds.max ?? DURATION_MS_MAX },
    formatMs,
  );
}

function notADuration(text: string, name: string): Error {
  return usageError(
    "bad_duration",
    `${name}: "${text}" is not a duration.`,
    "Write for example 250ms, 30s, 5m, 2h or 1d.",
  );
}

const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** `512M`, `4G`, `1.5GiB` -> bytes, 1024-based. A bare number other than 0 is refused. */
export function parseSizeBytes(text: string, name: string, bounds: Bounds = {}): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|(b))?$/i.exec(text.trim());
  if (!match) {
    throw usageError(
      "bad_size",
      `${name}: "${text}" is not a size.`,
      "Write for example 512M or 4G; K, M, G and T are 1024-based.",
    );
  }
  const unit = (match[2] ?? match[3])?.toLowerCase();
  const amount = Number(match[1]);
  if (unit === undefined && amount !== 0) {
    throw usageError(
      "bad_size",
      `${name}: "${text}" has no unit.`,
      `Write ${exampleOf(name, `${match[1]}M`)} for megabytes; units are B, K, M, G and T.`,
    );
  }
  const bytes = Math.round(amount * (BYTES_OF_UNIT[unit ?? "b"] ?? 1));
  return checkBounds(
    bytes,
    text,
    name,
    { min: bounds.min, max: bounds.max ?? Number.MAX_SAFE_INTEGER },
    String,
  );
}

/** A whole number within its bounds; `1e3`, `0x10` and `1.0` are refused. */
export function parseInteger(text: string, name: string, bounds: Bounds = {}): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value)) {
    throw usageError(
      "bad_number",
      `${name}: "${text}" is not a whole number${rangeText(bounds, String)}.`,
    );
  }
  return checkBounds(value, text, name, bounds, String);
}

/** A decimal number within its bounds. */
export function parseDecimal(text: string, name: string, bounds: Bounds = {}): number {
  const value = Number(text);
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text.trim()) || !Number.isFinite(value)) {
    throw usageError(
      "bad_number",
      `${name}: "${text}" is not a number${rangeText(bounds, String)}.`,
    );
  }
  return checkBounds(value, text, name, bounds, String);
}

/** `5%` -> 5, from 0% to 100%; null when the text has no per cent sign. */
export function parsePercent(text: string, name: string): number | null {
  const clean = text.trim();
  if (!clean.endsWith("%")) return null;
  return parseDecimal(clean.slice(0, -1), name, { min: 0, max: 100 });
}

/** Names that would reach an object's prototype; refused wherever a person names a key. */
const FORBIDDEN_NAMES = new Set(["__proto__", "constructor", "prototype"]);

export interface NamedText {
  readonly name: string;
  /** Null where only a name was given. */
  readonly value: string | null;
}

/** `K=V` -> name and value, split at the first `=`; without one the value is null. */
export function parseNamedText(text: string, option: string): NamedText {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "" || FORBIDDEN_NAMES.has(name)) {
    throw usageError(
      "bad_pair",
      `${option}: "${text}" has no usable name before "=".`,
      `Write ${exampleOf(option, "NAME=VALUE")}.`,
    );
  }
  return { name, value: at < 0 ? null : text.slice(at + 1) };
}

/** How the value is written where it stands: behind its flag, or quoted in a file or a variable. */
export function exampleOf(name: string, value: string): string {
  return name.startsWith("-") ? `${name} ${value}` : `"${value}"`;
}

function checkBounds(
  value: number,
  text: string,
  name: string,
  bounds: Bounds,
  show: (value: number) => string,
): number {
  const tooSmall = bounds.min !== undefined && value < bounds.min;
  const tooLarge = bounds.max !== undefined && value > bounds.max;
  if (tooSmall || tooLarge) {
    throw usageError(
      "out_of_range",
      `${name}: ${text} is out of range; expected a value${rangeText(bounds, show)}.`,
    );
  }
  return value;
}

function rangeText({ min, max }: Bounds, show: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return ` of at least ${show(min)}`;
  return max === undefined ? "" : ` of at most ${show(max)}`;
}

function formatMs(valueMs: number): string {
  for (const [unit, unitMs] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (valueMs !== 0 && valueMs % unitMs === 0) return `${valueMs / unitMs}${unit}`;
  }
  return `${valueMs}ms`;
}
