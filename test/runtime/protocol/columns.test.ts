import { describe, expect, test } from "bun:test";
import {
  compactIndexes,
  compactU32,
  concatU32,
  concatValues,
  expandIndexes,
  gatherValues,
  isValueColumnOf,
  sliceValues,
  u32FromBytes,
  u32ToBytes,
  ValueColumnBuilder,
  valueAt,
  valueOffsets,
} from "../../../src/runtime/protocol/columns.ts";
import {
  decodeCommandOutcome,
  encodeCommandOutcome,
} from "../../../src/runtime/protocol/command-outcome.ts";
import { groupKey, placeOf } from "../../../src/runtime/protocol/error-groups.ts";
import { decodeFailure, encodeFailure } from "../../../src/runtime/protocol/failure.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function column(...rows: Uint8Array[]) {
  const builder = new ValueColumnBuilder();
  for (const row of rows) builder.pushValue(row);
  return builder.take();
}

describe("columns", () => {
  test("a column of equal numbers is one number, and joins with others", () => {
    expect(compactU32(Uint32Array.from([3, 3, 3]))).toBe(3);
    expect(concatU32([3, 3], [2, 5])).toBe(3);
    expect(concatU32([3, Uint32Array.from([1, 2])], [2, 2])).toEqual(
      Uint32Array.from([3, 3, 1, 2]),
    );
  });

  test("consecutive indexes are one number", () => {
    expect(compactIndexes(Uint32Array.from([5, 6, 7]))).toEqual({ first: 5 });
    expect(expandIndexes({ first: 5 }, 3)).toEqual(Uint32Array.from([5, 6, 7]));
    expect(compactIndexes(Uint32Array.from([5, 7]))).toEqual(Uint32Array.from([5, 7]));
  });

  test("numbers survive bytes that are not aligned to four", () => {
    const shifted = new Uint8Array(9);
    shifted.set(u32ToBytes(Uint32Array.from([1, 0xffffffff])), 1);
    expect(u32FromBytes(shifted.subarray(1))).toEqual(Uint32Array.from([1, 0xffffffff]));
    expect(u32FromBytes(Buffer.from(shifted.buffer, 1, 8))).toEqual(
      Uint32Array.from([1, 0xffffffff]),
    );
  });

  test("rows are cut, picked and joined", () => {
    const values = column(bytes(1), bytes(2, 2), bytes(3, 3, 3));
    const offsets = valueOffsets(values, 3);
    expect(valueAt(sliceValues(values, 1, 3, offsets), 1)).toEqual(bytes(3, 3, 3));
    const picked = gatherValues(values, Uint32Array.from([2, 0]), offsets);
    expect([valueAt(picked, 0), valueAt(picked, 1)]).toEqual([bytes(3, 3, 3), bytes(1)]);
    const joined = concatValues([values, picked], [3, 2]);
    expect(valueAt(joined, 3)).toEqual(bytes(3, 3, 3));
    expect(isValueColumnOf(joined, 5)).toBe(true);
    expect(isValueColumnOf(joined, 4)).toBe(false);
  });

  test("a builder hands over its rows and begins anew, also beyond its first size", () => {
    const builder = new ValueColumnBuilder();
    const large = new Uint8Array(100_000).fill(7);
    for (let i = 0; i < 300; i++) builder.pushValue(bytes(i & 0xff));
    builder.pushValue(large);
    const first = builder.take();
    builder.pushValue(bytes(9));
    expect(valueAt(first, 300)).toEqual(large);
    expect(valueAt(first, 299)).toEqual(bytes(299 & 0xff));
    expect(valueAt(builder.take(), 0)).toEqual(bytes(9));
  });
});

describe("outcomes and failures as bytes", () => {
  const outcome = {
    exitCode: null,
    signal: "SIGKILL",
    stdout: bytes(1, 2, 3),
    stderr: bytes(255),
    stderrDroppedBytes: 12,
  };

  test("a command's outcome arrives whole", () => {
    expect(decodeCommandOutcome(encodeCommandOutcome(outcome))).toEqual(outcome);
    const ended = { ...outcome, exitCode: 3, signal: null };
    expect(decodeCommandOutcome(encodeCommandOutcome(ended))).toEqual(ended);
  });

  test("an outcome whose stdout lies outside names it", () => {
    const storedStdout = {
      byteCount: 2 ** 33,
      assignment: 2 ** 52 + 1,
      sha256: "0123456789abcdef".repeat(4),
    };
    const stored = { ...outcome, stdout: bytes(), storedStdout };
    const encoded = encodeCommandOutcome(stored);
    expect(decodeCommandOutcome(encoded)).toEqual(stored);
    expect([outcome, stored].map((each) => encodeCommandOutcome(each)[0])).toEqual([4, 6]);
    for (let length = 0; length < encoded.byteLength - stored.stderr.byteLength; length++) {
      expect(() => decodeCommandOutcome(encoded.subarray(0, length))).toThrow();
    }
  });

  test("an outcome that is cut short is an error", () => {
    const whole = encodeCommandOutcome(outcome);
    for (const length of [0, 1, 8, 14, whole.byteLength - 5]) {
      expect(() => decodeCommandOutcome(whole.subarray(0, length))).toThrow();
    }
  });

  test("a failure carries its command's outcome, and long texts are shortened", () => {
    const failure = { code: "exit_status", message: "x".repeat(100_000) };
    const decoded = decodeFailure(encodeFailure(failure, encodeCommandOutcome(outcome)));
    expect(decoded.failure.message.length).toBeLessThanOrEqual(8 * 1024);
    expect(decodeCommandOutcome(decoded.commandOutcome ?? bytes())).toEqual(outcome);
  });
});

describe("groups of failures", () => {
  const failure = (message: string, stack?: string) => ({ code: "error", message, stack });

  test("digits, paths and hexadecimal numbers make no difference; words and places do", () => {
    expect(groupKey(failure("task 17 at /tmp/a/b.txt: 0xdeadbeef99"))).toBe(
      groupKey(failure("task 4 at ./other.txt: 0x12345678aa")),
    );
    expect(groupKey(failure("disk full"))).not.toBe(groupKey(failure("disk fool")));
    expect(groupKey(failure("x", "Error: x\n    at f (job.ts:1:2)"))).not.toBe(
      groupKey(failure("x", "Error: x\n    at f (job.ts:9:2)")),
    );
  });

  test("the place is the author's first frame", () => {
    expect(
      placeOf(failure("x", "Error: x\n    at work (src/job.ts:12:5)\n    at b (c.ts:1:1)")),
    ).toBe("src/job.ts:12:5");
    expect(placeOf(failure("x"))).toBeNull();
  });
});
