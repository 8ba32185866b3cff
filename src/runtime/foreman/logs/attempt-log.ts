/**
 * How far the log of one attempt has come: what of it was heard, what rows tell, and where the part lies
 * that gives way when it becomes too long. Of 8 MiB the first half is the head and stays; what follows
 * is the tail, of which the oldest rows go.
 */
import { LOG_BYTES_MAX } from "../../protocol/limits.ts";
import type { LogBuilder } from "../../protocol/log-columns.ts";
import type { AttemptRow, LogGroup, LogStore } from "../../store/logs/log-store.ts";

/** Kept for good. */
const HEAD_BYTES = LOG_BYTES_MAX / 2;
/** Looked at when some must go. */
const TRIMMED_ROWS_MAX = 64;
/** An attempt with more rows of its own is not read again as a whole. */
const RECALLED_ROWS_MAX = 20_000;

export interface AttemptName {
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
}

export interface AttemptLog extends AttemptName {
  /** Everything before was heard, dropped bytes included. */
  endByte: number;
  /** Rows tell of everything before: its bytes, or that they were dropped. */
  laidByte: number;
  keptBytes: number;
  /** Its rows hold nothing else from now on. */
  isAlone: boolean;
  /** The row in the making; null: none. */
  builder: LogBuilder | null;
  /** Dropped right before that row. */
  gapBytes: number;
  /** What was kept before that row. */
  keptBefore: number;
  /** Where the head ends; null: it has not come so far. */
  headEndByte: number | null;
  /** The oldest row of the tail. */
  tailFromSeq: number;
  /** When it was last heard of. */
  cycle: number;
  /** What the store has of it is known here. */
  isRecalled: boolean;
}

export function createAttemptLog(name: AttemptName, isRecalled: boolean): AttemptLog {
  return {
    ...name,
    isRecalled,
    endByte: 0,
    laidByte: 0,
    keptBytes: 0,
    isAlone: false,
    builder: null,
    gapBytes: 0,
    keptBefore: 0,
    headEndByte: null,
    tailFromSeq: 0,
    cycle: 0,
  };
}

/**
 * What the store's rows of this attempt alone say of it, before its log goes on at `firstByte`. Where
 * they say nothing, what came before lies in rows of many attempts and is taken to be whole.
 */
export function recallAttempt(store: LogStore, log: AttemptLog, firstByte: number): void {
  log.isRecalled = true;
  const rows = store.attemptRows(log, 0, RECALLED_ROWS_MAX);
  const [first] = rows;
  // Before it had rows of its own nothing of it was dropped.
  if (first !== undefined) log.keptBytes = first.firstByte - first.gapBytes;
  for (const row of rows) {
    noteRow(log, { seq: row.seq, firstByte: row.firstByte - row.gapBytes }, log.keptBytes);
    log.keptBytes += row.byteCount;
    log.isAlone = true;
    noteEnd(log, row.firstByte + row.byteCount);
  }
  if (log.endByte === 0) noteEnd(log, firstByte);
}

export function noteEnd(log: AttemptLog, endByte: number): void {
  log.endByte = Math.max(log.endByte, endByte);
  log.laidByte = Math.max(log.laidByte, endByte);
}

/** A row of it is on its way to the store, or lies there. */
export function noteRow(
  log: AttemptLog,
  row: { readonly seq: number; readonly firstByte: number },
  keptBefore: number,
): void {
  if (log.headEndByte !== null || keptBefore < HEAD_BYTES) return;
  log.headEndByte = row.firstByte;
  log.tailFromSeq = row.seq;
}

export interface Trim extends Pick<LogGroup, "dropped" | "gaps"> {
  readonly bytes: number;
}

/** Takes as much from the tail's beginning as is too much; never the whole tail. */
export function trimAttempt(store: LogStore, log: AttemptLog): Trim | null {
  const { headEndByte } = log;
  if (log.keptBytes <= LOG_BYTES_MAX || headEndByte === null) return null;
  const rows = store.attemptRows(log, log.tailFromSeq, TRIMMED_ROWS_MAX);
  const dropped: number[] = [];
  let bytes = 0;
  let next: AttemptRow | undefined;
  for (const [i, row] of rows.entries()) {
    next = row;
    if (log.keptBytes - bytes <= LOG_BYTES_MAX || i === rows.length - 1) break;
    dropped.push(row.seq);
    bytes += row.byteCount;
  }
  if (next === undefined || dropped.length === 0) return null;
  log.keptBytes -= bytes;
  log.tailFromSeq = next.seq;
  return { dropped, gaps: [{ seq: next.seq, gapBytes: next.firstByte - headEndByte }], bytes };
}
