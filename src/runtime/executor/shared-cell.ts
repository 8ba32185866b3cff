/**
 * Memory that a worker shares with one of its executors: a small mapped file that stays readable when
 * the executor has been killed. It says which row runs since when, lets the worker take unstarted
 * rows back from an executor that is too busy to listen, and keeps what was printed and finished but
 * not yet written. Everything that both sides write goes through Atomics.
 *
 * Each of the two batches an executor may hold has a claim word: the number of rows started, and
 * beside it a bit that closes the batch. The executor counts it up before each row, the worker sets
 * the bit; whoever comes second sees what the other did, so that no row is both started and recalled.
 */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { PieceRingMemory } from "./piece-ring.ts";

/** Rows of a batch; the agent hands over no more at a time. */
export const EXECUTOR_BATCH_ROWS_MAX = 4_096;
/** One that runs and one behind it, which hides the way to the worker and back. */
export const EXECUTOR_BATCHES_MAX = 2;
/** A piece's tag is its row times this and its stream. */
export const LOG_TAG_ROWS = 4;
/** What was printed last: for the log what has not left, for a failure what the attempt had printed. */
export const CONSOLE_RING_BYTES = 256 * 1024;
/** Pieces of a log that have not left. */
export const LOG_FRAME_PIECES_MAX = 1_024;
/** Larger values are written by themselves. */
export const JOURNAL_DATA_BYTES = 256 * 1024;

const PAGE_BYTES = 4_096;
const SKIPS_AT = PAGE_BYTES;
const CONSOLE_AT = SKIPS_AT + EXECUTOR_BATCHES_MAX * EXECUTOR_BATCH_ROWS_MAX;
const RUN_US_AT = CONSOLE_AT + CONSOLE_RING_BYTES;
const LENGTHS_AT = RUN_US_AT + EXECUTOR_BATCH_ROWS_MAX * 4;
const STATUSES_AT = LENGTHS_AT + EXECUTOR_BATCH_ROWS_MAX * 4;
const VALUES_AT = STATUSES_AT + EXECUTOR_BATCH_ROWS_MAX;
const LOG_TAGS_AT = VALUES_AT + JOURNAL_DATA_BYTES;
const LOG_LENGTHS_AT = LOG_TAGS_AT + LOG_FRAME_PIECES_MAX * 4;
const LOG_TIMES_AT = LOG_LENGTHS_AT + LOG_FRAME_PIECES_MAX * 4;
const CELL_BYTES = LOG_TIMES_AT + LOG_FRAME_PIECES_MAX * 8;

/** Indexes of `words`; those of a batch slot are followed by the other slot's. */
const CLAIM_WORD = 0;
const FINISHED_WORD = 2;
const HAS_SKIPS_WORD = 4;
export const JOURNAL_GENERATION_WORD = 8;
export const JOURNAL_COUNT_WORD = 9;
export const JOURNAL_BATCH_WORD = 10;
export const JOURNAL_FIRST_ROW_WORD = 11;
/** Odd while the log's pieces are being written to. */
export const LOG_GENERATION_WORD = 12;
export const LOG_BATCH_WORD = 13;
const WORD_COUNT = 16;

/** Indexes of `times`. */
const ROW_STARTED = 0;
/** Bytes ever printed before the attempt. */
export const CONSOLE_FROM = 1;
/** Of the log's ring: its `state`. */
const LOG_STATE = 2;
const TIMES_AT = WORD_COUNT * 4;

const CLOSED = 0x4000_0000;

export interface SharedCell {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly skips: Uint8Array;
  /** The log, as the executor writes it; tags are `row * LOG_TAG_ROWS + stream`. */
  readonly log: PieceRingMemory;
  readonly runUs: Uint32Array;
  readonly lengths: Uint32Array;
  readonly statuses: Uint8Array;
  readonly values: Uint8Array;
}

/**
 * Makes the file, which must not exist; readable by this account alone. It is written and not only made
 * long: a hole in it that a full disk cannot fill would end both processes with SIGBUS.
 */
export function createCellFile(path: string): void {
  const descriptor = openSync(path, "wx+", 0o600);
  try {
    const zeros = new Uint8Array(CELL_BYTES);
    for (let at = 0; at < CELL_BYTES; ) at += writeSync(descriptor, zeros, at);
  } catch (thrown) {
    rmSync(path, { force: true });
    throw thrown;
  } finally {
    closeSync(descriptor);
  }
}

/** Maps it; the file may be unlinked once both sides have. */
export function mapCell(path: string): SharedCell {
  const { buffer, byteOffset } = Bun.mmap(path, { shared: true });
  const bytes = (at: number, count: number) => new Uint8Array(buffer, byteOffset + at, count);
  const logWords = (at: number) => new Uint32Array(buffer, byteOffset + at, LOG_FRAME_PIECES_MAX);
  const times = new Float64Array(buffer, byteOffset + TIMES_AT, 8);
  const u32 = (at: number) => new Uint32Array(buffer, byteOffset + at, EXECUTOR_BATCH_ROWS_MAX);
  return {
    words: new Int32Array(buffer, byteOffset, WORD_COUNT),
    times,
    skips: bytes(SKIPS_AT, EXECUTOR_BATCHES_MAX * EXECUTOR_BATCH_ROWS_MAX),
    log: {
      bytes: bytes(CONSOLE_AT, CONSOLE_RING_BYTES),
      tags: logWords(LOG_TAGS_AT),
      lengths: logWords(LOG_LENGTHS_AT),
      times: new Float64Array(buffer, byteOffset + LOG_TIMES_AT, LOG_FRAME_PIECES_MAX),
      state: times.subarray(LOG_STATE, LOG_STATE + 4),
    },
    runUs: u32(RUN_US_AT),
    lengths: u32(LENGTHS_AT),
    statuses: bytes(STATUSES_AT, EXECUTOR_BATCH_ROWS_MAX),
    values: bytes(VALUES_AT, JOURNAL_DATA_BYTES),
  };
}

/** Worker: makes a slot ready for another batch, before the executor hears of it. */
export function resetBatchSlot(cell: SharedCell, slot: number): void {
  Atomics.store(cell.words, FINISHED_WORD + slot, 0);
  Atomics.store(cell.words, CLAIM_WORD + slot, 0);
  if (Atomics.exchange(cell.words, HAS_SKIPS_WORD + slot, 0) === 0) return;
  const at = slot * EXECUTOR_BATCH_ROWS_MAX;
  cell.skips.fill(0, at, at + EXECUTOR_BATCH_ROWS_MAX);
}

/** Executor: starts `row`; false when the worker has closed the batch. */
export function claimRow(cell: SharedCell, slot: number, row: number): boolean {
  return Atomics.compareExchange(cell.words, CLAIM_WORD + slot, row, row + 1) === row;
}

/** Executor: whether a row that it has claimed was cancelled before. */
export function isSkipped(cell: SharedCell, slot: number, row: number): boolean {
  if (Atomics.load(cell.words, HAS_SKIPS_WORD + slot) === 0) return false;
  return Atomics.load(cell.skips, slot * EXECUTOR_BATCH_ROWS_MAX + row) !== 0;
}

/** Executor: rows before `count` have their results in the journal or on their way. */
export function finishRows(cell: SharedCell, slot: number, count: number): void {
  Atomics.store(cell.words, FINISHED_WORD + slot, count);
}

/** Executor: by its own clock, in milliseconds. Written before the row is claimed. */
export function noteRowStart(cell: SharedCell, atMs: number): void {
  cell.times[ROW_STARTED] = atMs;
}

/** Worker: nothing of the batch starts any more. Returns how many rows have started. */
export function closeBatch(cell: SharedCell, slot: number): number {
  return Atomics.or(cell.words, CLAIM_WORD + slot, CLOSED) & ~CLOSED;
}

/** Worker: marks a row to be skipped; true when it had not started and never will. */
export function skipRow(cell: SharedCell, slot: number, row: number): boolean {
  Atomics.store(cell.skips, slot * EXECUTOR_BATCH_ROWS_MAX + row, 1);
  Atomics.store(cell.words, HAS_SKIPS_WORD + slot, 1);
  return startedCount(cell, slot) <= row;
}

export function startedCount(cell: SharedCell, slot: number): number {
  return Atomics.load(cell.words, CLAIM_WORD + slot) & ~CLOSED;
}

/** Worker: the row of the slot that runs now (or at the executor's death), by the executor's clock. */
export function runningRow(
  cell: SharedCell,
  slot: number,
): { readonly row: number; readonly startedAtMs: number } | null {
  for (;;) {
    const started = startedCount(cell, slot);
    const startedAtMs = cell.times[ROW_STARTED] as number;
    const finished = Atomics.load(cell.words, FINISHED_WORD + slot);
    // Read twice, because the executor may go on to another row in between.
    if (startedCount(cell, slot) !== started) continue;
    return started > finished ? { row: started - 1, startedAtMs } : null;
  }
}
