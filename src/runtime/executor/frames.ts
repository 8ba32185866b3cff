/**
 * The frames between a worker and its executor, over a socket pair on the executor's descriptor 3.
 * A frame is a u32 length (of the whole frame), a u32 type and a body, little-endian. Columns are
 * laid out as they lie in memory, so that a batch costs one copy on each side.
 */
import {
  type IndexColumn,
  type U32Column,
  u32FromBytes,
  u32ToBytes,
  type ValueColumn,
} from "../protocol/columns.ts";
import { CcError } from "../protocol/error.ts";
import { VALUE_BYTES_MAX } from "../protocol/limits.ts";
import { EXECUTOR_BATCH_ROWS_MAX, LOG_FRAME_PIECES_MAX } from "./shared-cell.ts";

/** Worker to executor. */
export const FRAME_OPEN = 1;
export const FRAME_JOB = 2;
export const FRAME_BATCH = 3;
export const FRAME_ABORT = 4;
/** Executor to worker. */
export const FRAME_READY = 5;
export const FRAME_RESULTS = 6;
export const FRAME_BATCH_END = 7;
export const FRAME_NOTICE = 8;
export const FRAME_LOG = 9;

/** Once, first of all. */
export interface OpenFrame {
  readonly bundlePath: string;
  readonly cellPath: string;
  /** Below it the folders of `ctx.dir` are made. */
  readonly scratchFolder: string;
  /** Set only now, because our own executable would obey these at its start. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The job of all batches that follow, until the next such frame. */
export interface JobFrame {
  readonly jobId: number;
  readonly name: string;
  readonly queue: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly seed: number;
}

export interface BatchFrame {
  readonly batchId: number;
  /** 0 or 1: which claim word is this batch's. */
  readonly slot: number;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly values: ValueColumn;
}

/** Aborts `ctx.signal` of the row that runs. */
export interface AbortFrame {
  readonly batchId: number;
  readonly row: number;
  readonly reason: string;
}

/** The cell is mapped; `nowMs` is the executor's clock, for comparing start times. */
export interface ReadyFrame {
  readonly nowMs: number;
}

/** Consecutive rows, in order. `statuses`: see journal.ts. */
export interface ResultsFrame {
  readonly batchId: number;
  readonly firstRow: number;
  readonly count: number;
  readonly runUs: Uint32Array;
  readonly statuses: Uint8Array;
  readonly values: ValueColumn;
}

/** All rows started have been reported; the others never start. */
export interface BatchEndFrame {
  readonly batchId: number;
  readonly startedCount: number;
}

/** What user code did while no task of its own was running, for the worker's log. */
export interface NoticeFrame {
  readonly text: string;
}

/** What rows of one batch have printed, in order. */
export interface LogFrame {
  readonly batchId: number;
  /** Bytes that this executor had printed before; some of them may never have left. */
  readonly startByte: number;
  /** Of each piece: `row * LOG_TAG_ROWS + stream`, its bytes, how long ago it was printed. */
  readonly tags: Uint32Array;
  readonly lengths: Uint32Array;
  readonly agoMs: Uint32Array;
  readonly data: Uint8Array;
}

/** A value of the largest size with its columns; anything beyond was not written by us. */
export const EXECUTOR_FRAME_BYTES_MAX = 2 * VALUE_BYTES_MAX + 64 * EXECUTOR_BATCH_ROWS_MAX;

const HEAD_WORDS = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeJsonFrame(type: number, body: object): Uint8Array {
  const text = encoder.encode(JSON.stringify(body));
  const frame = new Uint8Array(HEAD_WORDS * 4 + text.byteLength);
  new Uint32Array(frame.buffer, 0, HEAD_WORDS).set([frame.byteLength, type]);
  frame.set(text, HEAD_WORDS * 4);
  return frame;
}

/** For a body of `encodeJsonFrame`; the cast holds because only our own two sides speak here. */
export function decodeJsonFrame<Body>(body: Uint8Array): Body {
  return JSON.parse(decoder.decode(body)) as Body;
}

const BATCH_HEAD_WORDS = HEAD_WORDS + 9;

export function encodeBatchFrame(batch: BatchFrame): Uint8Array {
  const { count, indexes, attempts, values } = batch;
  const lists: Uint8Array[] = [];
  const oneOrList = (column: number | Uint32Array): [number, number] => {
    if (typeof column === "number") return [0, column];
    lists.push(u32ToBytes(column.subarray(0, count)));
    return [1, 0];
  };
  const head = [
    ...oneOrList(indexes instanceof Uint32Array ? indexes : indexes.first),
    ...oneOrList(attempts),
    ...oneOrList(values.lengths),
  ];
  const listBytes = lists.length * count * 4;
  const frame = new Uint8Array(BATCH_HEAD_WORDS * 4 + listBytes + values.data.byteLength);
  const words = new Uint32Array(frame.buffer, 0, BATCH_HEAD_WORDS);
  words.set([frame.byteLength, FRAME_BATCH, batch.batchId, batch.slot, count, ...head]);
  let at = BATCH_HEAD_WORDS * 4;
  for (const list of lists) {
    frame.set(list, at);
    at += list.byteLength;
  }
  frame.set(values.data, at);
  return frame;
}

export function decodeBatchFrame(body: Uint8Array): BatchFrame {
  const words = u32FromBytes(body.subarray(0, (BATCH_HEAD_WORDS - HEAD_WORDS) * 4));
  const [batchId, slot, count] = words as unknown as [number, number, number];
  let at = words.byteLength;
  const take = (word: number): number | Uint32Array => {
    if (words[word] === 0) return words[word + 1] as number;
    const list = u32FromBytes(body.subarray(at, at + count * 4));
    at += count * 4;
    return list;
  };
  const index = take(3);
  const attempts = take(5);
  const lengths = take(7);
  const indexes = typeof index === "number" ? { first: index } : index;
  return {
    batchId,
    slot,
    count,
    indexes,
    attempts,
    values: { lengths, data: body.subarray(at) },
  };
}

const RESULTS_HEAD_WORDS = HEAD_WORDS + 3;

/** A results frame without its values: the head and the columns, written just before them. */
export function encodeResultsHead(
  into: Uint8Array,
  results: Omit<ResultsFrame, "values"> & {
    readonly lengths: Uint32Array;
    readonly dataBytes: number;
  },
): Uint8Array {
  const { batchId, firstRow, count, runUs, lengths, statuses, dataBytes } = results;
  const headBytes = resultsHeadBytes(count);
  const words = new Uint32Array(into.buffer, into.byteOffset, headBytes / 4);
  words.set([headBytes + dataBytes, FRAME_RESULTS, batchId, firstRow, count]);
  words.set(runUs.subarray(0, count), RESULTS_HEAD_WORDS);
  words.set(lengths.subarray(0, count), RESULTS_HEAD_WORDS + count);
  into.set(statuses.subarray(0, count), (RESULTS_HEAD_WORDS + 2 * count) * 4);
  return into.subarray(0, headBytes);
}

/** Padded, so that the columns behind it stay aligned. */
export function resultsHeadBytes(count: number): number {
  return (RESULTS_HEAD_WORDS + 2 * count + Math.ceil(count / 4)) * 4;
}

/** @throws CcError `malformed_frame`: user code may have written to our descriptor. */
export function decodeResultsFrame(body: Uint8Array): ResultsFrame {
  const headBytes = (RESULTS_HEAD_WORDS - HEAD_WORDS) * 4;
  if (body.byteLength < headBytes) throw malformedFrame();
  const [batchId, firstRow, count] = u32FromBytes(body.subarray(0, headBytes)) as unknown as [
    number,
    number,
    number,
  ];
  const dataAt = resultsHeadBytes(count) - HEAD_WORDS * 4;
  if (count > EXECUTOR_BATCH_ROWS_MAX || body.byteLength < dataAt) throw malformedFrame();
  const columnsAt = headBytes + 8 * count;
  const columns = u32FromBytes(body.subarray(headBytes, columnsAt));
  return {
    batchId,
    firstRow,
    count,
    runUs: columns.subarray(0, count),
    statuses: body.subarray(columnsAt, columnsAt + count),
    values: { lengths: columns.subarray(count), data: body.subarray(dataAt) },
  };
}

const LOG_HEAD_WORDS = HEAD_WORDS + 4;
const U32 = 2 ** 32;
/** What a number holds exactly, divided by 2^32. */
const MAX_HIGH = 2 ** 21;

/** The head with its columns, and the data, which is not copied. */
export function encodeLogFrame(log: LogFrame): readonly Uint8Array[] {
  const { batchId, startByte, tags, lengths, agoMs, data } = log;
  const count = tags.length;
  const words = new Uint32Array(LOG_HEAD_WORDS + 3 * count);
  words.set([words.byteLength + data.byteLength, FRAME_LOG, batchId, count]);
  words.set([startByte % U32, Math.floor(startByte / U32)], LOG_HEAD_WORDS - 2);
  words.set(tags, LOG_HEAD_WORDS);
  words.set(lengths, LOG_HEAD_WORDS + count);
  words.set(agoMs, LOG_HEAD_WORDS + 2 * count);
  return [u32ToBytes(words), data];
}

/** @throws CcError `malformed_frame`: user code may have written to our descriptor. */
export function decodeLogFrame(body: Uint8Array): LogFrame {
  const headBytes = (LOG_HEAD_WORDS - HEAD_WORDS) * 4;
  if (body.byteLength < headBytes) throw malformedFrame();
  const head = u32FromBytes(body.subarray(0, headBytes));
  const [batchId, count, low, high] = head as unknown as [number, number, number, number];
  const dataAt = headBytes + 12 * count;
  const isOurs = count <= LOG_FRAME_PIECES_MAX && high < MAX_HIGH;
  if (!isOurs || body.byteLength < dataAt) throw malformedFrame();
  const columns = u32FromBytes(body.subarray(headBytes, dataAt));
  const lengths = columns.subarray(count, 2 * count);
  const data = body.subarray(dataAt);
  if (lengths.reduce((sum, length) => sum + length, 0) !== data.byteLength) throw malformedFrame();
  return {
    batchId,
    startByte: high * U32 + low,
    tags: columns.subarray(0, count),
    lengths,
    agoMs: columns.subarray(2 * count),
    data,
  };
}

export function malformedFrame(): CcError {
  return new CcError({
    code: "malformed_frame",
    message: "An executor's channel holds what is no frame of ours.",
  });
}

export interface FrameReader {
  /** Calls `onFrame` for each frame completed by this chunk. @throws CcError `malformed_frame` */
  push(chunk: Uint8Array): void;
}

/** `body` may share the chunk's memory; nobody writes to it afterwards. */
export function createFrameReader(onFrame: (type: number, body: Uint8Array) => void): FrameReader {
  let pending: Uint8Array = new Uint8Array(0);
  let pendingBytes = 0;

  /** Adds what the pending frame still lacks (of its length, then of its body). */
  function fill(chunk: Uint8Array, neededBytes: number): number {
    const taken = Math.min(Math.max(0, neededBytes - pendingBytes), chunk.byteLength);
    if (pending.byteLength < neededBytes) {
      const wider = new Uint8Array(neededBytes);
      wider.set(pending.subarray(0, pendingBytes));
      pending = wider;
    }
    pending.set(chunk.subarray(0, taken), pendingBytes);
    pendingBytes += taken;
    return taken;
  }

  function finishPending(chunk: Uint8Array): number {
    let taken = fill(chunk, HEAD_WORDS * 4);
    if (pendingBytes < HEAD_WORDS * 4) return taken;
    const frameBytes = frameBytesAt(pending, 0);
    taken += fill(chunk.subarray(taken), frameBytes);
    if (pendingBytes < frameBytes) return taken;
    const frame = pending.subarray(0, frameBytes);
    pending = new Uint8Array(0);
    pendingBytes = 0;
    emit(frame);
    return taken;
  }

  function emit(frame: Uint8Array): void {
    onFrame(wordAt(frame, 4), frame.subarray(HEAD_WORDS * 4));
  }

  return {
    push(chunk) {
      let at = pendingBytes > 0 ? finishPending(chunk) : 0;
      while (chunk.byteLength - at >= HEAD_WORDS * 4) {
        const frameBytes = frameBytesAt(chunk, at);
        if (chunk.byteLength - at < frameBytes) break;
        emit(chunk.subarray(at, at + frameBytes));
        at += frameBytes;
      }
      if (at < chunk.byteLength) finishPending(chunk.subarray(at));
    },
  };
}

function frameBytesAt(bytes: Uint8Array, at: number): number {
  const frameBytes = wordAt(bytes, at);
  if (frameBytes < HEAD_WORDS * 4 || frameBytes > EXECUTOR_FRAME_BYTES_MAX) throw malformedFrame();
  return frameBytes;
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;
