/**
 * Columns: the shape in which tasks travel. A column of integers is one number for all rows or a
 * Uint32Array; a column of values is every length plus all bytes in one piece. Nothing here looks
 * into a value, and nothing allocates an object per row.
 */
import { assert } from "./error.ts";

/** One u32 a row, or one number that holds for every row. */
export type U32Column = number | Uint32Array;

/** `data` holds the rows' bytes one after the other; `lengths` says where each ends. */
export interface ValueColumn {
  readonly lengths: U32Column;
  readonly data: Uint8Array;
}

export const EMPTY_VALUES: ValueColumn = { lengths: 0, data: new Uint8Array(0) };

export function u32At(column: U32Column, row: number): number {
  return typeof column === "number" ? column : (column[row] ?? 0);
}

/** The rows `from` until `to` (exclusive); shares memory. */
export function sliceU32(column: U32Column, from: number, to: number): U32Column {
  return typeof column === "number" ? column : column.subarray(from, to);
}

/** The given rows, in the given order. */
export function gatherU32(column: U32Column, rows: Uint32Array): U32Column {
  if (typeof column === "number") return column;
  const gathered = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) gathered[i] = column[rows[i] as number] as number;
  return gathered;
}

/** Joins columns of `counts[i]` rows each; stays one number when all agree. */
export function concatU32(columns: readonly U32Column[], counts: readonly number[]): U32Column {
  const first = columns[0] ?? 0;
  if (typeof first === "number" && columns.every((column) => column === first)) return first;
  let total = 0;
  for (const count of counts) total += count;
  const joined = new Uint32Array(total);
  let at = 0;
  columns.forEach((column, i) => {
    const count = counts[i] as number;
    if (typeof column === "number") joined.fill(column, at, at + count);
    else joined.set(column.subarray(0, count), at);
    at += count;
  });
  return joined;
}

/** One number when all rows agree, so that the column costs nothing on the wire and on disk. */
export function compactU32(column: U32Column): U32Column {
  if (typeof column === "number" || column.length === 0) return column;
  const first = column[0] as number;
  for (let i = 1; i < column.length; i++) if (column[i] !== first) return column;
  return first;
}

export function expandU32(column: U32Column, count: number): Uint32Array {
  return typeof column === "number" ? new Uint32Array(count).fill(column) : column;
}

/** The bytes of a u32 column as the wire and the store keep it: little-endian, no padding. */
export function u32ToBytes(column: Uint32Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/** The reverse; copies when the bytes are not aligned to four. */
export function u32FromBytes(bytes: Uint8Array): Uint32Array {
  assert(bytes.byteLength % 4 === 0, "a u32 column has a multiple of four bytes");
  if (bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
  // Not `slice`: on a Buffer that shares memory.
  return new Uint32Array(new Uint8Array(bytes).buffer);
}

/** Where each row begins, and after the last row the end: `count + 1` numbers. */
export function valueOffsets(column: ValueColumn, count: number): Uint32Array {
  const offsets = new Uint32Array(count + 1);
  let at = 0;
  for (let row = 0; row < count; row++) {
    offsets[row] = at;
    at += u32At(column.lengths, row);
  }
  offsets[count] = at;
  return offsets;
}

/** Whether lengths and data agree for `count` rows; the check of what a peer sent. */
export function isValueColumnOf(column: ValueColumn, count: number): boolean {
  if (typeof column.lengths === "number") return column.lengths * count === column.data.byteLength;
  if (column.lengths.length !== count) return false;
  let total = 0;
  for (let row = 0; row < count; row++) total += column.lengths[row] as number;
  return total === column.data.byteLength;
}

/** Rows `from` until `to`; shares memory. `offsets` saves a pass when the caller has them. */
export function sliceValues(
  column: ValueColumn,
  from: number,
  to: number,
  offsets: Uint32Array,
): ValueColumn {
  const data = column.data.subarray(offsets[from] as number, offsets[to] as number);
  return { lengths: sliceU32(column.lengths, from, to), data };
}

/** The given rows in the given order, copied. */
export function gatherValues(
  column: ValueColumn,
  rows: Uint32Array,
  offsets: Uint32Array,
): ValueColumn {
  let total = 0;
  for (let i = 0; i < rows.length; i++) total += u32At(column.lengths, rows[i] as number);
  const data = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    data.set(column.data.subarray(from, to), at);
    at += to - from;
  }
  return { lengths: gatherU32(column.lengths, rows), data };
}

export function concatValues(
  columns: readonly ValueColumn[],
  counts: readonly number[],
): ValueColumn {
  if (columns.length === 1) return columns[0] as ValueColumn;
  let total = 0;
  for (const column of columns) total += column.data.byteLength;
  const data = new Uint8Array(total);
  let at = 0;
  for (const column of columns) {
    data.set(column.data, at);
    at += column.data.byteLength;
  }
  const lengths = concatU32(
    columns.map((column) => column.lengths),
    counts,
  );
  return { lengths, data };
}

/** The bytes of one row. For a walk over all rows take `valueOffsets` once instead. */
export function valueAt(column: ValueColumn, row: number): Uint8Array {
  if (typeof column.lengths === "number") {
    return column.data.subarray(row * column.lengths, (row + 1) * column.lengths);
  }
  let from = 0;
  for (let i = 0; i < row; i++) from += column.lengths[i] as number;
  return column.data.subarray(from, from + (column.lengths[row] as number));
}

/** A stretch of consecutive indexes, or any list; `count` rows either way. */
export type IndexColumn = { readonly first: number } | Uint32Array;

export function indexAt(column: IndexColumn, row: number): number {
  return column instanceof Uint32Array ? (column[row] as number) : column.first + row;
}

/** Keeps a list only where the indexes are not consecutive. */
export function compactIndexes(indexes: Uint32Array): IndexColumn {
  const first = indexes[0] ?? 0;
  for (let i = 1; i < indexes.length; i++) if (indexes[i] !== first + i) return indexes;
  return { first };
}

export function expandIndexes(column: IndexColumn, count: number): Uint32Array {
  if (column instanceof Uint32Array) return column;
  const indexes = new Uint32Array(count);
  for (let i = 0; i < count; i++) indexes[i] = column.first + i;
  return indexes;
}

/** What the codec writes an encoded value to: one call a value. */
export interface ValueSink {
  /** A kind byte alone. */
  pushKind(kind: number): void;
  pushText(kind: number, text: string): void;
  pushBytes(kind: number, bytes: Uint8Array): void;
}

const encoder = new TextEncoder();

/** Gathers values row by row into one growing buffer; `take()` hands the column over and restarts. */
export class ValueColumnBuilder implements ValueSink {
  private lengths = new Uint32Array(256);
  private data: Uint8Array = new Uint8Array(16 * 1024);
  private rows = 0;
  private used = 0;

  get count(): number {
    return this.rows;
  }

  get byteCount(): number {
    return this.used;
  }

  pushKind(kind: number): void {
    this.reserve(1);
    this.data[this.used] = kind;
    this.endRow(1);
  }

  pushText(kind: number, text: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.reserve(1 + text.length * 3);
    this.data[this.used] = kind;
    const { written } = encoder.encodeInto(text, this.data.subarray(this.used + 1));
    this.endRow(1 + written);
  }

  pushBytes(kind: number, bytes: Uint8Array): void {
    this.reserve(1 + bytes.byteLength);
    this.data[this.used] = kind;
    this.data.set(bytes, this.used + 1);
    this.endRow(1 + bytes.byteLength);
  }

  /** A value that already has its kind byte. */
  pushValue(value: Uint8Array): void {
    this.reserve(value.byteLength);
    this.data.set(value, this.used);
    this.endRow(value.byteLength);
  }

  /** Takes the last row back, for a value that turned out too large. */
  dropLast(): void {
    this.rows--;
    this.used -= this.lengths[this.rows] as number;
  }

  lengthOfLast(): number {
    return this.lengths[this.rows - 1] as number;
  }

  take(): ValueColumn {
    const lengths = compactU32(this.lengths.slice(0, this.rows));
    const data = this.data.slice(0, this.used);
    this.rows = 0;
    this.used = 0;
    // One huge value must not pin its buffer for ever.
    if (this.data.byteLength > 4 * 1024 * 1024) this.data = new Uint8Array(16 * 1024);
    return { lengths, data };
  }

  private endRow(length: number): void {
    if (this.rows === this.lengths.length) {
      const wider = new Uint32Array(this.lengths.length * 2);
      wider.set(this.lengths);
      this.lengths = wider;
    }
    this.lengths[this.rows++] = length;
    this.used += length;
  }

  private reserve(bytes: number): void {
    const needed = this.used + bytes;
    if (needed <= this.data.byteLength) return;
    const wider = new Uint8Array(Math.max(needed, this.data.byteLength * 2));
    wider.set(this.data.subarray(0, this.used));
    this.data = wider;
  }
}
