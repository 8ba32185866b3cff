/** The columns of a row of a log as the bytes that are stored. A column whose entries agree takes one word. */
import { u32FromBytes, u32ToBytes } from "../../protocol/columns.ts";
import type { LogColumns } from "../../protocol/log-columns.ts";
import { DamagedRow } from "../sqlite/binary-columns.ts";

/** Parts or pieces of a row; a cursor counts up to here. */
export const ROW_PIECES_MAX = 65_000;

const ALIKE = 0;
const LISTED = 1;
const U32 = 2 ** 32;
const HEAD_WORDS = 4;

/** Words: counts, the base instant, then each column. */
export function encodeLogColumns(columns: LogColumns): Uint8Array {
  const { index, stream, atMs, firstByte } = columns;
  const baseMs = smallest(atMs);
  const lists = [
    index,
    columns.attempt,
    Uint32Array.from(firstByte, (byte) => byte % U32),
    Uint32Array.from(firstByte, (byte) => Math.floor(byte / U32)),
    columns.pieces,
    stream,
    Uint32Array.from(atMs, (instant) => instant - baseMs),
    columns.length,
  ].map(withoutRepetition);
  const wordCount = lists.reduce((sum, list) => sum + 1 + list.length, HEAD_WORDS);
  const words = new Uint32Array(wordCount);
  words.set([index.length, stream.length, baseMs % U32, Math.floor(baseMs / U32)]);
  let at = HEAD_WORDS;
  for (const list of lists) {
    words[at] = list.length === 1 ? ALIKE : LISTED;
    words.set(list, at + 1);
    at += 1 + list.length;
  }
  return u32ToBytes(words);
}

/** @throws DamagedRow */
export function decodeLogColumns(bytes: Uint8Array): LogColumns {
  if (bytes.byteLength % 4 !== 0) throw new DamagedRow("a log's columns are cut");
  const words = u32FromBytes(bytes);
  const [partCount = 0, pieceCount = 0, baseLow = 0, baseHigh = 0] = words;
  if (partCount > ROW_PIECES_MAX || pieceCount > ROW_PIECES_MAX) {
    throw new DamagedRow(`a row of a log tells of ${pieceCount} pieces`);
  }
  const baseMs = baseHigh * U32 + baseLow;
  let at = HEAD_WORDS;
  const take = (count: number): Uint32Array => {
    const kind = words[at++];
    const length = kind === LISTED ? count : 1;
    if ((kind !== LISTED && kind !== ALIKE) || at + length > words.length) {
      throw new DamagedRow(`a log of ${pieceCount} pieces has cut columns`);
    }
    at += length;
    if (kind === LISTED) return words.subarray(at - length, at);
    return new Uint32Array(count).fill(words[at - 1] as number);
  };
  const index = take(partCount);
  const attempt = take(partCount);
  const firstLow = take(partCount);
  const firstHigh = take(partCount);
  const pieces = take(partCount);
  const stream = take(pieceCount);
  const afterMs = take(pieceCount);
  return {
    index,
    attempt,
    firstByte: Float64Array.from(firstLow, (low, i) => (firstHigh[i] as number) * U32 + low),
    pieces,
    stream,
    atMs: Float64Array.from(afterMs, (after) => baseMs + after),
    length: take(pieceCount),
  };
}

function withoutRepetition(column: Uint32Array): Uint32Array {
  const first = column[0] ?? 0;
  for (let row = 1; row < column.length; row++) if (column[row] !== first) return column;
  return Uint32Array.of(first);
}

function smallest(instants: Float64Array): number {
  let least = instants[0] ?? 0;
  for (const instant of instants) if (instant < least) least = instant;
  return least;
}
