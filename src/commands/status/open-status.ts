/**
 * A daemon's live status on its terminal: says whether there is one, brings the painter together with the
 * real terminal, and looks anew twice a second. While it is open everything that is written to stderr goes
 * through it. It takes the status away at every end that can be noticed.
 */
import { readFileSync, writeSync } from "node:fs";
import { systemClock } from "../../runtime/platform/clock.ts";
import { stopUntilContinued } from "../../tui/ink/stop-process.ts";
import { createTheme, detectTheme } from "../../tui/theme/themes.ts";
import type { CommandContext } from "../command-context.ts";
import { writeInThread } from "../io.ts";
import { createPainter } from "./painter.ts";
import type { StatusLook } from "./status-rows.ts";

export interface LiveStatus {
  /** Shows from now on what this draws. */
  show(draw: (look: StatusLook) => readonly string[]): void;
  /** Takes it away; what is written later goes to the terminal without it. May be repeated. */
  close(): Promise<void>;
}

interface DaemonValues {
  readonly tiedFd?: number | undefined;
  readonly logFormat?: "pretty" | "json" | undefined;
  readonly noColor?: boolean | undefined;
}

type Context = Pick<CommandContext, "io" | "env" | "quiet">;

const STDERR = 2;
const LOOK_EVERY_MS = 500;
/** Narrow enough that few resizes wrap a row; there is no more to show anyway. */
const COLUMNS_MAX = 80;
const XTERM_JS = /^(vscode|hyper|tabby)$/i;

/**
 * Whether a person sits at a terminal that can show it. One without input from there, as a script's
 * background command is, has the terminal with others and leaves its rows alone.
 */
export function wantsStatus({ io, env, quiet }: Context, values: DaemonValues): boolean {
  const hasTerminal = io.stderr.isTerminal && io.stdin.isTerminal && env["TERM"] !== "dumb";
  const isForPeople = values.logFormat !== "json" && values.tiedFd === undefined && !quiet;
  return hasTerminal && isForPeople && (env["CI"] ?? "") === "";
}

/** null where there is none to show. */
export function openStatus(context: Context, values: DaemonValues): LiveStatus | null {
  const { io, env } = context;
  if (!wantsStatus(context, values) || io.stderr.divert === undefined) return null;
  const theme = createTheme(detectTheme(env, { noColour: values.noColor }));
  const clock = systemClock;
  const painter = createPainter({
    send: (bytes) => writeInThread(STDERR, bytes),
    sendNow: writeLastWords,
    clock,
    slipsWhenWrapped: XTERM_JS.test(env["TERM_PROGRAM"] ?? ""),
  });
  let draw: ((look: StatusLook) => readonly string[]) | null = null;
  let isAway = false;
  let timer = clock.setTimer(LOOK_EVERY_MS, onTime, { holdsProcess: false });

  function look(): void {
    if (draw === null || isAway) return;
    // In a shell's background the terminal is the shell's.
    const { columns, rows } = process.stderr;
    const size = { columns: Math.min(columns, COLUMNS_MAX), rows };
    void painter.show(isInForeground() ? draw({ ...size, theme }) : []);
  }

  function onResize(): void {
    painter.resized(process.stderr.columns);
    look();
  }

  function onTime(): void {
    look();
    timer = clock.setTimer(LOOK_EVERY_MS, onTime, { holdsProcess: false });
  }

  async function onSuspend(): Promise<void> {
    if (isAway) return;
    isAway = true;
    await painter.show([]);
    await stopUntilContinued();
    isAway = false;
    look();
  }

  function onContinue(): void {
    if (isAway) return;
    painter.forget();
    look();
  }

  function onQuit(): void {
    painter.stopNow();
    process.off("SIGQUIT", onQuit);
    process.kill(process.pid, "SIGQUIT");
  }

  const listeners = [
    ["SIGWINCH", onResize],
    ["SIGTSTP", onSuspend],
    ["SIGCONT", onContinue],
    ["SIGQUIT", onQuit],
  ] as const;
  for (const [event, listener] of listeners) process.on(event, listener);
  // For good: also last words do not wait for a terminal that takes nothing.
  process.on("exit", painter.stopNow);
  io.stderr.divert(painter.write);

  return {
    show(next) {
      draw = next;
      look();
    },
    async close() {
      draw = null;
      timer.cancel();
      await painter.stop();
      for (const [event, listener] of listeners) process.off(event, listener);
    },
  };
}

/** Of a process group that shares its terminal, the one that the terminal listens to. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    // After the command's name: state, parent, group, session, terminal, the terminal's group.
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 6);
    return group === foregroundGroup;
  } catch {
    return true;
  }
}

function writeLastWords(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // The terminal is gone, or takes nothing just now: it is no use to wait.
  }
}
