/**
 * Answers `read_results`: a cursor over what is settled, by index or by settlement. The store is the
 * re-order buffer; nothing is kept for a reader between two of its requests. A request that waits is
 * answered with the next result, at the latest after WAIT_MS.
 */

import type { ValueColumn } from "../../protocol/columns.ts";
import {
  compactIndexes,
  concatU32,
  expandIndexes,
  sliceU32,
  sliceValues,
  type U32Column,
  u32At,
} from "../../protocol/columns.ts";
import { CcError } from "../../protocol/error.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import { BATCH_TASKS_MAX, FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { InputWindow } from "./input-window.ts";
import type { ReadableSettlement, SettlementCache } from "./settlement-cache.ts";

/** An answer without rows goes out after so long, so that both sides know the other is alive. */
export const WAIT_MS = 30_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Of the inputs that go along. */
const INPUT_BYTES_MAX = 4 * 1024 * 1024;
/** Results and inputs of one answer; the rest of the frame is for their columns. */
const ROWS_BYTES_MAX = FRAME_BYTES_MAX - 1024 * 1024;
/** Settled order: cursor = settlement x this + row; both stay exact below 2^53. */
const ROWS_PER_SETTLEMENT = 2 ** 27;

export type ReadResults = MessageOf<"read_results">;
export type Results = MessageOf<"results">;

/** What a reader needs to know of a job, live or ended. */
export interface ResultsSource {
  readonly inputCount: number;
  readonly inputsClosed: boolean;
  readonly finished: boolean;
  readonly nextSettleSeq: number;
  /** The settlement that holds this task's result; 0: not settled. */
  seqOf(index: number): number;
}

export interface ResultsReader {
  /** What is there now; `complete` says whether a waiting request should be answered with it. */
  read(request: ReadResults, source: ResultsSource): Promise<ReadPage>;
}

export interface ReadPage {
  readonly answer: Results;
  readonly complete: boolean;
}

export interface ResultsReaderParts {
  readonly cache: SettlementCache;
  readonly window: InputWindow;
  readReopened(jobId: JobId, seq: number): Promise<Uint32Array | null>;
}

export function createResultsReader(parts: ResultsReaderParts): ResultsReader {
  const { cache } = parts;
  return {
    async read(request, source) {
      const page = await readPage(request, source, BATCH_TASKS_MAX);
      return request.inputs === true && page.answer.count > 0
        ? await withInputs(request, source, page)
        : page;
    },
  };

  /** As many of the page's rows as fit a frame together with their inputs. */
  async function withInputs(
    request: ReadResults,
    source: ResultsSource,
    whole: ReadPage,
  ): Promise<ReadPage> {
    const jobId = asJobId(request.job_id);
    const { count, index } = whole.answer;
    const indexes = compactIndexes(index);
    const fitting = await parts.window.countWithin(jobId, indexes, count, INPUT_BYTES_MAX);
    const page = fitting === count ? whole : await readPage(request, source, fitting);
    const { answer, complete } = page;
    const input = await parts.window.read(jobId, compactIndexes(answer.index), answer.count);
    const bytes = answer.value.data.byteLength + input.data.byteLength;
    // A single row may have both at their largest; its result is what was asked for first.
    return bytes > ROWS_BYTES_MAX ? page : { answer: { ...answer, input }, complete };
  }

  async function readPage(
    request: ReadResults,
    source: ResultsSource,
    rowsMax: number,
  ): Promise<ReadPage> {
    const page = createPage(request, rowsMax);
    if (request.order === "settled") return readSettled(request, source, page);
    const reopened =
      request.reopened_by === undefined
        ? null
        : await parts.readReopened(asJobId(request.job_id), request.reopened_by);
    if (request.reopened_by !== undefined && reopened === null) throw noSuchReopening(request);
    return readByIndex(request, source, page, reopened);
  }

  async function readByIndex(
    request: ReadResults,
    source: ResultsSource,
    page: Page,
    reopened: Uint32Array | null,
  ): Promise<ReadPage> {
    const jobId = asJobId(request.job_id);
    const next = reopened === null ? (index: number) => index : nextReopened(reopened);
    let index = next(request.after);
    let entry: ReadableSettlement | null = null;
    while (index < source.inputCount && page.hasRoom()) {
      const seq = source.seqOf(index);
      if (seq === 0) {
        if (!request.skip_holes) break;
        index = next(index + 1);
        continue;
      }
      if (entry?.chunk.seq !== seq) entry = await cache.get(jobId, seq);
      if (!entry) break;
      const run = reopened === null ? runLength(entry, index, source, seq) : 1;
      index = next(index + page.take(entry, index, run));
    }
    const isPast = index >= source.inputCount;
    const everythingRead = isPast && (source.inputsClosed || reopened !== null);
    const end = everythingRead || (!request.wait && page.hasRoom());
    return { answer: page.answer(index, end, source), complete: end || !page.isEmpty() };
  }

  async function readSettled(
    request: ReadResults,
    source: ResultsSource,
    page: Page,
  ): Promise<ReadPage> {
    const jobId = asJobId(request.job_id);
    let seq = Math.max(
      1,
      Math.floor(request.after / ROWS_PER_SETTLEMENT),
      request.reopened_by ?? 0,
    );
    let row = seq * ROWS_PER_SETTLEMENT <= request.after ? request.after % ROWS_PER_SETTLEMENT : 0;
    while (seq < source.nextSettleSeq && page.hasRoom()) {
      const entry = await cache.get(jobId, seq);
      if (entry) {
        row = takeCurrentRows(entry, row, source, page);
        const rows = entry.chunk.sharedValue ? source.inputCount : entry.chunk.count;
        if (row < rows) break;
      }
      seq++;
      row = 0;
    }
    const isPast = seq >= source.nextSettleSeq;
    const end = isPast && (source.finished || !request.wait);
    const after = seq * ROWS_PER_SETTLEMENT + row;
    return { answer: page.answer(after, end, source), complete: end || !page.isEmpty() };
  }
}

/** Rows of a settlement that still stand (no retry reopened them); returns the row to go on at. */
function takeCurrentRows(
  entry: ReadableSettlement,
  from: number,
  source: ResultsSource,
  page: Page,
): number {
  const { chunk } = entry;
  const rows = chunk.sharedValue ? source.inputCount : chunk.count;
  let row = from;
  while (row < rows && page.hasRoom()) {
    const index = chunk.sharedValue ? row : indexOfRow(entry, row);
    if (source.seqOf(index) === chunk.seq) page.take(entry, index, 1);
    row++;
  }
  return row;
}

function indexOfRow(entry: ReadableSettlement, row: number): number {
  const { indexes } = entry.chunk;
  return indexes instanceof Uint32Array ? (indexes[row] as number) : indexes.first + row;
}

/** How many consecutive tasks from `index` lie one after the other in this settlement. */
function runLength(
  entry: ReadableSettlement,
  index: number,
  source: ResultsSource,
  seq: number,
): number {
  const { chunk } = entry;
  if (chunk.sharedValue) return 1;
  const { indexes } = chunk;
  const row = entry.rowOf(index);
  const runMax = Math.min(chunk.count - row, source.inputCount - index);
  let run = 1;
  if (indexes instanceof Uint32Array) {
    while (run < runMax && indexes[row + run] === index + run) run++;
  } else run = runMax;
  // A retry may have taken single tasks out of the middle.
  for (let i = 1; i < run; i++) if (source.seqOf(index + i) !== seq) return i;
  return run;
}

function nextReopened(reopened: Uint32Array): (index: number) => number {
  const sorted = reopened.toSorted();
  return (index) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as number) < index) low = middle + 1;
      else high = middle;
    }
    return sorted[low] ?? Number.POSITIVE_INFINITY;
  };
}

function noSuchReopening(request: ReadResults): CcError {
  return new CcError({
    code: "no_such_retry",
    message: `Job ${request.job_id} has no retry with the number ${request.reopened_by}.`,
    exitCode: 2,
  });
}

const STATUS_NUMBER = { completed: 0, failed: 1, cancelled: 2 } as const;

interface Page {
  hasRoom(): boolean;
  isEmpty(): boolean;
  /** Takes up to `run` consecutive tasks that lie consecutively in the settlement; how many. */
  take(entry: ReadableSettlement, index: number, run: number): number;
  answer(nextAfter: number, end: boolean, source: ResultsSource): Results;
}

/** Gathers slices of settlements into one answer, whole columns at a time. */
function createPage(request: ReadResults, rowsMax: number): Page {
  const bytesMax = Math.min(Math.max(1, request.bytes_max), ANSWER_BYTES_MAX);
  const counts: number[] = [];
  const indexes: Uint32Array[] = [];
  const statuses: U32Column[] = [];
  const attempts: U32Column[] = [];
  const runUs: U32Column[] = [];
  const workers: U32Column[] = [];
  const values: ValueColumn[] = [];
  const workerNames: string[] = [];
  let rows = 0;
  let bytes = 0;

  function take(entry: ReadableSettlement, index: number, run: number): number {
    const { chunk, offsets } = entry;
    const row = entry.rowOf(index);
    let count = Math.min(run, rowsMax - rows);
    const from = offsets[row] as number;
    while (count > 1 && bytes + (offsets[row + count] as number) - from > bytesMax) {
      count = Math.max(1, count >>> 1);
    }
    counts.push(count);
    indexes.push(expandIndexes({ first: index }, count));
    statuses.push(STATUS_NUMBER[chunk.status]);
    attempts.push(sliceU32(chunk.attempts, row, row + count));
    runUs.push(sliceU32(chunk.runUs, row, row + count));
    workers.push(workerNumber(chunk.workerId));
    values.push(sliceValues(chunk.values, row, row + count, offsets));
    rows += count;
    bytes += (offsets[row + count] as number) - from;
    return count;
  }

  function workerNumber(name: string): number {
    const known = workerNames.indexOf(name);
    return known >= 0 ? known : workerNames.push(name) - 1;
  }

  return {
    hasRoom: () => rows < rowsMax && bytes < bytesMax,
    isEmpty: () => rows === 0,
    take,
    answer: (nextAfter, end, source) => ({
      type: "results",
      request: request.request,
      job_id: request.job_id,
      next_after: Number.isFinite(nextAfter) ? nextAfter : source.inputCount,
      end,
      finished: source.finished,
      count: rows,
      index: concatIndexes(indexes, rows),
      status: concatU32(statuses, counts),
      attempt: concatU32(attempts, counts),
      run_us: concatU32(runUs, counts),
      worker: concatU32(workers, counts),
      worker_name: workerNames,
      value: joinValues(values, counts),
    }),
  };
}

function concatIndexes(parts: readonly Uint32Array[], rows: number): Uint32Array {
  const joined = new Uint32Array(rows);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** As concatValues, but lengths of different shapes are expanded row by row. */
function joinValues(values: readonly ValueColumn[], counts: readonly number[]): ValueColumn {
  let total = 0;
  for (const column of values) total += column.data.byteLength;
  const data = new Uint8Array(total);
  let at = 0;
  for (const column of values) {
    data.set(column.data, at);
    at += column.data.byteLength;
  }
  const lengths = concatU32(
    values.map((column, i) => (counts[i] === 1 ? u32At(column.lengths, 0) : column.lengths)),
    counts,
  );
  return { lengths, data };
}
