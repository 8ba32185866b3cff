/**
 * Gives user code a `console`, a `process.stdout` and a `process.stderr` that print into the attempt's log
 * instead of a descriptor, so that it is known who printed what. Nothing is loaded before something is
 * printed: most tasks never print.
 */
import type { Writable } from "node:stream";
import { LOG_STREAM_STDERR, LOG_STREAM_STDOUT } from "../protocol/messages/logs.ts";

const METHODS = [
  "log",
  "info",
  "debug",
  "warn",
  "error",
  "trace",
  "assert",
  "dir",
  "dirxml",
  "table",
  "group",
  "groupCollapsed",
  "groupEnd",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
] as const;

type ConsoleMethods = Record<(typeof METHODS)[number], (...values: unknown[]) => void>;

/** Those that print a line of their values and do nothing else. */
const LINE_METHODS: ReadonlySet<string> = new Set(["log", "info", "debug", "warn", "error"]);

/** Lasts as long as the process. `write` takes whole lines. */
export function captureConsole(write: (text: string) => void): void {
  let target: ConsoleMethods | null = null;
  const open = (): ConsoleMethods => {
    target ??= createConsole(write);
    return target;
  };
  /** Once a group has begun lines are indented, which the whole console knows how to. */
  let isPlain = true;
  const print = (name: (typeof METHODS)[number], values: unknown[]): void => {
    const line = isPlain && LINE_METHODS.has(name) ? plainLine(values) : null;
    if (line !== null) {
      write(line);
      return;
    }
    if (name.startsWith("group")) isPlain = false;
    open()[name](...values);
  };
  const replacement = Object.fromEntries(
    METHODS.map((name) => [name, (...values: unknown[]) => print(name, values)]),
  );
  Object.assign(globalThis.console, replacement);
}

/** What the console makes of texts and numbers without a format; null: it must do that itself. */
function plainLine(values: readonly unknown[]): string | null {
  let line = "";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "string") {
      if (i === 0 && value.includes("%")) return null;
    } else if (typeof value !== "boolean" && !isPlainNumber(value)) return null;
    line += i === 0 ? value : ` ${value}`;
  }
  return `${line}\n`;
}

const isPlainNumber = (value: unknown): boolean =>
  typeof value === "number" && !Object.is(value, -0);

function createConsole(write: (text: string) => void): ConsoleMethods {
  // Loaded on the first print: it costs more than the rest of an executor's start.
  const { Console } = process.getBuiltinModule("node:console");
  const sink = createSink((chunk) =>
    write(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)),
  );
  return new Console({ stdout: sink, stderr: sink }) as unknown as ConsoleMethods;
}

/** Lasts as long as the process. */
export function captureStandardStreams(
  write: (stream: number, chunk: string | Uint8Array) => void,
): void {
  const replace = (name: "stdout" | "stderr", fd: number, stream: number): void => {
    let made: Writable | null = null;
    // Assigned first: to redefine the runtime's own would make it, and that makes its descriptor non-blocking,
    // so that who writes to it past the console meets EAGAIN.
    Reflect.set(process, name, undefined);
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get() {
        made ??= createStandardStream(fd, (chunk) => write(stream, chunk));
        return made;
      },
    });
  };
  replace("stdout", 1, LOG_STREAM_STDOUT);
  replace("stderr", 2, LOG_STREAM_STDERR);
}

/** The process is not this task's alone: what one task ends, the next one writes to. */
function createStandardStream(fd: number, write: (chunk: string | Uint8Array) => void): Writable {
  const stream = createSink(write);
  const end = (...words: readonly unknown[]): Writable => {
    const [chunk] = words;
    if (typeof chunk === "string" || chunk instanceof Uint8Array) stream.write(chunk);
    const onEnd = words.find((word) => typeof word === "function") as (() => void) | undefined;
    if (onEnd !== undefined) process.nextTick(onEnd);
    return stream;
  };
  return Object.assign(stream, { fd, end, destroy: () => stream, destroySoon: () => stream });
}

function createSink(write: (chunk: string | Uint8Array) => void): Writable {
  const { Writable } = process.getBuiltinModule("node:stream");
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      write(chunk);
      done();
    },
  });
}
