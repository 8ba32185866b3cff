/**
 * Turns what an executor reports into result chunks: of one status each, without rows that were
 * reported before and without those whose result does not count any more. Pure; values are not looked
 * into, except for the codes of failures.
 */

import type { ResultsFrame } from "../../executor/frames.ts";
import { malformedFrame } from "../../executor/frames.ts";
import { STATUS_COMPLETED, STATUS_FAILED, STATUS_SKIPPED } from "../../executor/journal.ts";
import {
  compactIndexes,
  compactU32,
  gatherU32,
  gatherValues,
  isValueColumnOf,
  sliceU32,
  sliceValues,
  valueOffsets,
} from "../../protocol/columns.ts";
import { decodeFailure, encodeFailure, type Failure } from "../../protocol/failure.ts";
import type { ResultChunk } from "../../scheduler/agent/events.ts";

export interface SplitResults {
  readonly chunks: readonly ResultChunk[];
  /** Cancelled before they started. */
  readonly skippedRows: Uint32Array;
}

const NO_ROWS = new Uint32Array(0);

/** @throws CcError `malformed_frame` when columns do not fit together. */
export function splitResults(
  frame: ResultsFrame,
  receivedCount: number,
  droppedRows: ReadonlySet<number>,
): SplitResults {
  if (!isValueColumnOf(frame.values, frame.count)) throw malformedFrame();
  const fresh = withoutFirst(frame, receivedCount - frame.firstRow);
  if (fresh.count === 0) return { chunks: [], skippedRows: NO_ROWS };
  if (droppedRows.size === 0 && fresh.statuses.every((status) => status === STATUS_COMPLETED)) {
    return { chunks: [completedChunk(fresh)], skippedRows: NO_ROWS };
  }
  return splitByStatus(fresh, droppedRows);
}

/** A single failure that the worker itself found, such as a time-out. */
export function failureChunk(row: number, runUs: number, failure: Failure): ResultChunk {
  const data = encodeFailure(failure);
  return {
    status: "failed",
    rows: { first: row },
    count: 1,
    // The column is u32: 71 minutes.
    runUs: Math.min(0xffff_ffff, runUs),
    codes: [failure.code],
    permanent: failure.permanent ? 1 : 0,
    values: { lengths: data.byteLength, data },
  };
}

/** What the journal held may be reported twice: by the executor, and by a look into the cell. */
function withoutFirst(frame: ResultsFrame, dropCount: number): ResultsFrame {
  if (dropCount <= 0) return frame;
  const { count, values } = frame;
  const from = Math.min(dropCount, count);
  return {
    batchId: frame.batchId,
    firstRow: frame.firstRow + from,
    count: count - from,
    runUs: frame.runUs.subarray(from),
    statuses: frame.statuses.subarray(from),
    values: sliceValues(values, from, count, valueOffsets(values, count)),
  };
}

function completedChunk(frame: ResultsFrame): ResultChunk {
  const { firstRow, count, runUs, values } = frame;
  return {
    status: "completed",
    rows: { first: firstRow },
    count,
    runUs: compactU32(runUs),
    codes: null,
    permanent: 0,
    values: { lengths: compactU32(values.lengths), data: values.data },
  };
}

function splitByStatus(frame: ResultsFrame, droppedRows: ReadonlySet<number>): SplitResults {
  const offsets = valueOffsets(frame.values, frame.count);
  const places = (status: number) =>
    placesOf(frame, (place) => {
      return frame.statuses[place] === status && !droppedRows.has(frame.firstRow + place);
    });
  const chunks: ResultChunk[] = [];
  const completed = places(STATUS_COMPLETED);
  if (completed.length > 0) chunks.push(gatherChunk(frame, completed, offsets, "completed"));
  const failed = places(STATUS_FAILED);
  if (failed.length > 0) chunks.push(gatherChunk(frame, failed, offsets, "failed"));
  return { chunks, skippedRows: toRows(frame, places(STATUS_SKIPPED)) };
}

function gatherChunk(
  frame: ResultsFrame,
  places: Uint32Array,
  offsets: Uint32Array,
  status: "completed" | "failed",
): ResultChunk {
  const values = gatherValues(frame.values, places, offsets);
  const count = places.length;
  const base = {
    rows: compactIndexes(toRows(frame, places)),
    count,
    runUs: compactU32(gatherU32(frame.runUs, places)),
    values,
  };
  if (status === "completed") return { ...base, status, codes: null, permanent: 0 };
  const failures = readFailures(values.data, sliceU32(values.lengths, 0, count), count);
  const permanent = Uint32Array.from(failures, (failure) => (failure.permanent ? 1 : 0));
  return {
    ...base,
    status,
    codes: failures.map(({ code }) => code),
    permanent: compactU32(permanent),
  };
}

function readFailures(data: Uint8Array, lengths: number | Uint32Array, count: number): Failure[] {
  const offsets = valueOffsets({ lengths, data }, count);
  const failures: Failure[] = [];
  for (let place = 0; place < count; place++) {
    failures.push(decodeFailure(data.subarray(offsets[place], offsets[place + 1])).failure);
  }
  return failures;
}

function placesOf(frame: ResultsFrame, isWanted: (place: number) => boolean): Uint32Array {
  const places: number[] = [];
  for (let place = 0; place < frame.count; place++) if (isWanted(place)) places.push(place);
  return Uint32Array.from(places);
}

const toRows = ({ firstRow }: ResultsFrame, places: Uint32Array): Uint32Array =>
  places.map((place) => firstRow + place);
