/**
 * Runs a program in a terminal of its own (the runtime's PTY, with an emulator behind it) and plays the
 * person: types, resizes, looks, waits for what must appear. Nothing here sleeps; every wait has a
 * deadline that ends the test with the screen. The program, and what it left in its session, is ended
 * by its own number when the terminal closes.
 */
import { type Cell, createEmulator, type Emulator, type TerminalModes } from "./emulator.ts";
import { keyBytes, pastedBytes } from "./keys.ts";
import { createRawTap, type RawTap } from "./raw-tap.ts";
import { type Expected, screenText, watchScreen } from "./screen-watch.ts";
import { type SessionProcess, sessionProcesses } from "./session-processes.ts";
import { openSlowLine, type SlowLine } from "./slow-line.ts";

const WAIT_MS = 15_000;
const END_MS = 5_000;
const LOOK_AGAIN_MS = 10;

export interface TerminalRequest {
  readonly command: readonly string[];
  /** 80. */
  readonly columns?: number;
  /** 24. */
  readonly rows?: number;
  readonly cwd?: string;
  /** Beside TERM, LANG and TZ; nothing of the tests' own environment comes through. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TerminalEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface SttyState {
  /** Lines are edited by the kernel: what a shell expects. */
  readonly canonical: boolean;
  readonly echo: boolean;
  /** Ctrl-C is a signal. */
  readonly signals: boolean;
}

export interface TestTerminal {
  readonly pid: number;
  /** Resolves once what is awaited is on the screen and the picture is whole. */
  waitFor(expected: Expected, deadlineMs?: number): Promise<void>;
  /** Types keys by name (`Enter`, `Ctrl-L`, `j`), each as its own write. */
  keys(...names: readonly string[]): void;
  /** Writes all at once, as key repeat and slow links do. */
  type(text: string): void;
  paste(text: string): void;
  resize(columns: number, rows: number): void;
  readonly columns: number;
  readonly rows: number;
  /** The visible rows, without blanks at their ends. */
  screen(): string;
  row(index: number): string;
  cells(): readonly (readonly Cell[])[];
  modes(): TerminalModes;
  scrollback(): readonly string[];
  readonly emulator: Emulator;
  readonly raw: RawTap;
  /** Reads no faster than this from now on; null: as fast as it comes. */
  throttle(bytesPerSecond: number | null): void;
  sttyState(): SttyState;
  /** The program that was started. */
  readonly ended: Promise<TerminalEnd>;
  /** As `ended`, with all its output on the screen, and a deadline that shows the screen. */
  end(deadlineMs?: number): Promise<TerminalEnd>;
  /** What runs in this terminal's session. */
  processes(): readonly SessionProcess[];
  /** Resolves when nothing runs in it any more; rejects with what does after the deadline. */
  untilAlone(deadlineMs?: number): Promise<void>;
  /** Takes the terminal away, as closing its window does. */
  hangUp(): void;
  /** Ends whatever is left. May be repeated. */
  close(): Promise<void>;
}

export function openTerminal(request: TerminalRequest): TestTerminal {
  const { columns = 80, rows = 24 } = request;
  const emulator = createEmulator(columns, rows);
  const raw = createRawTap();
  const wholeOutput = Promise.withResolvers<void>();
  let line: SlowLine | null = null;
  let hasEnded = false;
  const watch = watchScreen(emulator, () => hasEnded);
  const { child, terminal } = startProgram(request, {
    cols: columns,
    rows,
    data(_terminal, bytes) {
      raw.add(bytes);
      line?.onArrived(bytes.byteLength);
      emulator.write(bytes, watch.wake);
    },
    // Nobody writes to it any more; what was written has been read.
    exit: () => void emulator.write(new Uint8Array(0), wholeOutput.resolve),
  });
  const send = (text: string): void => {
    if (!terminal.closed) terminal.write(text);
  };
  emulator.onAnswer(send);
  const ended = child.exited.then(() => {
    hasEnded = true;
    watch.wake();
    return {
      exitCode: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    };
  });
  return {
    pid: child.pid,
    waitFor: (expected, deadlineMs = WAIT_MS) => watch.waitFor(expected, deadlineMs),
    keys(...names) {
      for (const name of names) send(keyBytes(name));
    },
    type: send,
    paste: (text) => send(pastedBytes(text)),
    resize(newColumns, newRows) {
      emulator.resize(newColumns, newRows);
      terminal.resize(newColumns, newRows);
    },
    get columns() {
      return emulator.columns;
    },
    get rows() {
      return emulator.rows;
    },
    screen: () => screenText(emulator),
    row: (index) => emulator.rowTexts()[index] ?? "",
    cells: () => emulator.cells(),
    modes: () => emulator.modes(),
    scrollback: () => emulator.scrollback(),
    emulator,
    raw,
    throttle(bytesPerSecond) {
      line ??= openSlowLine(child.pid);
      line.setPace(bytesPerSecond);
    },
    sttyState: () => sttyOf(terminal.localFlags),
    ended,
    async end(deadlineMs = END_MS) {
      await watch.waitFor(() => hasEnded, deadlineMs);
      await wholeOutput.promise;
      return await ended;
    },
    processes: () => sessionProcesses(child.pid),
    untilAlone: (deadlineMs = END_MS) => untilNoProcess(child.pid, deadlineMs),
    hangUp: () => terminal.close(),
    async close() {
      line?.close();
      line = null;
      for (const { pid } of sessionProcesses(child.pid)) endProcess(pid);
      await ended;
      terminal.close();
      emulator.dispose();
    },
  };
}

function startProgram(request: TerminalRequest, terminalOptions: Bun.TerminalOptions) {
  const child = Bun.spawn([...request.command], {
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    env: { TERM: "xterm-256color", LANG: "C.UTF-8", TZ: "UTC", ...request.env },
    terminal: terminalOptions,
  });
  const { terminal } = child;
  if (terminal === undefined) throw new Error("the runtime gave no terminal");
  return { child, terminal };
}

// Bits of `c_lflag`, Linux's.
const ISIG = 0o1;
const ICANON = 0o2;
const ECHO = 0o10;

const sttyOf = (flags: number): SttyState => ({
  canonical: (flags & ICANON) !== 0,
  echo: (flags & ECHO) !== 0,
  signals: (flags & ISIG) !== 0,
});

/** The system does not tell about processes that are not our children: they are looked for. */
async function untilNoProcess(sessionId: number, deadlineMs: number): Promise<void> {
  const endsAtMs = performance.now() + deadlineMs;
  for (;;) {
    const left = sessionProcesses(sessionId);
    if (left.length === 0) return;
    if (performance.now() > endsAtMs) {
      const lines = left.map(({ pid, command }) => `${pid} ${command}`);
      throw new Error(`still running after ${deadlineMs} ms:\n${lines.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended since it was listed.
  }
}
