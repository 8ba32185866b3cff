/**
 * Progress while jobs are followed, on stderr and never in the way of results: a bar on a terminal, a
 * line each ten seconds or five per cent in a log, JSON lines for programs, or nothing. Whatever else is
 * written meanwhile goes through `aside`.
 */
import type { Clock } from "../../runtime/platform/clock.ts";
import { safeText } from "../../runtime/platform/safe-text.ts";
import { isJobEnded, type ProgressView } from "../../runtime/protocol/views.ts";
import { formatExactCount } from "../../tui/text/amounts.ts";
import type { CommandIo, OutputStream } from "../command-context.ts";
import { inertJsonText } from "../inert-json.ts";
import { createProgressBar } from "./progress-bar.ts";
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
  readonly io: Pick<CommandIo, "stderr">;
  readonly mode: ProgressMode;
  readonly quiet: boolean;
  readonly isAscii: boolean;
  readonly clock: Clock;
  /** Behind the bar: what Ctrl-C does, where the foreman stays and where it ends with this command. */
  readonly hint: string;
  readonly localHint: string;
}

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
  const { io, mode, clock, isAscii } = options;
  const startedAtMs = clock.monotonicMs();
  const isLogDue = createLogPace(clock);
  let shown: JobProgress | null = null;
  let isStopped = false;
  let isUp = true;
  let isLocal = false;
  let lostCount = 0;
  let slotCount = 0;
  const bar = mode === "bar" ? createProgressBar({ stderr: io.stderr, clock, text }) : null;

  function text(width: number): string | null {
    if (shown === null) return null;
    const hint = isLocal ? options.localHint : options.hint;
    return barLine(asShown(shown), { width, isAscii }, isUp ? hint : "reconnecting");
  }

  /**
   * No reason is given while our own worker is still starting. And `running` also counts what waits
   * at a worker for a slot: a person watching wants to see no more than can run.
   */
  function asShown(job: JobProgress): JobProgress {
    const isStarting = isLocal && clock.monotonicMs() - startedAtMs < OWN_WORKER_MS;
    const running = Math.min(job.tasks.running, slotCount);
    return { ...job, why: isStarting ? null : job.why, tasks: { ...job.tasks, running } };
  }

  function nameLost({ lost_workers: lost }: ProgressView): void {
    for (const { worker_id: worker, running } of lost.slice(lostCount)) {
      say(`worker ${worker} was lost${queuedAgain(running)}`).catch(() => {});
    }
    lostCount = lost.length;
  }

  async function say(line: string): Promise<void> {
    // Names of workers and what foremen say stand in it.
    if (!options.quiet) await aside(() => io.stderr.write(`${safeText(line)}\n`));
  }

  async function aside(write: () => Promise<void>, endsLine = true): Promise<void> {
    await (bar === null ? write() : bar.aside(write, endsLine));
  }

  function write(lines: readonly string[]): void {
    io.stderr.write(lines.map((line) => `${line}\n`).join("")).catch(() => {});
  }

  return {
    onView(view) {
      if (isStopped) return;
      shown = busiestOf(view);
      slotCount = view.slots;
      nameLost(view);
      if (mode === "json") write([inertJsonText(jsonLine(view), io.stderr.isTerminal)]);
      else if (mode === "lines" && isLogDue(view.jobs)) {
        write(view.jobs.map((job) => logLine(asShown(job))));
      }
      bar?.refresh();
    },
    aside,
    say,
    onConnection(next) {
      isUp = next;
      if (isStopped) return;
      bar?.refresh();
      if (mode !== "lines") return;
      write([next ? "the foreman is back" : "the foreman is gone; trying to reach it again"]);
    },
    runsHere() {
      isLocal = true;
    },
    async stop() {
      isStopped = true;
      await bar?.stop();
    },
  };
}

const LINE_EVERY_MS = 10_000;
const LINE_EVERY_SHARE = 0.05;
/** Also where five per cent pass quickly. */
const LINE_PAUSE_MS = 1_000;

/** Says of each view whether a log should have a line about it. */
function createLogPace(clock: Clock): (jobs: readonly JobProgress[]) => boolean {
  let last = { atMs: clock.monotonicMs(), share: 0 };
  return (jobs) => {
    // The end has lines of its own.
    if (jobs.every(({ state }) => isJobEnded(state))) return false;
    const atMs = clock.monotonicMs();
    const ageMs = atMs - last.atMs;
    const share = jobs.reduce((sum, job) => sum + shareOf(job), 0) / jobs.length;
    const hasMoved = share - last.share >= LINE_EVERY_SHARE && ageMs >= LINE_PAUSE_MS;
    if (ageMs < LINE_EVERY_MS && !hasMoved) return false;
    last = { atMs, share };
    return true;
  };
}

/** What becomes of the tasks that a lost worker held. */
function queuedAgain(count: number): string {
  if (count === 0) return "";
  return count === 1
    ? "; its task is queued again"
    : `; its ${formatExactCount(count)} tasks are queued again`;
}

/** Of several jobs the one that has most to do. */
function busiestOf({ jobs }: ProgressView): JobProgress | null {
  const left = (job: JobProgress): number => job.tasks.total - doneOf(job);
  let busiest: JobProgress | null = null;
  for (const job of jobs) if (busiest === null || left(job) > left(busiest)) busiest = job;
  return busiest;
}
