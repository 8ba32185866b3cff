/**
 * Shapes in which settlements are kept and read back, the same in both stores: columns as short as
 * they can be, and a cancelled rest spelled out as the tasks it covered.
 */
import {
  compactIndexes,
  compactU32,
  gatherU32,
  type IndexColumn,
  sliceU32,
  sliceValues,
  type U32Column,
  type ValueColumn,
  valueOffsets,
} from "../protocol/columns.ts";
import { asBootId, asWorkerId, type JobId } from "../protocol/ids.ts";
import type { JobFold, Settlement } from "../scheduler/foreman/facts.ts";
import { unsettledIndexes } from "./settlement-fold.ts";
import type { SettlementChunk, SettlementSketch } from "./store.ts";

/** A cancelled rest as its row says, before the tasks it covers are known. */
export interface RestCancelled {
  readonly jobId: JobId;
  readonly seq: number;
  readonly inputCount: number;
  readonly settledAtMs: number;
  readonly value: Uint8Array;
}

/** `before` is the fold of all rows before this one. */
export function restCancelledChunk(row: RestCancelled, before: JobFold): SettlementChunk {
  const { count, indexes } = unsettledIndexes(before, row.inputCount);
  const attempts = gatherAttempts(before, indexes, count);
  return { ...sharedChunk(row), count, indexes, attempts };
}

export function sketchOf(settlement: Settlement): SettlementSketch {
  const sketch = { ...settlement, sharedValue: false };
  return settlement.status === "completed" ? { ...sketch, values: null } : sketch;
}

/** Without a look at the rows before it. */
export const sketchOfRest = (row: RestCancelled): SettlementSketch => ({
  ...sharedChunk(row),
  count: 0,
  indexes: { first: 0 },
  attempts: 0,
});

/** The part of a cancelled rest that concerns one task. */
export function restCancelledTask(
  row: RestCancelled,
  task: { readonly index: number; readonly attempt: number },
): SettlementChunk {
  const { index, attempt } = task;
  return { ...sharedChunk(row), count: 1, indexes: { first: index }, attempts: attempt };
}

/** One row of a settlement as a settlement of its own; the value is copied, so nothing large is kept. */
export function chunkOfRow(
  chunk: SettlementChunk,
  place: { readonly row: number; readonly index: number },
): SettlementChunk {
  const { row, index } = place;
  const values = sliceValues(chunk.values, row, row + 1, valueOffsets(chunk.values, chunk.count));
  return {
    ...chunk,
    count: 1,
    indexes: { first: index },
    attempts: compactU32(sliceU32(chunk.attempts, row, row + 1)),
    runUs: compactU32(sliceU32(chunk.runUs, row, row + 1)),
    values: { lengths: values.data.byteLength, data: new Uint8Array(values.data) },
  };
}

/** Lists only where the indexes are not consecutive. */
export function shortestIndexes(indexes: IndexColumn): IndexColumn {
  return indexes instanceof Uint32Array ? compactIndexes(indexes) : indexes;
}

/** The lengths as one number where all agree; shares the bytes. */
export function shortestValues(values: ValueColumn): ValueColumn {
  return { lengths: compactU32(values.lengths), data: values.data };
}

function sharedChunk(row: RestCancelled): Omit<SettlementChunk, "count" | "indexes" | "attempts"> {
  return {
    jobId: row.jobId,
    seq: row.seq,
    status: "cancelled",
    workerId: asWorkerId(""),
    bootId: asBootId(""),
    settledAtMs: row.settledAtMs,
    runUs: 0,
    values: { lengths: row.value.byteLength, data: row.value },
    sharedValue: true,
  };
}

function gatherAttempts(fold: JobFold, indexes: IndexColumn, count: number): U32Column {
  if (!(indexes instanceof Uint32Array)) {
    const { first } = indexes;
    return compactU32(Uint32Array.from(fold.attempt.subarray(first, first + count)));
  }
  return compactU32(gatherU32(Uint32Array.from(fold.attempt), indexes));
}
