/** Columns of u32 and of values as the blobs of a row, and back, checked. */
import {
  compactU32,
  type IndexColumn,
  isValueColumnOf,
  type U32Column,
  u32FromBytes,
  u32ToBytes,
  type ValueColumn,
} from "../../protocol/columns.ts";
import { shortestIndexes } from "../settlement-chunk.ts";

/** Thrown by the decoders; whoever reads adds the path and the row. */
export class DamagedRow extends Error {}

/** `implied` is the value that null stands for. */
export function encodeU32(column: U32Column, implied: number | null): Uint8Array | null {
  const shortest = compactU32(column);
  if (typeof shortest !== "number") return u32ToBytes(shortest);
  return shortest === implied ? null : u32ToBytes(Uint32Array.of(shortest));
}

export function decodeU32(bytes: Uint8Array | null, count: number, implied: number): U32Column {
  if (bytes === null) return implied;
  if (bytes.byteLength === 4) return u32FromBytes(bytes)[0] as number;
  if (bytes.byteLength !== 4 * count) {
    throw new DamagedRow(`a column of ${bytes.byteLength} bytes stands for ${count} tasks`);
  }
  return u32FromBytes(plainBytes(bytes));
}

/** The three columns of a row that say which tasks it names. */
export interface IndexRow {
  readonly first: number;
  readonly last: number;
  readonly indexes: Uint8Array | null;
}

export function encodeIndexes(column: IndexColumn, count: number): IndexRow {
  const shortest = shortestIndexes(column);
  if (!(shortest instanceof Uint32Array)) {
    return { first: shortest.first, last: shortest.first + count - 1, indexes: null };
  }
  let first = shortest[0] ?? 0;
  let last = first;
  for (let i = 1; i < shortest.length; i++) {
    const index = shortest[i] as number;
    if (index < first) first = index;
    else if (index > last) last = index;
  }
  return { first, last, indexes: u32ToBytes(shortest) };
}

export function decodeIndexes(bytes: Uint8Array | null, first: number, count: number): IndexColumn {
  if (bytes === null) return { first };
  if (bytes.byteLength !== 4 * count) {
    throw new DamagedRow(`${bytes.byteLength} bytes of indexes stand for ${count} tasks`);
  }
  return u32FromBytes(plainBytes(bytes));
}

export function decodeValues(
  lengths: Uint8Array | null,
  data: Uint8Array | null,
  count: number,
): ValueColumn {
  const values = {
    lengths: decodeU32(lengths, count, 0),
    data: data === null ? new Uint8Array(0) : plainBytes(data),
  };
  if (!isValueColumnOf(values, count)) {
    throw new DamagedRow(`${values.data.byteLength} bytes of values stand for ${count} tasks`);
  }
  return values;
}

/** better-sqlite3 yields Buffers, whose `slice` shares memory; ours are plain arrays. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
