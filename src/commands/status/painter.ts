/**
 * Keeps some rows at the bottom of what a daemon writes to its terminal. All that is written goes through
 * it: a text erases the rows, scrolls by above them, and they are painted again. The cursor waits at the
 * beginning of the first row and is never hidden, so that one "erase below" takes them away however the
 * terminal was resized. A terminal that takes nothing is not waited for: pictures are skipped, and of texts
 * only so many are kept.
 */
import type { Clock } from "../../runtime/platform/clock.ts";
import { cellWidth } from "../../tui/text/cells.ts";

export interface PainterParts {
  /** Writes without holding up the process; rejects when the terminal is gone. One at a time. */
  send(bytes: Uint8Array): Promise<void>;
  /** Writes before it returns, for the process's last moment. */
  sendNow(text: string): void;
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  /**
   * Whether a terminal that becomes narrow moves the cursor down by the rows that are wrapped below it, too.
   * Those made with xterm.js do; elsewhere the cursor stays on its line.
   */
  readonly slipsWhenWrapped: boolean;
}

export interface Painter {
  /** Whole lines, above the rows. Resolves when they are written, or will never be. */
  write(text: string): Promise<void>;
  /** From now on these are the rows; none takes them away. */
  show(rows: readonly string[]): Promise<void>;
  /** Somebody else has written: the rows are wherever they are, and are painted anew. */
  forget(): void;
  /** The terminal has so many columns now; before, it may have had more. */
  resized(columns: number): void;
  /** Takes the rows away; a terminal that does not take even that in time gets nothing more. */
  stop(): Promise<void>;
  /** The same at the process's end, where nothing can be waited for. */
  stopNow(): void;
}

/** Of texts that wait; what is beyond is left out, and said so. */
const WAITING_CHARACTERS_MAX = 256 * 1024;
const STOP_WITHIN_MS = 1_000;
/** A terminal that has not taken the last bytes within this is not asked again at the end. */
const STUCK_MS = 250;

const ERASE_LINE_END = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** The bytes that bring the terminal from the old rows to `text` with `rows` below it. */
export function frameOf(text: string, rows: readonly string[], hasRows: boolean): string {
  const above = hasRows && (text !== "" || rows.length === 0) ? `\r${ERASE_BELOW}${text}` : text;
  if (rows.length === 0) return above;
  const below = rows.map((row) => `${row}${ERASE_LINE_END}`).join("\r\n");
  const up = rows.length > 1 ? `\x1b[${rows.length - 1}A` : "";
  return `${above}\r${below}${ERASE_BELOW}${up}\r`;
}

export function createPainter(parts: PainterParts): Painter {
  const { send, sendNow, clock } = parts;
  let waiting: string[] = [];
  let waitingCharacters = 0;
  let droppedCount = 0;
  let wanted: readonly string[] = [];
  /** What is on the terminal; null: nothing of ours. */
  let painted: readonly string[] | null = null;
  /** So far below the first row the terminal has put the cursor. */
  let slippedRows = 0;
  let isGone = false;
  let sendingSinceMs: number | null = null;
  let turn: Promise<void> = Promise.resolve();

  function takeTexts(): string {
    if (droppedCount > 0) {
      waiting.push(`(${droppedCount} lines were left out: this terminal was too slow)\n`);
    }
    const text = waiting.join("");
    waiting = [];
    waitingCharacters = 0;
    droppedCount = 0;
    return text;
  }

  function takeFrame(rows: readonly string[]): string {
    const up = slippedRows > 0 ? `\x1b[${slippedRows}A` : "";
    slippedRows = 0;
    return up + frameOf(takeTexts(), rows, painted !== null);
  }

  const hasWork = (): boolean => waiting.length > 0 || !isSame(wanted, painted ?? []);

  function work(): Promise<void> {
    if (sendingSinceMs !== null || isGone || !hasWork()) return turn;
    sendingSinceMs = clock.monotonicMs();
    turn = sendAll();
    return turn;
  }

  async function sendAll(): Promise<void> {
    try {
      while (!isGone && hasWork()) {
        const rows = wanted;
        const frame = takeFrame(rows);
        painted = rows.length === 0 ? null : rows;
        sendingSinceMs = clock.monotonicMs();
        await send(Buffer.from(frame));
      }
    } catch {
      // Nobody looks any more; the daemon goes on.
      isGone = true;
      takeTexts();
    }
    sendingSinceMs = null;
  }

  return {
    write(text) {
      if (isGone) return Promise.resolve();
      if (text === "") return turn;
      if (waitingCharacters + text.length > WAITING_CHARACTERS_MAX) {
        droppedCount++;
        return Promise.resolve();
      }
      waiting.push(text.endsWith("\n") ? text : `${text}\n`);
      waitingCharacters += text.length;
      return work();
    },
    show(rows) {
      wanted = rows;
      return work();
    },
    forget() {
      painted = null;
      slippedRows = 0;
      void work();
    },
    resized(columns) {
      if (!parts.slipsWhenWrapped || painted === null) return;
      slippedRows = painted.reduce((sum, row) => sum + wrappedRows(row, columns), 0);
    },
    async stop() {
      wanted = [];
      const written = work();
      const patience = Promise.withResolvers<false>();
      const timer = clock.setTimer(STOP_WITHIN_MS, () => patience.resolve(false));
      const isWritten = written.then(() => true);
      // What comes now would wait as long.
      if (!(await Promise.race([isWritten, patience.promise]))) isGone = true;
      timer.cancel();
    },
    stopNow() {
      wanted = [];
      const isStuck = sendingSinceMs !== null && clock.monotonicMs() - sendingSinceMs > STUCK_MS;
      if (isGone || isStuck || !hasWork()) return;
      const frame = takeFrame([]);
      painted = null;
      isGone = true;
      sendNow(frame);
    },
  };
}

/** Rows that it takes beyond its first. */
const wrappedRows = (row: string, columns: number): number =>
  Math.max(0, Math.ceil(cellWidth(row, { sgr: true }) / Math.max(1, columns)) - 1);

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((row, at) => row === b[at]);
