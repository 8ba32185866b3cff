/**
 * Which rows of a settlement log ever held one task, and where in the row: the task's history over
 * retries. Pure; rows that cannot cover the task may be left out by the caller.
 */
import type { IndexColumn } from "../protocol/columns.ts";
import { u32At } from "../protocol/columns.ts";
import type { LogHeader } from "./settlement-fold.ts";

/** One row that held the task; `row` is its place in the columns. */
export interface HistoryPlace {
  readonly seq: number;
  readonly row: number;
  /** As far as settlements tell. */
  readonly attempt: number;
}

/** Walks the rows in the order of `seq`. */
export function planTaskHistory(rows: Iterable<LogHeader>, index: number): HistoryPlace[] {
  const places: HistoryPlace[] = [];
  let isSettled = false;
  let attempt = 0;
  for (const header of rows) {
    if (header.kind === "rest_cancelled") {
      if (isSettled || index >= header.inputCount) continue;
      isSettled = true;
      places.push({ seq: header.seq, row: 0, attempt });
      continue;
    }
    const row = rowOfIndex(header.indexes, header.count, index);
    if (row < 0) continue;
    isSettled = header.kind === "settle";
    if (header.kind === "reopen") continue;
    attempt = u32At(header.attempts, row);
    places.push({ seq: header.seq, row, attempt });
  }
  return places;
}

/** The row of this index, or -1. */
export function rowOfIndex(indexes: IndexColumn, count: number, index: number): number {
  if (indexes instanceof Uint32Array) return indexes.indexOf(index);
  const row = index - indexes.first;
  return row >= 0 && row < count ? row : -1;
}
