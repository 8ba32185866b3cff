import { expect, test } from "bun:test";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatExactCount,
  formatPlural,
  formatRate,
} from "../../../src/tui/text/amounts.ts";

test.each([
  [0, "0ms"],
  [0.25, "250µs"],
  [340, "340ms"],
  [999.6, "1.0s"],
  [4_200, "4.2s"],
  [9_949, "9.9s"],
  [9_950, "10s"],
  [59_499, "59s"],
  [59_500, "1m00s"],
  [70_000, "1m10s"],
  [599_400, "9m59s"],
  [599_600, "10 min"],
  [56 * 60_000, "56 min"],
  [119.6 * 60_000, "2h00m"],
  [185 * 60_000, "3h05m"],
  [52 * 3_600_000, "2d4h"],
  [-1_500, "-1.5s"],
  [Number.NaN, "?"],
])("%d ms reads %s", (durationMs, expected) => {
  expect(formatDuration(durationMs)).toBe(expected);
});

test.each([
  [0, "0"],
  [999, "999"],
  [9_999, "9,999"],
  [10_000, "10.0k"],
  [78_123, "78.1k"],
  [999_940, "1000k"],
  [999_960, "1.0M"],
  [3_400_000, "3.4M"],
  [123_456_789, "123M"],
  [-12_345, "-12.3k"],
])("a count of %d reads %s", (count, expected) => {
  expect(formatCount(count)).toBe(expected);
});

test("exact counts keep every digit", () => {
  expect(formatExactCount(1_234_567)).toBe("1,234,567");
  expect(formatExactCount(1234.5)).toBe("1,234.5");
  expect(formatPlural(1, "task")).toBe("1 task");
  expect(formatPlural(9_999, "task")).toBe("9,999 tasks");
});

test("bytes, rates and ages", () => {
  expect([812, 1024, 3.4 * 1024 ** 2, 20 * 1024 ** 3].map(formatBytes)).toEqual([
    "812 B",
    "1.0 KiB",
    "3.4 MiB",
    "20.0 GiB",
  ]);
  expect([0.25, 3, 152, 152_000].map(formatRate)).toEqual(["0.3/s", "3/s", "152/s", "152k/s"]);
  expect(formatAge(1_000, 13_000)).toBe("12s ago");
  expect(formatAge(13_000, 1_000)).toBe("in 12s");
});
