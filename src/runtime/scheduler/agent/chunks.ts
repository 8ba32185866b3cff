/** Cutting result columns: into parts that fit a message, and down to single rows. */
import {
  gatherU32,
  gatherValues,
  type IndexColumn,
  indexAt,
  sliceU32,
  sliceValues,
  type U32Column,
  valueOffsets,
} from "../../protocol/columns.ts";
import { BATCH_TASKS_MAX } from "../../protocol/limits.ts";
import type { ResultChunk } from "./events.ts";
import { REPORT_BYTES_MAX } from "./reports.ts";

/** The chunk itself unless it is too large for one report; a single row is never cut. */
export function splitLarge(chunk: ResultChunk): ResultChunk[] {
  const { count, values } = chunk;
  const isFitting = values.data.byteLength <= REPORT_BYTES_MAX && count <= BATCH_TASKS_MAX;
  if (isFitting || count <= 1) return [chunk];
  const offsets = valueOffsets(values, count);
  const parts: ResultChunk[] = [];
  for (let from = 0; from < count; ) {
    let to = from + 1;
    const bytesEnd = (offsets[from] as number) + REPORT_BYTES_MAX;
    while (to < count && to - from < BATCH_TASKS_MAX && (offsets[to + 1] as number) <= bytesEnd)
      to++;
    parts.push(sliceChunk(chunk, from, to, offsets));
    from = to;
  }
  return parts;
}

function sliceChunk(
  chunk: ResultChunk,
  from: number,
  to: number,
  offsets: Uint32Array,
): ResultChunk {
  const { rows, codes } = chunk;
  return {
    status: chunk.status,
    rows: rows instanceof Uint32Array ? rows.subarray(from, to) : { first: rows.first + from },
    count: to - from,
    runUs: sliceU32(chunk.runUs, from, to),
    codes: codes === null ? null : codes.slice(from, to),
    permanent: sliceU32(chunk.permanent, from, to),
    values: sliceValues(chunk.values, from, to, offsets),
  };
}

/** Only the rows at these places of the chunk. */
export function selectRows(chunk: ResultChunk, places: readonly number[]): ResultChunk {
  const at = Uint32Array.from(places);
  const { rows, codes } = chunk;
  return {
    status: chunk.status,
    rows: at.map((place) => indexAt(rows, place)),
    count: at.length,
    runUs: gatherU32(chunk.runUs, at),
    codes: codes === null ? null : places.map((place) => codes[place] as string),
    permanent: gatherU32(chunk.permanent, at),
    values: gatherValues(chunk.values, at, valueOffsets(chunk.values, chunk.count)),
  };
}

export function sumUs({ runUs, count }: ResultChunk): number {
  if (typeof runUs === "number") return runUs * count;
  let total = 0;
  for (let i = 0; i < count; i++) total += runUs[i] as number;
  return total;
}

/** The attempt numbers of an assignment's rows. */
export function attemptsOfRows(attempts: U32Column, rows: IndexColumn, count: number): U32Column {
  if (rows instanceof Uint32Array) return gatherU32(attempts, rows);
  return sliceU32(attempts, rows.first, rows.first + count);
}
