/**
 * Owns the terminal from entering to leaving, whatever happens in between: a key, a signal, a fault of ours, a
 * terminal that goes away. It leaves exactly once, and what it leaves is the screen, the cursor and the line
 * discipline that were there before. Only SIGKILL can prevent that.
 */
import { writeSync } from "node:fs";
import { createTerminalOutput, type TerminalOutput, type TerminalSize } from "./terminal-output.ts";

export type StopSignal = "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT";

export type Ending =
  | { readonly kind: "quit" }
  | { readonly kind: "signal"; readonly signal: StopSignal }
  | { readonly kind: "crash"; readonly error: unknown }
  /** Nobody is there any more: the terminal was closed. */
  | { readonly kind: "gone" };

export interface LifecycleParts {
  readonly usesAlternateScreen: boolean;
  /** The window changed, or was said to: everything is drawn anew. */
  onResize(size: TerminalSize): void;
  /** Asked for by SIGTSTP from outside. */
  onSuspend(): void;
  /** Going on after a stop that we did not arrange (SIGSTOP). */
  onContinue(): void;
  /** Once, before the terminal is given back: stops drawing and reading keys. */
  onLeave(): void;
  readonly note: (what: string) => void;
}

export interface Lifecycle {
  readonly output: TerminalOutput;
  readonly size: () => TerminalSize;
  /** Resolves when the terminal has been given back. */
  readonly ended: Promise<Ending>;
  /** The first one counts. */
  end(ending: Ending): void;
  /** Between these the terminal is somebody else's; SIGINT is theirs, too. */
  lend(): void;
  takeBack(): void;
}

const STDOUT = 1;
const ESCAPE = String.fromCharCode(27);
/** The wheel sends arrows, and text can still be selected; what it was is kept for the end. */
const ENTER_EXTRAS = `${ESCAPE}[?1007s${ESCAPE}[?1007h`;
const LEAVE_EXTRAS = `${ESCAPE}[?1007r`;
const RESTORE = `${ESCAPE}[?2026l${LEAVE_EXTRAS}${ESCAPE}[?2004l`;
const LEAVE_SCREEN = `${ESCAPE}[?1049l`;
const SHOW_CURSOR = `${ESCAPE}[?25h${ESCAPE}[0m`;

const STOP_SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"];
/** A terminal that does not read is left as it is after so long. */
const FLUSH_MS = 300;

export function enterTerminal(parts: LifecycleParts): Lifecycle {
  const ended = Promise.withResolvers<Ending>();
  const { stdin, stdout } = process;
  const handlers: [NodeJS.EventEmitter, string, (word: unknown) => void][] = [];
  let ending: Ending | null = null;
  let hasLeft = false;
  let isLent = false;
  const output = createTerminalOutput({
    fd: STDOUT,
    size: readSize(),
    onGone: () => end({ kind: "gone" }),
  });

  function end(wanted: Ending): void {
    if (ending !== null) {
      // Impatient: the second signal does not wait for the terminal.
      if (wanted.kind === "signal") leaveNow();
      return;
    }
    ending = wanted;
    parts.note(`ending: ${wanted.kind}`);
    void leave(wanted);
  }

  async function leave(reason: Ending): Promise<void> {
    attempt(() => output.mute());
    attempt(() => parts.onLeave());
    attempt(() => stdin.setRawMode(false));
    output.write(restoreText());
    if (reason.kind !== "gone") await output.flush(FLUSH_MS);
    hasLeft = true;
    for (const [emitter, event, handler] of handlers) emitter.off(event, handler);
    restoreConsole();
    ended.resolve(reason);
  }

  /** Without waiting, as the last thing of a process. */
  function leaveNow(): void {
    if (hasLeft) return;
    hasLeft = true;
    attempt(() => stdin.setRawMode(false));
    attempt(() => writeSync(STDOUT, restoreText()));
  }

  const restoreText = (): string =>
    RESTORE + (parts.usesAlternateScreen ? LEAVE_SCREEN : "\n") + SHOW_CURSOR;

  function listen(
    emitter: NodeJS.EventEmitter,
    event: string,
    handler: (word: unknown) => void,
  ): void {
    emitter.on(event, handler);
    handlers.push([emitter, event, handler]);
  }

  for (const signal of STOP_SIGNALS) {
    listen(process, signal, () => {
      if (isLent && signal === "SIGINT") return;
      end({ kind: "signal", signal });
    });
  }
  listen(process, "uncaughtException", (error) => end({ kind: "crash", error }));
  listen(process, "unhandledRejection", (error) => end({ kind: "crash", error }));
  listen(process, "exit", leaveNow);
  listen(process, "SIGTSTP", () => {
    if (!isLent) parts.onSuspend();
  });
  listen(process, "SIGCONT", () => {
    if (!isLent) parts.onContinue();
  });
  listen(stdin, "end", () => end({ kind: "gone" }));
  listen(stdin, "error", () => end({ kind: "gone" }));
  const resized = (): void => {
    // The runtime learns the size when the signal's other listeners have run.
    setImmediate(() => {
      if (ending !== null || isLent) return;
      output.resize(readSize());
      parts.onResize(readSize());
    });
  };
  listen(process, "SIGWINCH", resized);
  listen(stdout, "resize", resized);
  const restoreConsole = captureConsole(parts.note);
  output.write(ENTER_EXTRAS);

  return {
    output,
    size: readSize,
    ended: ended.promise,
    end,
    lend() {
      isLent = true;
      output.write(LEAVE_EXTRAS);
    },
    takeBack() {
      isLent = false;
      output.resize(readSize());
      output.write(ENTER_EXTRAS);
    },
  };
}

/** A terminal that does not know its size says 0. */
function readSize(): TerminalSize {
  // The runtime asks the system only when it hears SIGWINCH, which a stopped program does not get.
  const refresh: unknown = Reflect.get(process.stdout, "_refreshSize");
  if (typeof refresh === "function") refresh.call(process.stdout);
  const { columns, rows } = process.stdout;
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/** On the way out nothing may keep the rest from being done. */
function attempt(step: () => unknown): void {
  try {
    step();
  } catch {
    // There is no screen left to say it on.
  }
}

const CONSOLE_METHODS = ["log", "info", "debug", "warn", "error"] as const;

/** What a library prints would tear the picture. */
function captureConsole(note: (what: string) => void): () => void {
  const before = CONSOLE_METHODS.map((method) => [method, console[method]] as const);
  for (const method of CONSOLE_METHODS) {
    console[method] = (...words: unknown[]) => note(`console.${method}: ${words.join(" ")}`);
  }
  return () => {
    for (const [method, original] of before) console[method] = original;
  };
}
