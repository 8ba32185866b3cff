/**
 * The worker's end of the watchdog: starts it, tells it which trees run, has it sweep, and starts
 * another should it die. Nothing here is called per short command; what changes is told in batches.
 */
import type { FileSink, Subprocess } from "bun";
import type { AttemptTokens } from "./attempt-token.ts";
import type { WatchdogOrder } from "./watchdog.ts";

export interface WatchdogLink {
  readonly pid: number;
  /** A tree has run for a while; `remove` it when it has gone. */
  add(leaderPid: number): void;
  remove(leaderPid: number): void;
  /** Ends the watchdog, which first kills what is left; resolves when it has ended. */
  close(): Promise<void>;
}

export interface WatchdogOptions {
  /** The command that runs `runWatchdog`. */
  readonly command: readonly string[];
  readonly tokens: AttemptTokens;
  readonly onRestart?: ((pid: number) => void) | undefined;
}

/** What changed within this time travels together. */
const BATCH_MS = 50;
const SWEEP_INTERVAL_MS = 1_000;
const RESTART_DELAY_MS = 1_000;

type Watchdog = Subprocess<"pipe", "ignore", "ignore">;

export function startWatchdog(options: WatchdogOptions): WatchdogLink {
  const { tokens } = options;
  const leaderPids = new Set<number>();
  let watchdog = spawnWatchdog(options.command);
  let isClosed = false;
  let batchTimer: NodeJS.Timeout | null = null;
  let isWriting = false;
  let isSweepDue = false;
  let endedCountSwept = 0;

  function sendSoon(): void {
    batchTimer ??= setTimeout(send, BATCH_MS);
  }

  async function send(): Promise<void> {
    batchTimer = null;
    // A watchdog that does not read must not fill our memory: one order at a time is on its way.
    if (isWriting) return sendSoon();
    const order: WatchdogOrder = {
      prefix: tokens.prefix,
      leaderPids: [...leaderPids],
      sweep: isSweepDue ? tokens.census() : null,
    };
    isSweepDue = false;
    isWriting = true;
    await write(watchdog.stdin, `${JSON.stringify(order)}\n`);
    isWriting = false;
  }

  /** Each attempt that has ended may have left something: then, and only then, one sweep. */
  function planSweep(): void {
    const { allocated, live } = tokens.census();
    if (allocated - live.length === endedCountSwept) return;
    endedCountSwept = allocated - live.length;
    isSweepDue = true;
    sendSoon();
  }

  function follow(): void {
    watchdog.exited.then(() => {
      if (!isClosed) setTimeout(restart, RESTART_DELAY_MS);
    });
  }

  function restart(): void {
    if (isClosed) return;
    try {
      watchdog = spawnWatchdog(options.command);
    } catch {
      // The machine is short of processes: the next try may find one.
      setTimeout(restart, RESTART_DELAY_MS);
      return;
    }
    isWriting = false;
    options.onRestart?.(watchdog.pid);
    follow();
    sendSoon();
  }

  const sweepTimer = setInterval(planSweep, SWEEP_INTERVAL_MS);
  follow();
  void send();
  return {
    get pid() {
      return watchdog.pid;
    },
    add(leaderPid) {
      leaderPids.add(leaderPid);
      sendSoon();
    },
    remove(leaderPid) {
      if (leaderPids.delete(leaderPid)) sendSoon();
    },
    async close() {
      isClosed = true;
      clearInterval(sweepTimer);
      if (batchTimer !== null) clearTimeout(batchTimer);
      // What changed last must be known there before the pipe closes.
      isWriting = false;
      await send();
      await Promise.resolve(watchdog.stdin.end()).catch(() => {});
      await watchdog.exited;
    },
  };
}

function spawnWatchdog(command: readonly string[]): Watchdog {
  return Bun.spawn([...command], {
    // A signal to the worker's group, such as Ctrl-C, must not reach it.
    detached: true,
    cwd: "/",
    env: {},
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
}

/** A write to a dead watchdog fails; its successor gets the next order. */
async function write(sink: FileSink, line: string): Promise<void> {
  try {
    sink.write(line);
    await sink.flush();
  } catch {
    // `follow` sees its end.
  }
}
