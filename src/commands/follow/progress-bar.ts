/**
 * The bar on a terminal: one line, drawn over itself, below whatever is printed meanwhile. Every write to
 * the terminal goes through it in turn, so that no line lands in the bar and no bar over a line.
 */
import type { Clock, Timer } from "../../runtime/platform/clock.ts";
import type { OutputStream } from "../command-context.ts";

export interface ProgressBar {
  /** Draws soon: at once when the command has run for a moment. */
  refresh(): void;
  /** Text that does not end its line gets the bar below it, never over it. */
  aside(write: () => Promise<void>, endsLine: boolean): Promise<void>;
  /** Takes the bar away; nothing is drawn any more. */
  stop(): Promise<void>;
}

export interface ProgressBarParts {
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** The line as it should be now, for a width in columns; null: there is nothing to show yet. */
  text(width: number): string | null;
}

/** A job that is over sooner needs no bar. */
const FIRST_DRAW_MS = 250;

export function createProgressBar({ stderr, clock, text }: ProgressBarParts): ProgressBar {
  const firstDrawAtMs = clock.monotonicMs() + FIRST_DRAW_MS;
  let isDrawn = false;
  let isStopped = false;
  let isLineOpen = false;
  let delayed: Timer | null = null;
  /** Writes to the terminal one after the other. */
  let tail: Promise<void> = Promise.resolve();

  function inTurn(write: () => Promise<void>): Promise<void> {
    const turn = tail.then(write);
    tail = turn.catch(() => {});
    return turn;
  }

  async function draw(): Promise<void> {
    const line = isStopped ? null : text(stderr.columnCount - 1);
    if (line === null) return;
    await endLine();
    isDrawn = true;
    await stderr.write(`\r${line}\x1b[K`);
  }

  async function clear(): Promise<void> {
    if (!isDrawn) return;
    isDrawn = false;
    await stderr.write("\r\x1b[K");
  }

  async function endLine(): Promise<void> {
    if (!isLineOpen) return;
    isLineOpen = false;
    await stderr.write("\n");
  }

  function refresh(): void {
    if (delayed !== null || isStopped) return;
    const waitMs = firstDrawAtMs - clock.monotonicMs();
    if (waitMs <= 0) {
      // Drawing is an extra: a terminal that has gone is noticed by whoever writes results.
      inTurn(draw).catch(() => {});
      return;
    }
    const onTime = (): void => {
      delayed = null;
      refresh();
    };
    delayed = clock.setTimer(waitMs, onTime, { holdsProcess: false });
  }

  return {
    refresh,
    async aside(write, endsLine) {
      await inTurn(async () => {
        await clear();
        await write();
        isLineOpen = !endsLine;
      });
      refresh();
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
