/**
 * How large a job's inputs are and when they came, by the chunks in which they did: a few numbers a
 * chunk, so that an assignment's inputs always fit into one message, whatever their sizes.
 */
import { u32At, type ValueColumn } from "../../../protocol/columns.ts";
import type { InputChunkFacts } from "../facts.ts";

export interface InputSizes {
  /** The chunks' first indexes, ascending. */
  readonly first: number[];
  /** All bytes of the chunk. */
  readonly bytes: number[];
  /** Its largest input. */
  readonly largest: number[];
  /** When it came; NaN: before this state was made. */
  readonly atMs: number[];
  totalBytes: number;
}

/** A guess before there are any. */
const UNKNOWN_INPUT_BYTES = 256;

export function createInputSizes(): InputSizes {
  return { first: [], bytes: [], largest: [], atMs: [], totalBytes: 0 };
}

export function noteInputs(
  sizes: InputSizes,
  chunk: { readonly firstIndex: number; readonly count: number; readonly values: ValueColumn },
  atMs: number,
): void {
  const { firstIndex, count, values } = chunk;
  let largest = 0;
  for (let row = 0; row < count; row++) largest = Math.max(largest, u32At(values.lengths, row));
  sizes.first.push(firstIndex);
  sizes.bytes.push(values.data.byteLength);
  sizes.largest.push(largest);
  sizes.atMs.push(atMs);
  sizes.totalBytes += values.data.byteLength;
}

/** Inputs from before this state was made, as stored. */
export function recallInputs(sizes: InputSizes, chunks: readonly InputChunkFacts[]): void {
  for (const { firstIndex, byteCount } of chunks) {
    sizes.first.push(firstIndex);
    sizes.bytes.push(byteCount);
    // Any single input may be nearly all of it.
    sizes.largest.push(byteCount);
    sizes.atMs.push(Number.NaN);
    sizes.totalBytes += byteCount;
  }
}

export function meanInputBytes(sizes: InputSizes, taskCount: number): number {
  return taskCount === 0 ? UNKNOWN_INPUT_BYTES : Math.max(1, sizes.totalBytes / taskCount);
}

/** When the input came; NaN: nobody knows. */
export const arrivedAtMs = (sizes: InputSizes, index: number): number =>
  sizes.atMs[chunkOf(sizes, index)] ?? Number.NaN;

/** The chunk that holds the input. */
export function chunkOf({ first }: InputSizes, index: number): number {
  let low = 0;
  let high = first.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((first[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}
