import { describe, expect, test } from "bun:test";
import type { ResultsFrame } from "../../../../src/runtime/executor/frames.ts";
import {
  STATUS_COMPLETED,
  STATUS_FAILED,
  STATUS_SKIPPED,
} from "../../../../src/runtime/executor/journal.ts";
import { ValueColumnBuilder } from "../../../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import { encodeValue } from "../../../../src/runtime/protocol/value.ts";
import {
  failureChunk,
  splitResults,
} from "../../../../src/runtime/worker/executors/executor-results.ts";

/** A row is a value, a failure code, or skipped. */
type Row = { readonly value: unknown } | { readonly code: string } | "skipped";

function frameOf(firstRow: number, rows: readonly Row[]): ResultsFrame {
  const builder = new ValueColumnBuilder();
  const statuses = rows.map((row) => {
    if (row === "skipped") builder.pushKind(0);
    else if ("value" in row) encodeValue(row.value, builder);
    else
      builder.pushValue(
        encodeFailure({ code: row.code, message: "m", permanent: row.code === "p" }),
      );
    return row === "skipped" ? STATUS_SKIPPED : "value" in row ? STATUS_COMPLETED : STATUS_FAILED;
  });
  const { lengths, data } = builder.take();
  const column = typeof lengths === "number" ? new Uint32Array(rows.length).fill(lengths) : lengths;
  return {
    batchId: 1,
    firstRow,
    count: rows.length,
    runUs: Uint32Array.from(rows, (_, i) => 10 * (firstRow + i)),
    statuses: Uint8Array.from(statuses),
    values: { lengths: column, data },
  };
}

const text = (data: Uint8Array) => new TextDecoder().decode(data);
const value = (number: number): Row => ({ value: number });

describe("splitting results", () => {
  test("passes completed rows through as one chunk", () => {
    const { chunks, skippedRows } = splitResults(frameOf(3, [value(1), value(2)]), 3, new Set());
    expect(skippedRows.length).toBe(0);
    expect(chunks).toEqual([
      {
        status: "completed",
        rows: { first: 3 },
        count: 2,
        runUs: Uint32Array.of(30, 40),
        codes: null,
        permanent: 0,
        values: { lengths: 2, data: new Uint8Array([1, 0x31, 1, 0x32]) },
      },
    ]);
  });

  test("leaves out what was reported before", () => {
    const frame = frameOf(0, [value(1), value(2), value(3)]);
    const { chunks } = splitResults(frame, 2, new Set());
    expect(chunks.map(({ rows, count }) => [rows, count])).toEqual([[{ first: 2 }, 1]]);
    expect(text(chunks[0]?.values.data ?? new Uint8Array(0))).toBe("\u00013");
    expect(splitResults(frame, 3, new Set()).chunks).toEqual([]);
  });

  test("parts completed, failed and skipped rows, and drops those that do not count", () => {
    const rows: Row[] = [value(1), { code: "error" }, "skipped", { code: "p" }, value(5), value(6)];
    const { chunks, skippedRows } = splitResults(frameOf(10, rows), 10, new Set([15]));
    expect([...skippedRows]).toEqual([12]);
    expect(chunks.map(({ status, rows: at, count }) => [status, at, count])).toEqual([
      ["completed", Uint32Array.of(10, 14), 2],
      ["failed", Uint32Array.of(11, 13), 2],
    ]);
    expect(text(chunks[0]?.values.data ?? new Uint8Array(0))).toBe("\u00011\u00015");
    expect(chunks[1]).toMatchObject({ codes: ["error", "p"], permanent: Uint32Array.of(0, 1) });
  });

  test("refuses columns that do not fit together", () => {
    const frame = frameOf(0, [value(1)]);
    const broken = { ...frame, values: { ...frame.values, data: new Uint8Array(1) } };
    expect(() => splitResults(broken, 0, new Set())).toThrow("no frame of ours");
  });
});

test("a failure after more than 71 minutes says the longest time that its column holds", () => {
  const failure = { code: "timeout", message: "late" };
  expect(failureChunk(3, 2 ** 33, failure)).toMatchObject({
    rows: { first: 3 },
    runUs: 2 ** 32 - 1,
  });
});
