/**
 * The results that an executor has finished and not yet written. They lie in the shared cell, so
 * that a crash of the next task loses none of them: the worker reads them there. Rows of one batch
 * only, in order; `flush` before another batch begins.
 */
import type { ValueColumn, ValueSink } from "../protocol/columns.ts";
import { VALUE_BYTES_MAX } from "../protocol/limits.ts";
import { encodeResultsHead, type ResultsFrame, resultsHeadBytes } from "./frames.ts";
import {
  EXECUTOR_BATCH_ROWS_MAX,
  finishRows,
  JOURNAL_BATCH_WORD,
  JOURNAL_COUNT_WORD,
  JOURNAL_DATA_BYTES,
  JOURNAL_FIRST_ROW_WORD,
  JOURNAL_GENERATION_WORD,
  type SharedCell,
} from "./shared-cell.ts";

export const STATUS_COMPLETED = 0;
/** The value is of kind 5. */
export const STATUS_FAILED = 1;
/** Cancelled before it started; the value is a kind byte that nobody reads. */
export const STATUS_SKIPPED = 2;

export interface Journal extends ValueSink {
  /** Results of this batch follow; the journal must be empty. */
  begin(batchId: number, slot: number): void;
  pushValue(value: Uint8Array): void;
  /** Length of the value pushed last. */
  readonly valueBytes: number;
  /** The value pushed last is the result of the batch's next row; without it, it never was. */
  commit(status: number, runUs: number): void;
  readonly isEmpty: boolean;
  flush(): void;
}

/** Longest text that is copied unit by unit: shorter than a call into the runtime takes. */
const SHORT_TEXT_LENGTH = 64;
/** Of a value beyond every limit only the length is asked for. */
const OVERSIZE = new Uint8Array(0);
const encoder = new TextEncoder();

/** `write` takes the pieces of one frame and returns when they are written. */
export function createJournal(
  cell: SharedCell,
  write: (pieces: readonly Uint8Array[]) => void,
): Journal {
  const { words, values, lengths, runUs: runUsColumn, statuses } = cell;
  const head = new Uint8Array(resultsHeadBytes(EXECUTOR_BATCH_ROWS_MAX));
  let batchId = 0;
  let slot = 0;
  let firstRow = 0;
  let count = 0;
  let used = 0;
  let valueBytes = 0;
  /** A value that does not fit into the journal at all; then nothing of it lies in `values`. */
  let large: Uint8Array | null = null;

  /** Makes room at `used`; false when the value is too large for the journal. */
  function hasRoom(bytes: number): boolean {
    if (used + bytes > JOURNAL_DATA_BYTES && count > 0) flush();
    return used + bytes <= JOURNAL_DATA_BYTES;
  }

  function setKind(kind: number, byteCount: number): void {
    values[used] = kind;
    valueBytes = byteCount;
    large = null;
  }

  function flush(): void {
    if (count === 0) return;
    write([encodeHead(firstRow, count, used), values.subarray(0, used)]);
    forget(firstRow + count);
  }

  /** The generation is odd meanwhile: who reads the journal then knows not to trust it. */
  function forget(nextRow: number): void {
    Atomics.add(words, JOURNAL_GENERATION_WORD, 1);
    Atomics.store(words, JOURNAL_COUNT_WORD, 0);
    Atomics.store(words, JOURNAL_BATCH_WORD, batchId);
    Atomics.store(words, JOURNAL_FIRST_ROW_WORD, nextRow);
    Atomics.add(words, JOURNAL_GENERATION_WORD, 1);
    firstRow = nextRow;
    count = 0;
    used = 0;
  }

  function encodeHead(first: number, rowCount: number, dataBytes: number): Uint8Array {
    const columns = { runUs: runUsColumn, lengths, statuses };
    return encodeResultsHead(head, {
      batchId,
      firstRow: first,
      count: rowCount,
      dataBytes,
      ...columns,
    });
  }

  function commitLarge(value: Uint8Array, status: number, runUs: number): void {
    flush();
    setRow(0, status, runUs);
    write([encodeHead(firstRow, 1, value.byteLength), value]);
    large = null;
    forget(firstRow + 1);
    finishRows(cell, slot, firstRow);
  }

  function setRow(row: number, status: number, runUs: number): void {
    lengths[row] = valueBytes;
    runUsColumn[row] = runUs;
    statuses[row] = status;
  }

  return {
    begin(nextBatchId, nextSlot) {
      batchId = nextBatchId;
      slot = nextSlot;
      forget(0);
    },
    pushKind(kind) {
      hasRoom(1);
      setKind(kind, 1);
    },
    pushText(kind, text) {
      // A UTF-16 unit takes one to three bytes of UTF-8.
      if (!hasRoom(1 + text.length * 3)) {
        const isWithinLimit = text.length < VALUE_BYTES_MAX;
        large = isWithinLimit ? withKind(kind, encoder.encode(text)) : OVERSIZE;
        valueBytes = isWithinLimit ? large.byteLength : 1 + text.length;
        return;
      }
      const at = used + 1;
      const written = writeShortAscii(values, at, text) ?? writeText(values, at, text);
      setKind(kind, 1 + written);
    },
    pushBytes(kind, bytes) {
      if (!hasRoom(1 + bytes.byteLength)) {
        large = bytes.byteLength < VALUE_BYTES_MAX ? withKind(kind, bytes) : OVERSIZE;
        valueBytes = 1 + bytes.byteLength;
        return;
      }
      setKind(kind, 1 + bytes.byteLength);
      values.set(bytes, used + 1);
    },
    pushValue(value) {
      valueBytes = value.byteLength;
      large = hasRoom(value.byteLength) ? null : value;
      if (large === null) values.set(value, used);
    },
    get valueBytes() {
      return valueBytes;
    },
    commit(status, runUs) {
      if (large !== null) return commitLarge(large, status, runUs);
      setRow(count, status, runUs);
      used += valueBytes;
      Atomics.store(words, JOURNAL_COUNT_WORD, ++count);
      finishRows(cell, slot, firstRow + count);
      return;
    },
    get isEmpty() {
      return count === 0;
    },
    flush,
  };
}

/**
 * Worker: copies what lies in the journal; null when there is nothing, or when the executor wrote it
 * away at this moment.
 */
export function readJournal(cell: SharedCell): ResultsFrame | null {
  const generation = Atomics.load(cell.words, JOURNAL_GENERATION_WORD);
  const count = Atomics.load(cell.words, JOURNAL_COUNT_WORD);
  if (generation % 2 !== 0 || count <= 0 || count > EXECUTOR_BATCH_ROWS_MAX) return null;
  const lengths = cell.lengths.slice(0, count);
  let dataBytes = 0;
  for (const length of lengths) dataBytes += length;
  if (dataBytes > JOURNAL_DATA_BYTES) return null;
  const values: ValueColumn = { lengths, data: cell.values.slice(0, dataBytes) };
  const journal: ResultsFrame = {
    batchId: Atomics.load(cell.words, JOURNAL_BATCH_WORD) >>> 0,
    firstRow: Atomics.load(cell.words, JOURNAL_FIRST_ROW_WORD),
    count,
    runUs: cell.runUs.slice(0, count),
    statuses: cell.statuses.slice(0, count),
    values,
  };
  return Atomics.load(cell.words, JOURNAL_GENERATION_WORD) === generation ? journal : null;
}

/** Bytes written, or null when the text is long or not ASCII. */
function writeShortAscii(into: Uint8Array, at: number, text: string): number | null {
  const { length } = text;
  if (length > SHORT_TEXT_LENGTH) return null;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return null;
    into[at + i] = unit;
  }
  return length;
}

function writeText(into: Uint8Array, at: number, text: string): number {
  return encoder.encodeInto(text, into.subarray(at)).written;
}

function withKind(kind: number, body: Uint8Array): Uint8Array {
  const value = new Uint8Array(1 + body.byteLength);
  value[0] = kind;
  value.set(body, 1);
  return value;
}
