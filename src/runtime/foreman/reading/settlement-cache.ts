/**
 * Settlements as readers want them: decoded once, kept up to a bound of bytes, with the row of each
 * index at hand. What was just committed is still here, so a follower does not read it back.
 */
import { u32At, valueOffsets } from "../../protocol/columns.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { SettlementChunk, Store } from "../../store/store.ts";
import { createByteCache } from "./byte-cache.ts";

const CACHE_BYTES_MAX = 16 * 1024 * 1024;

export interface ReadableSettlement {
  readonly chunk: SettlementChunk;
  readonly offsets: Uint32Array;
  /** The row of this index; a shared value has one row for all. */
  rowOf(index: number): number;
  readonly bytes: number;
}

export interface SettlementCache {
  prime(chunk: SettlementChunk): void;
  get(jobId: JobId, seq: number): ReadableSettlement | Promise<ReadableSettlement | null>;
  forget(jobId: JobId): void;
}

export function createSettlementCache(store: Pick<Store, "readSettlement">): SettlementCache {
  const cache = createByteCache<ReadableSettlement>(CACHE_BYTES_MAX);

  const hold = (chunk: SettlementChunk): ReadableSettlement =>
    cache.hold(keyOf(chunk.jobId, chunk.seq), makeReadable(chunk));

  async function read(jobId: JobId, seq: number): Promise<ReadableSettlement | null> {
    const chunk = await store.readSettlement(jobId, seq);
    return chunk === null ? null : hold(chunk);
  }

  return {
    prime: (chunk) => void hold(chunk),
    get: (jobId, seq) => cache.get(keyOf(jobId, seq)) ?? read(jobId, seq),
    forget: (jobId) => cache.forget((key) => key.startsWith(`${jobId}:`)),
  };
}

const keyOf = (jobId: JobId, seq: number): string => `${jobId}:${seq}`;

export function makeReadable(chunk: SettlementChunk): ReadableSettlement {
  const rows = chunk.sharedValue ? 1 : chunk.count;
  return {
    chunk,
    offsets: valueOffsets(chunk.values, rows),
    rowOf: chunk.sharedValue ? () => 0 : rowFinder(chunk),
    bytes: chunk.values.data.byteLength + 16 * rows + 256,
  };
}

/** Where the row of an index is. */
export function rowFinder(
  chunk: Pick<SettlementChunk, "indexes" | "count">,
): (index: number) => number {
  const { indexes } = chunk;
  if (!(indexes instanceof Uint32Array)) return (index) => index - indexes.first;
  if (isAscending(indexes)) return (index) => searchRow(indexes, index);
  const rows = new Map<number, number>();
  for (let row = 0; row < chunk.count; row++) rows.set(indexes[row] as number, row);
  return (index) => rows.get(index) ?? 0;
}

function isAscending(indexes: Uint32Array): boolean {
  for (let row = 1; row < indexes.length; row++) {
    if ((indexes[row] as number) <= (indexes[row - 1] as number)) return false;
  }
  return true;
}

function searchRow(indexes: Uint32Array, index: number): number {
  let low = 0;
  let high = indexes.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((indexes[middle] as number) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One task's result as it stands in a settlement. */
export function rowValue(entry: ReadableSettlement, row: number): Uint8Array {
  const from = entry.offsets[row] as number;
  return entry.chunk.values.data.subarray(from, from + u32At(entry.chunk.values.lengths, row));
}
