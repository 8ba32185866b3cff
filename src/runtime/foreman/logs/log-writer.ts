/**
 * Brings rows of logs into their store a few times a second, off the way of results: each transaction is
 * small, and between two of them everybody else has most of the time. A store that is busy holds up logs
 * alone; one that has no room drops them.
 *
 *   resting -> waiting (rows came; for more) -> writing (slice by slice) -> resting or waiting
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { type CcError, toCcError } from "../../protocol/error.ts";
import type { LogStore } from "../../store/logs/log-store.ts";
import type { Trim } from "./attempt-log.ts";
import type { ClosedRow, LogGatherer } from "./log-gatherer.ts";

export interface LogWriter {
  /** Bytes of rows that are not written. */
  readonly queuedBytes: number;
  /** Takes a row on; returns its number. */
  add(row: Omit<ClosedRow, "seq">): number;
  /** Something was gathered; `isMuch`: enough to be written at once. */
  touch(isMuch: boolean): void;
  /** Resolves when all that was gathered by now is written or given up; null: it is. */
  settle(): Promise<void> | null;
  /** Writes what is gathered without any pause; nothing is written afterwards. */
  close(): Promise<void>;
}

export type DropReason = "full" | "broken";

export interface LogWriterParts {
  store(): LogStore;
  readonly gatherer: Pick<LogGatherer, "closeRows" | "trim" | "changedJobs" | "onDropped">;
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  nowMs(): number;
  /** Whether logs may take up more of the disk. */
  hasRoom(): boolean;
  /** Its job is gone meanwhile. */
  isForgotten(jobId: number): boolean;
  /** What comes from now on is of the next round. */
  onBegin(): void;
  /** All that had been gathered when a round began is written or dropped. */
  onRound(): void;
  onDropped(bytes: number, reason: DropReason): void;
  /** The store is of no use any more; before the next call there is another, or one that refuses. */
  onBroken(error: CcError): Promise<void>;
}

/** Lines of a quarter of a second become a row. */
const GATHER_MS = 250;
/** Of one transaction: a millisecond or two. */
const SLICE_BYTES = 512 * 1024;
const SLICE_ROWS = 64;
/** Of the time, writing takes at most a fifth. */
const PAUSES_PER_SLICE = 4;
const BUSY_MS = 20;
const BUSY_MS_MAX = 500;
/** At the end nobody waits longer for somebody else's lock. */
const CLOSE_TRIES = 20;

interface Round {
  readonly rows: readonly ClosedRow[];
  at: number;
  trims: readonly Trim[];
}

/** How long to wait before the next slice; null: the round is over. */
type Next = number | null | Promise<null>;

export function createLogWriter(parts: LogWriterParts): LogWriter {
  const { gatherer, clock } = parts;
  let nextSeq = parts.store().nextSeq;
  let queue: ClosedRow[] = [];
  let queuedBytes = 0;
  let isDirty = false;
  let round: Round | null = null;
  let roundOver = Promise.withResolvers<void>();
  let timer: Timer | null = null;
  /** No sooner than then is anything written that nobody asks for. */
  let restsUntilMs = 0;
  let busyMs = BUSY_MS;
  let isClosed = false;

  function touch(isMuch: boolean): void {
    isDirty = true;
    if (round !== null || isClosed || (timer !== null && !isMuch)) return;
    timer?.cancel();
    wake(isMuch ? Math.max(0, restsUntilMs - clock.monotonicMs()) : GATHER_MS);
  }

  function wake(delayMs: number): void {
    timer = clock.setTimer(delayMs, run, { holdsProcess: false });
  }

  function begin(): Round {
    isDirty = false;
    parts.onBegin();
    gatherer.closeRows();
    const trims = gatherer.trim();
    const rows = queue;
    queue = [];
    return { rows, at: 0, trims };
  }

  function run(): void {
    timer = null;
    round ??= begin();
    const startedAtMs = clock.monotonicMs();
    const next = writeSlice(round);
    if (next instanceof Promise) void next.then(end);
    else if (next === null) end();
    else wake(Math.max(next, 1, PAUSES_PER_SLICE * (clock.monotonicMs() - startedAtMs)));
    const endedAtMs = clock.monotonicMs();
    restsUntilMs = endedAtMs + PAUSES_PER_SLICE * (endedAtMs - startedAtMs);
  }

  function end(): void {
    round = null;
    const over = roundOver;
    roundOver = Promise.withResolvers();
    parts.onRound();
    over.resolve();
    if (isDirty && timer === null && !isClosed) wake(GATHER_MS);
  }

  function writeSlice(of: Round): Next {
    if (!parts.hasRoom()) return drop(of, "full");
    const slice: ClosedRow[] = [];
    for (let at = of.at, bytes = 0; at < of.rows.length; at++) {
      const row = of.rows[at] as ClosedRow;
      bytes += row.data.byteLength;
      if (slice.length > 0 && (bytes > SLICE_BYTES || slice.length >= SLICE_ROWS)) break;
      slice.push(row);
    }
    try {
      return afterWrite(of, slice, write(of, slice));
    } catch (thrown) {
      return giveUp(of, toCcError(thrown));
    }
  }

  function write(of: Round, slice: readonly ClosedRow[]): ReturnType<LogStore["write"]> {
    const isLast = of.at + slice.length === of.rows.length;
    const arrivedAtMs = parts.nowMs();
    return parts.store().write({
      rows: slice
        .filter(({ jobId }) => !parts.isForgotten(jobId))
        .map((row) => ({ ...row, arrivedAtMs, byteCount: row.data.byteLength })),
      dropped: of.trims.flatMap(({ dropped }) => dropped),
      gaps: of.trims.flatMap(({ gaps }) => gaps),
      jobs: isLast ? gatherer.changedJobs() : [],
    });
  }

  function afterWrite(of: Round, slice: readonly ClosedRow[], outcome: string): Next {
    if (outcome === "busy") {
      busyMs = Math.min(2 * busyMs, BUSY_MS_MAX);
      return busyMs / 2;
    }
    if (outcome === "full") return drop(of, "full");
    busyMs = BUSY_MS;
    of.trims = [];
    of.at += slice.length;
    for (const { data } of slice) queuedBytes -= data.byteLength;
    return of.at < of.rows.length ? 0 : null;
  }

  function drop(of: Round, reason: DropReason): null {
    let bytes = 0;
    for (const row of of.rows.slice(of.at)) {
      bytes += row.data.byteLength;
      gatherer.onDropped(row);
    }
    queuedBytes -= bytes;
    of.at = of.rows.length;
    if (bytes > 0) parts.onDropped(bytes, reason);
    return null;
  }

  async function giveUp(of: Round, error: CcError): Promise<null> {
    drop(of, "broken");
    await parts.onBroken(error);
    nextSeq = Math.max(nextSeq, parts.store().nextSeq);
    return null;
  }

  async function settle(): Promise<void> {
    // What came while a round was under way is in the next one.
    for (let rounds = 0; rounds < 2 && (isDirty || round !== null); rounds++) {
      const { promise } = roundOver;
      if (round === null) {
        timer?.cancel();
        run();
      }
      await promise;
    }
  }

  return {
    get queuedBytes() {
      return queuedBytes;
    },
    add(row) {
      const seq = nextSeq++;
      queue.push({ ...row, seq });
      queuedBytes += row.data.byteLength;
      return seq;
    },
    touch,
    settle: () => (isDirty || round !== null ? settle() : null),
    async close() {
      isClosed = true;
      timer?.cancel();
      for (let tries = 0; tries < CLOSE_TRIES && (isDirty || round !== null); ) {
        round ??= begin();
        const next = await writeSlice(round);
        if (next === null) end();
        else if (next > 0) {
          tries++;
          await new Promise<void>((resolve) => clock.setTimer(next, resolve));
        }
      }
    },
  };
}
