/**
 * Events with fields, one line each, for an operator and for machines. A line never holds a secret
 * key or a control character, and no field grows without bound.
 */
import type { Clock } from "./clock.ts";
import { safeLine, safeText } from "./safe-text.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "pretty" | "json";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger whose lines all carry these fields. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Takes a whole line, its newline included. */
  readonly write: (line: string) => void;
  readonly fields?: LogFields;
}

/** Longer values say nothing more to a reader of one line. */
const FIELD_CHARACTERS_MAX = 2_000;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const SECRET_KEY = /\bcc_([a-z]+)_([a-z2-7]+)_[a-z2-7]{16,}/g;

/** Events are short phrases in the present tense: `worker connects`. */
export function createLogger(options: LoggerOptions): Logger {
  const lowest = LEVELS.indexOf(options.level);
  const log = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < lowest) return;
    const format = options.format === "json" ? jsonLine : prettyLine;
    const time = new Date(options.clock.nowMs()).toISOString();
    options.write(format({ time, level, event, fields: { ...options.fields, ...fields } }));
  };
  return {
    debug: (event, fields) => log("debug", event, fields),
    info: (event, fields) => log("info", event, fields),
    warn: (event, fields) => log("warn", event, fields),
    error: (event, fields) => log("error", event, fields),
    with: (fields) => createLogger({ ...options, fields: { ...options.fields, ...fields } }),
  };
}

/** For tests and for parts that run inside a command which reports for them. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

interface LogEntry {
  readonly time: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

function jsonLine({ time, level, event, fields }: LogEntry): string {
  const record: Record<string, unknown> = { time, level, event: safeLine(withoutSecrets(event)) };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) record[snakeCase(name)] = plainValue(value);
  }
  return `${JSON.stringify(record)}\n`;
}

function prettyLine({ time, level, event, fields }: LogEntry): string {
  const parts = [time.slice(11, 23), level.padEnd(5), safeLine(withoutSecrets(event))];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${snakeCase(name)}=${prettyValue(plainValue(value))}`);
  }
  return `${parts.join(" ")}\n`;
}

function prettyValue(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  const line = safeLine(value);
  return /^[^\s"=]+$/.test(line) ? line : JSON.stringify(line);
}

/** Objects are flattened to their JSON, so that a line stays a line and its length stays bounded. */
function plainValue(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  // JSON leaves C1 controls as they are, so its lines need this too.
  return safeText(bounded(withoutSecrets(textOf(value))));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? value.message;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function bounded(text: string): string {
  if (text.length <= FIELD_CHARACTERS_MAX) return text;
  return `${text.slice(0, FIELD_CHARACTERS_MAX)}… (${text.length} characters)`;
}

const withoutSecrets = (text: string): string => text.replace(SECRET_KEY, "cc_$1_$2_***");

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
