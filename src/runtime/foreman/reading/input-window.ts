/**
 * Inputs stay in the store; an assignment reads its own through this window: the last few chunks, kept
 * up to a bound of bytes. What was just submitted is still there, so a stream of tasks is not read back.
 */
import {
  concatValues,
  EMPTY_VALUES,
  gatherValues,
  type IndexColumn,
  indexAt,
  sliceValues,
  type ValueColumn,
  valueOffsets,
} from "../../protocol/columns.ts";
import { assert } from "../../protocol/error.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { InputChunk, Store } from "../../store/store.ts";

/** Enough for the chunks that the queue's front and a few jobs' retries touch. */
const WINDOW_BYTES_MAX = 24 * 1024 * 1024;

interface HeldChunk extends InputChunk {
  readonly offsets: Uint32Array;
}

export interface InputWindow {
  /** A chunk that was just committed. */
  prime(jobId: JobId, chunk: InputChunk): void;
  /** The inputs of these tasks, in their order; a promise only when the store must be asked. */
  read(jobId: JobId, indexes: IndexColumn, count: number): ValueColumn | Promise<ValueColumn>;
  /**
   * For whoever looks on; a promise only when the store must be asked. null: it is not there, as its
   * submission is not committed yet or its job was just forgotten.
   */
  readOne(jobId: JobId, index: number): Uint8Array | null | Promise<Uint8Array | null>;
  /** How many of these tasks, from the first, have inputs of so many bytes together; at least one. */
  countWithin(jobId: JobId, indexes: IndexColumn, count: number, bytesMax: number): Promise<number>;
  forget(jobId: JobId): void;
}

export function createInputWindow(store: Pick<Store, "readInputChunk">): InputWindow {
  const held = new Map<JobId, HeldChunk[]>();
  /** Oldest use first: (job, chunk) pairs for eviction. */
  const order: { jobId: JobId; chunk: HeldChunk }[] = [];
  let bytes = 0;

  function hold(jobId: JobId, chunk: InputChunk): HeldChunk {
    const entry: HeldChunk = { ...chunk, offsets: valueOffsets(chunk.values, chunk.count) };
    const chunks = held.get(jobId);
    if (chunks) chunks.push(entry);
    else held.set(jobId, [entry]);
    order.push({ jobId, chunk: entry });
    bytes += entry.values.data.byteLength + 4 * entry.count;
    while (bytes > WINDOW_BYTES_MAX && order.length > 1) evictOldest();
    return entry;
  }

  function evictOldest(): void {
    const oldest = order.shift();
    if (!oldest) return;
    const chunks = held.get(oldest.jobId);
    const at = chunks?.indexOf(oldest.chunk) ?? -1;
    if (chunks === undefined || at < 0) return;
    chunks.splice(at, 1);
    if (chunks.length === 0) held.delete(oldest.jobId);
    bytes -= oldest.chunk.values.data.byteLength + 4 * oldest.chunk.count;
  }

  function find(jobId: JobId, index: number): HeldChunk | null {
    for (const chunk of held.get(jobId) ?? []) {
      if (index >= chunk.firstIndex && index < chunk.firstIndex + chunk.count) return chunk;
    }
    return null;
  }

  function read(
    jobId: JobId,
    indexes: IndexColumn,
    count: number,
  ): ValueColumn | Promise<ValueColumn> {
    const pieces = takePieces(jobId, indexes, count, find);
    return pieces ?? readMissing(jobId, indexes, count);
  }

  async function readMissing(
    jobId: JobId,
    indexes: IndexColumn,
    count: number,
  ): Promise<ValueColumn> {
    // Chunks read for one assignment stay referenced here, whatever is evicted meanwhile.
    const used: HeldChunk[] = [];
    const findUsed = (_: JobId, index: number): HeldChunk | null =>
      used.find((chunk) => index >= chunk.firstIndex && index < chunk.firstIndex + chunk.count) ??
      null;
    for (let row = 0; row < count; row++) {
      const index = indexAt(indexes, row);
      if (findUsed(jobId, index)) continue;
      used.push(find(jobId, index) ?? (await load(jobId, index)));
    }
    const values = takePieces(jobId, indexes, count, findUsed);
    assert(values, "every chunk of the assignment was read");
    return values;
  }

  async function load(jobId: JobId, index: number): Promise<HeldChunk> {
    const chunk = await store.readInputChunk(jobId, index);
    assert(chunk, `the store has input ${index} of job ${jobId}`);
    return hold(jobId, chunk);
  }

  async function loadOne(jobId: JobId, index: number): Promise<Uint8Array | null> {
    const chunk = await store.readInputChunk(jobId, index);
    return chunk === null ? null : inputIn(hold(jobId, chunk), index);
  }

  return {
    read,
    readOne(jobId, index) {
      const chunk = find(jobId, index);
      return chunk === null ? loadOne(jobId, index) : inputIn(chunk, index);
    },
    async countWithin(jobId, indexes, count, bytesMax) {
      let bytes = 0;
      for (let row = 0; row < count; row++) {
        const index = indexAt(indexes, row);
        const { firstIndex, offsets } = find(jobId, index) ?? (await load(jobId, index));
        const at = index - firstIndex;
        bytes += (offsets[at + 1] as number) - (offsets[at] as number);
        if (bytes > bytesMax && row > 0) return row;
      }
      return count;
    },
    prime(jobId, chunk) {
      hold(jobId, chunk);
    },
    forget(jobId) {
      if (!held.delete(jobId)) return;
      for (let i = order.length - 1; i >= 0; i--) {
        const entry = order[i] as { jobId: JobId; chunk: HeldChunk };
        if (entry.jobId !== jobId) continue;
        bytes -= entry.chunk.values.data.byteLength + 4 * entry.chunk.count;
        order.splice(i, 1);
      }
    },
  };
}

function inputIn({ firstIndex, offsets, values }: HeldChunk, index: number): Uint8Array {
  const at = index - firstIndex;
  return values.data.subarray(offsets[at] as number, offsets[at + 1] as number);
}

/** Joins the assignment's inputs from held chunks; null when one is not held. */
function takePieces(
  jobId: JobId,
  indexes: IndexColumn,
  count: number,
  find: (jobId: JobId, index: number) => HeldChunk | null,
): ValueColumn | null {
  if (count === 0) return EMPTY_VALUES;
  const pieces: ValueColumn[] = [];
  const counts: number[] = [];
  let row = 0;
  while (row < count) {
    const chunk = find(jobId, indexAt(indexes, row));
    if (!chunk) return null;
    const rows = rowsWithin(chunk, indexes, row, count);
    pieces.push(pieceOf(chunk, indexes, row, rows));
    counts.push(rows);
    row += rows;
  }
  return concatValues(pieces, counts);
}

function rowsWithin(chunk: HeldChunk, indexes: IndexColumn, from: number, count: number): number {
  const end = chunk.firstIndex + chunk.count;
  if (!(indexes instanceof Uint32Array))
    return Math.min(count - from, end - (indexes.first + from));
  let row = from;
  while (row < count) {
    const index = indexes[row] as number;
    if (index < chunk.firstIndex || index >= end) break;
    row++;
  }
  return row - from;
}

function pieceOf(chunk: HeldChunk, indexes: IndexColumn, from: number, rows: number): ValueColumn {
  if (!(indexes instanceof Uint32Array)) {
    const at = indexes.first + from - chunk.firstIndex;
    return sliceValues(chunk.values, at, at + rows, chunk.offsets);
  }
  const wanted = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) wanted[i] = (indexes[from + i] as number) - chunk.firstIndex;
  return gatherValues(chunk.values, wanted, chunk.offsets);
}
