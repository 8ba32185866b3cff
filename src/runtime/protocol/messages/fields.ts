/**
 * The fields messages are made of. Columns decode from both sub-protocols: from MessagePack as
 * little-endian bytes (or one number for all rows), from JSON as arrays.
 */

import * as z from "zod/mini";
import { fromBase64 } from "../base64.ts";
import {
  isValueColumnOf,
  type U32Column,
  u32FromBytes,
  type ValueColumn,
  ValueColumnBuilder,
} from "../columns.ts";
import { BATCH_TASKS_MAX, RECORDED_BYTES_MAX } from "../limits.ts";
import { DURATION_MS_MAX } from "../quantity.ts";
import { encodeJsonValue } from "../value.ts";

const U32_MAX = 0xffffffff;

const isU32 = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= U32_MAX;

export const u32 = z.int().check(z.minimum(0), z.maximum(U32_MAX));
/** Up to what people may ask for, which a u32 does not hold. */
export const durationMs = z.int().check(z.minimum(0), z.maximum(DURATION_MS_MAX));
export const request = z.int().check(z.minimum(0));
export const jobId = z.int().check(z.minimum(1));
export const assignmentId = z.number().check(z.minimum(1));
export const sequence = z.int().check(z.minimum(0));
/** Rows of a batch. */
export const taskCount = z.int().check(z.minimum(0), z.maximum(BATCH_TASKS_MAX));
export const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const shortText = z.string().check(z.maxLength(4096));

/** A u32 a row: bytes, an array, or one number that holds for all rows. */
export const u32Column = z.pipe(
  z.custom<unknown>(isU32ColumnOnWire, "expected a u32 column"),
  z.transform(decodeU32Column),
);

/** A list of u32: as the column, but never one number for all. */
export const u32List = z.pipe(
  z.custom<unknown>(
    (value) => typeof value !== "number" && isU32ColumnOnWire(value),
    "expected a list of u32",
  ),
  z.transform((value) => decodeU32Column(value) as Uint32Array),
);

/** One value a row: `{lengths, data}`, or an array of tagged JSON values. */
export const valueColumn = z.pipe(
  z.custom<unknown>(isValueColumnOnWire, "expected a value column"),
  z.transform(decodeValueColumn),
);

export const bytes = z.pipe(
  z.custom<unknown>(
    (value) => value instanceof Uint8Array || typeof value === "string",
    "expected bytes (base64 in JSON)",
  ),
  z.transform(
    (value): Uint8Array => (value instanceof Uint8Array ? value : fromBase64(value as string)),
  ),
);

function isU32ColumnOnWire(value: unknown): boolean {
  if (isU32(value)) return true;
  if (value instanceof Uint8Array) return value.byteLength % 4 === 0;
  return Array.isArray(value) && value.every(isU32);
}

function decodeU32Column(value: unknown): U32Column {
  if (typeof value === "number") return value;
  return value instanceof Uint8Array ? u32FromBytes(value) : Uint32Array.from(value as number[]);
}

function isValueColumnOnWire(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= BATCH_TASKS_MAX;
  if (typeof value !== "object" || value === null) return false;
  const { lengths, data } = value as { lengths?: unknown; data?: unknown };
  return data instanceof Uint8Array && isU32ColumnOnWire(lengths);
}

function decodeValueColumn(value: unknown): ValueColumn {
  if (!Array.isArray(value)) {
    const { lengths, data } = value as { lengths: unknown; data: Uint8Array };
    return { lengths: decodeU32Column(lengths), data };
  }
  const builder = new ValueColumnBuilder();
  for (const json of value) {
    if (isOpaque(json)) builder.pushValue(fromBase64(json.$value));
    else encodeJsonValue(json, builder);
  }
  return builder.take();
}

/** Kinds without a JSON form travel whole; an author's own `$value` key arrives doubled. */
function isOpaque(json: unknown): json is { readonly $value: string } {
  return (
    typeof json === "object" && json !== null && "$value" in json && typeof json.$value === "string"
  );
}

/** Whether a column's rows agree with the message's count and no value exceeds the limit. */
export function isWholeColumn(column: ValueColumn, count: number): boolean {
  if (!isValueColumnOf(column, count)) return false;
  const { lengths } = column;
  if (count === 0) return true;
  if (typeof lengths === "number") return lengths >= 1 && lengths <= RECORDED_BYTES_MAX;
  return lengths.every((length) => length >= 1 && length <= RECORDED_BYTES_MAX);
}

export function isColumnOf(column: U32Column, count: number): boolean {
  return typeof column === "number" || column.length === count;
}
