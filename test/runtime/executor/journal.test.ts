import { describe, expect, test } from "bun:test";
import {
  createFrameReader,
  decodeResultsFrame,
  type ResultsFrame,
} from "../../../src/runtime/executor/frames.ts";
import {
  createJournal,
  readJournal,
  STATUS_COMPLETED,
  STATUS_FAILED,
} from "../../../src/runtime/executor/journal.ts";
import {
  claimRow,
  JOURNAL_DATA_BYTES,
  runningRow,
} from "../../../src/runtime/executor/shared-cell.ts";
import { u32At, valueAt } from "../../../src/runtime/protocol/columns.ts";
import { VALUE_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import { decodeValue, encodeValue } from "../../../src/runtime/protocol/value.ts";
import { openCellPair } from "./cell.ts";

function openJournal() {
  const [executor, worker] = openCellPair();
  const frames: ResultsFrame[] = [];
  const reader = createFrameReader((_, body) => {
    frames.push(decodeResultsFrame(Uint8Array.from(body)));
  });
  const journal = createJournal(executor, (pieces) => {
    for (const piece of pieces) reader.push(Uint8Array.from(piece));
  });
  journal.begin(9, 0);
  let row = 0;
  const finish = (value: unknown) => {
    claimRow(executor, 0, row++);
    encodeValue(value, journal);
    journal.commit(STATUS_COMPLETED, row);
  };
  return { journal, frames, worker, finish };
}

function show({ firstRow, count, runUs, values }: ResultsFrame): unknown[] {
  const rows = Array.from({ length: count }, (_, place) => place);
  return rows.map((place) => [
    firstRow + place,
    decodeValue(valueAt(values, place)),
    u32At(runUs, place),
  ]);
}

describe("the journal", () => {
  test("can be read by the other side before anything was written", () => {
    const { journal, frames, worker, finish } = openJournal();
    expect(readJournal(worker)).toBeNull();
    finish("a");
    finish([1]);
    const seen = readJournal(worker);
    expect(seen).toMatchObject({ batchId: 9, firstRow: 0, count: 2 });
    expect(show(seen as ResultsFrame)).toEqual([
      [0, "a", 1],
      [1, [1], 2],
    ]);
    expect([frames, runningRow(worker, 0)]).toEqual([[], null]);
    journal.flush();
    expect(readJournal(worker)).toBeNull();
    expect(frames.flatMap(show)).toEqual(show(seen as ResultsFrame));
  });

  test("goes on with the next row after each flush, and writes nothing when empty", () => {
    const { journal, frames, finish } = openJournal();
    journal.flush();
    for (const value of [1, 2, 3]) {
      finish(value);
      journal.flush();
      journal.flush();
    }
    expect(frames.flatMap(show)).toEqual([
      [0, 1, 1],
      [1, 2, 2],
      [2, 3, 3],
    ]);
  });

  test("forgets a value that was never committed", () => {
    const { journal, frames, finish } = openJournal();
    encodeValue("given up", journal);
    finish(1);
    journal.flush();
    expect(frames.flatMap(show)).toEqual([[0, 1, 1]]);
  });

  test("writes itself out when a value does not fit beside the others", () => {
    const { journal, frames, finish } = openJournal();
    const half = "x".repeat(JOURNAL_DATA_BYTES / 2);
    finish("first");
    finish(half);
    finish(new Uint8Array(JOURNAL_DATA_BYTES / 2));
    finish("last");
    journal.flush();
    const rows = frames.flatMap(show) as [number, unknown, number][];
    expect(rows.map(([row]) => row)).toEqual([0, 1, 2, 3]);
    expect([rows[1]?.[1] === half, rows[3]?.[1]]).toEqual([true, "last"]);
  });

  test("writes a value larger than itself at once, after those before it", () => {
    const { journal, frames, worker, finish } = openJournal();
    const large = "é".repeat(JOURNAL_DATA_BYTES);
    finish(1);
    finish(large);
    expect(frames.length).toBe(2);
    expect(readJournal(worker)).toBeNull();
    expect(runningRow(worker, 0)).toBeNull();
    finish(3);
    journal.flush();
    const rows = frames.flatMap(show) as [number, unknown, number][];
    expect(rows.map(([row, value]) => [row, value === large ? "large" : value])).toEqual([
      [0, 1],
      [1, "large"],
      [2, 3],
    ]);
  });

  test("knows the length of what is beyond every limit, without keeping it", () => {
    const { journal, frames } = openJournal();
    encodeValue(new Uint8Array(VALUE_BYTES_MAX), journal);
    expect(journal.valueBytes).toBe(VALUE_BYTES_MAX + 1);
    journal.pushValue(Uint8Array.of(5, 0));
    expect(journal.valueBytes).toBe(2);
    journal.commit(STATUS_FAILED, 1);
    journal.flush();
    expect(frames.map(({ statuses, count }) => [[...statuses], count])).toEqual([[[1], 1]]);
  });

  test("encodes short texts of any characters", () => {
    const { journal, frames, finish } = openJournal();
    const texts = ["", "ascii", "é", "a🎈b", "\u0000", "x".repeat(63), `${"x".repeat(62)}é`];
    for (const text of texts) finish(text);
    journal.flush();
    expect(frames.flatMap(show).map((row) => (row as unknown[])[1])).toEqual(texts);
  });
});
