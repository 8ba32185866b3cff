/**
 * Gives user code a `console` that prints into the attempt's kept output instead of a descriptor.
 * Nothing is loaded before something is printed: most tasks never print.
 */

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

/** Lasts as long as the process. `write` takes whole lines. */
export function captureConsole(write: (text: string) => void): void {
  let target: ConsoleMethods | null = null;
  const open = (): ConsoleMethods => {
    target ??= createConsole(write);
    return target;
  };
  const replacement = Object.fromEntries(
    METHODS.map((name) => [name, (...values: unknown[]) => open()[name](...values)]),
  );
  Object.assign(globalThis.console, replacement);
}

function createConsole(write: (text: string) => void): ConsoleMethods {
  // Loaded on the first print: it costs more than the rest of an executor's start.
  const { Console } = process.getBuiltinModule("node:console");
  const { Writable } = process.getBuiltinModule("node:stream");
  const sink = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      write(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
      done();
    },
  });
  return new Console({ stdout: sink, stderr: sink }) as unknown as ConsoleMethods;
}
