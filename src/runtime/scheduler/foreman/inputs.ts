/**
 * How large a job's inputs are, by the chunks in which they came: two numbers a chunk, so that an
 * assignment's inputs always fit into one message, whatever their sizes.
 */
import { u32At, type ValueColumn } from "../../protocol/columns.ts";
import type { InputChunkFacts } from "./facts.ts";

export interface InputSizes {
  /** The chunks' first indexes, ascending. */
  readonly first: number[];
  /** All bytes of the chunk. */
  readonly bytes: number[];
  /** Its largest input. */
  readonly largest: number[];
  totalBytes: number;
}

/** Of inputs that did not pass through this state. */
const UNKNOWN_INPUT_BYTES = 256;

export function createInputSizes(): InputSizes {
  return { first: [], bytes: [], largest: [], totalBytes: 0 };
}

export function noteInputs(
  sizes: InputSizes,
  chunk: { readonly firstIndex: number; readonly count: number; readonly values: ValueColumn },
): void {
  const { firstIndex, count, values } = chunk;
  let largest = 0;
  for (let row = 0; row < count; row++) largest = Math.max(largest, u32At(values.lengths, row));
  sizes.first.push(firstIndex);
  sizes.bytes.push(values.data.byteLength);
  sizes.largest.push(largest);
  sizes.totalBytes += values.data.byteLength;
}

/** Inputs from before this state was made: as stored, or a guess. */
export function recallInputs(
  sizes: InputSizes,
  stored: { readonly count: number; readonly chunks: readonly InputChunkFacts[] | undefined },
): void {
  const { count, chunks } = stored;
  for (const { firstIndex, byteCount } of chunks ?? []) {
    sizes.first.push(firstIndex);
    sizes.bytes.push(byteCount);
    // Any single input may be nearly all of it.
    sizes.largest.push(byteCount);
    sizes.totalBytes += byteCount;
  }
  if (chunks !== undefined || count === 0) return;
  sizes.first.push(0);
  sizes.bytes.push(count * UNKNOWN_INPUT_BYTES);
  sizes.largest.push(UNKNOWN_INPUT_BYTES);
  sizes.totalBytes += count * UNKNOWN_INPUT_BYTES;
}

export function meanInputBytes(sizes: InputSizes, taskCount: number): number {
  return taskCount === 0 ? UNKNOWN_INPUT_BYTES : Math.max(1, sizes.totalBytes / taskCount);
}

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
