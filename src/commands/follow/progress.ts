/**
 * Progress while jobs are followed, on stderr and never in the way of results: a bar on a terminal, a
 * line each ten seconds or five per cent in a log, JSON lines for programs, or nothing. Whatever else is
 * written to the terminal meanwhile goes through `aside`, so that no line lands in the bar.
 */
import type { Clock, Timer } from "../../runtime/platform/clock.ts";
import type { ProgressView } from "../../runtime/protocol/views.ts";
import type { CommandIo, OutputStream } from "../command-context.ts";
import { barLine, doneOf, type JobProgress, jsonLine, logLine, shareOf } from "./progress-text.ts";

export type ProgressMode = "bar" | "lines" | "json" | "none";

export interface Progress {
  onView(view: ProgressView): void;
  /**
   * Writes beside the bar: a line of its own above it, or results to the same terminal. Text that does
   * not end its line gets the bar below it, never over it.
   */
  aside(write: () => Promise<void>, endsLine?: boolean): Promise<void>;
  /** A whole line on stderr; nothing under `-q`. */
  say(line: string): Promise<void>;
  /** The connection was lost, or is back. */
  onConnection(isUp: boolean): void;
  /** Foreman and workers were started for this command: they need a moment, and end with it. */
  runsHere(): void;
  /** Takes the bar away; nothing is drawn any more. */
  stop(): Promise<void>;
}

export interface ProgressOptions {
  readonly io: Pick<CommandIo, "stdout" | "stderr">;
  readonly mode: ProgressMode;
  readonly quiet: boolean;
  readonly isAscii: boolean;
  readonly clock: Clock;
  /** Behind the bar: what Ctrl-C does, where the foreman stays and where it ends with this command. */
  readonly hint: string;
  readonly localHint: string;
}

/** A job that is over sooner needs no bar. */
const FIRST_DRAW_MS = 250;
const LINE_EVERY_MS = 10_000;
const LINE_EVERY_SHARE = 0.05;
/** Also where five per cent pass quickly. */
const LINE_PAUSE_MS = 1_000;
/** So long a worker of our own may take to start before its absence is a reason. */
const OWN_WORKER_MS = 3_000;

export function progressMode(
  asked: "auto" | "bar" | "json" | "none",
  given: {
    readonly quiet: boolean;
    readonly stderr: OutputStream;
    readonly term: string | undefined;
  },
): ProgressMode {
  if (given.quiet) return "none";
  if (asked === "json" || asked === "none") return asked;
  const canDraw = given.stderr.isTerminal && given.term !== "dumb";
  return asked === "bar" || canDraw ? "bar" : "lines";
}

export function createProgress(options: ProgressOptions): Progress {
  const { io, mode, clock } = options;
  const startedAtMs = clock.monotonicMs();
  let view: ProgressView | null = null;
  let isDrawn = false;
  let isStopped = false;
  let isUp = true;
  let isLocal = false;
  let isLineOpen = false;
  let lostCount = 0;
  let line = { atMs: startedAtMs, share: 0 };
  let delayed: Timer | null = null;
  /** Writes to the terminal one after the other. */
  let tail: Promise<void> = Promise.resolve();

  function inTurn(write: () => Promise<void>): Promise<void> {
    const turn = tail.then(write);
    tail = turn.catch(() => {});
    return turn;
  }

  async function clear(): Promise<void> {
    if (!isDrawn) return;
    isDrawn = false;
    await io.stderr.write("\r\x1b[K");
  }

  async function draw(): Promise<void> {
    const job = view ? shownJob(view) : null;
    if (mode !== "bar" || isStopped || job === null) return;
    const style = { width: io.stderr.columnCount - 1, isAscii: options.isAscii };
    const hint = isLocal ? options.localHint : options.hint;
    const text = barLine(patient(job), style, isUp ? hint : "reconnecting");
    await endLine();
    isDrawn = true;
    await io.stderr.write(`\r${text}\x1b[K`);
  }

  async function endLine(): Promise<void> {
    if (!isLineOpen) return;
    isLineOpen = false;
    await io.stderr.write("\n");
  }

  /** No reason is given while our own worker is still starting. */
  function patient(job: JobProgress): JobProgress {
    const ageMs = clock.monotonicMs() - startedAtMs;
    return isLocal && ageMs < OWN_WORKER_MS ? { ...job, why: null } : job;
  }

  /** At once when the command has run for a moment, else when it has. */
  function drawSoon(): void {
    if (delayed !== null || isStopped) return;
    const ageMs = clock.monotonicMs() - startedAtMs;
    if (ageMs >= FIRST_DRAW_MS) {
      void inTurn(draw).catch(() => {});
      return;
    }
    delayed = clock.setTimer(
      FIRST_DRAW_MS - ageMs,
      () => {
        delayed = null;
        void inTurn(draw).catch(() => {});
      },
      { holdsProcess: false },
    );
  }

  function logSometimes(jobs: readonly JobProgress[]): void {
    const nowMs = clock.monotonicMs();
    const job = jobs[0];
    if (!job) return;
    const share = jobs.reduce((sum, each) => sum + shareOf(each), 0) / jobs.length;
    const isDue = nowMs - line.atMs >= LINE_EVERY_MS;
    const hasMoved = share - line.share >= LINE_EVERY_SHARE && nowMs - line.atMs >= LINE_PAUSE_MS;
    if (!isDue && !hasMoved) return;
    line = { atMs: nowMs, share };
    const text = jobs.map((each) => `${logLine(patient(each))}\n`).join("");
    void inTurn(() => io.stderr.write(text)).catch(() => {});
  }

  function nameLost({ lost_workers: lost }: ProgressView): void {
    for (const { worker_id: worker, running } of lost.slice(lostCount)) {
      const tasks = running === 1 ? "1 running task is" : `${running} running tasks are`;
      void say(`worker ${worker} was lost; ${tasks} queued again`).catch(() => {});
    }
    lostCount = lost.length;
  }

  async function say(text: string): Promise<void> {
    if (options.quiet) return;
    await aside(() => io.stderr.write(`${text}\n`));
  }

  async function aside(write: () => Promise<void>, endsLine = true): Promise<void> {
    if (mode !== "bar") return await inTurn(write);
    await inTurn(async () => {
      await clear();
      await write();
      isLineOpen = !endsLine;
    });
    drawSoon();
  }

  return {
    onView(next) {
      if (isStopped) return;
      view = next;
      nameLost(next);
      if (mode === "bar") drawSoon();
      else if (mode === "lines") logSometimes(next.jobs);
      else if (mode === "json") {
        void inTurn(() => io.stderr.write(`${jsonLine(next)}\n`)).catch(() => {});
      }
    },
    aside,
    say,
    onConnection(next) {
      isUp = next;
      if (isStopped) return;
      if (mode === "bar") drawSoon();
      else if (mode === "lines") {
        const line = next ? "the foreman is back" : "the foreman is gone; trying to reach it again";
        void say(line).catch(() => {});
      }
    },
    runsHere() {
      isLocal = true;
    },
    async stop() {
      isStopped = true;
      delayed?.cancel();
      await inTurn(async () => {
        await clear();
        await endLine();
      });
    },
  };
}

/** Of several jobs the one that has most to do. */
function shownJob({ jobs }: ProgressView): JobProgress | null {
  let shown: JobProgress | null = null;
  const left = (job: JobProgress): number => job.tasks.total - doneOf(job);
  for (const job of jobs) if (shown === null || left(job) > left(shown)) shown = job;
  return shown;
}
