import { expect, test } from "bun:test";
import {
  clockMinutes,
  clockTime,
  estimate,
  instantTime,
  shortBytes,
  shortCount,
  shortEstimate,
  shortPercent,
  shortRate,
  shortSeconds,
  wholePercent,
  wholeSeconds,
} from "../../../src/tui/text/fixed.ts";

test.each([
  [0, "0"],
  [9_999, "9999"],
  [10_000, "10k"],
  [21_548, "21.5k"],
  [78_100, "78.1k"],
  [100_000, "100k"],
  [999_499, "999k"],
  [999_500, "1.00M"],
  [1_250_000, "1.25M"],
  [1e9, "1G"],
  [Number.NaN, "--"],
  [null, "--"],
])("a count of %p is %s", (count, expected) => {
  expect(shortCount(count)).toBe(expected);
});

test.each([
  [0, "0"],
  [0.04, "0.04"],
  [0.3, "0.3"],
  [3, "3"],
  [150.4, "150"],
  [1_840, "1.84k"],
  [50_000, "50k"],
  [null, "--"],
  [Number.POSITIVE_INFINITY, "--"],
])("a rate of %p is %s", (rate, expected) => {
  expect(shortRate(rate)).toBe(expected);
});

test.each([
  [0, "0s"],
  [0.0004, "1ms"],
  [0.018, "18ms"],
  [0.18, "180ms"],
  [9.2, "9.2s"],
  [13, "13s"],
  [59.6, "1m00s"],
  [70, "1m10s"],
  [3_599.6, "1h00m"],
  [11_100, "3h05m"],
  [86_399, "1d00h"],
  [187_200, "2d04h"],
  [12_096_000, "140d"],
  [-3, "-3.0s"],
  [null, "--"],
])("%p seconds are %s", (seconds, expected) => {
  expect(shortSeconds(seconds)).toBe(expected);
});

test("per cent says 100 only when it is all, and 0 only when it is nothing", () => {
  expect([0, 0.02, 0.2, 9.94, 9.96, 61.2, 99.7, 100, null].map(shortPercent)).toEqual([
    "0%",
    "<0.1%",
    "0.2%",
    "9.9%",
    "10%",
    "61%",
    "99%",
    "100%",
    "--",
  ]);
});

test("whole per cents have no tenths", () => {
  expect([0, 3.96, 99.6, 140, null].map(wholePercent)).toEqual(["0%", "4%", "100%", "140%", "--"]);
});

test("whole seconds have no tenths", () => {
  expect([0, 3.9, 59, 61, -2].map(wholeSeconds)).toEqual(["0s", "3s", "59s", "1m01s", "0s"]);
});

test("bytes are powers of 1024", () => {
  expect([0, 812, 1023, 410 * 1024 ** 2, 3.1 * 1024 ** 3, 225 * 1024 ** 3].map(shortBytes)).toEqual(
    ["0B", "812B", "1.0K", "410M", "3.1G", "225G"],
  );
});

test("no amount takes more cells than its column has", () => {
  for (let exponent = -6; exponent < 17; exponent++)
    for (const factor of [1, 1.5, 9.949, 9.95, 9.994, 9.995, 9.9951, 9.9999]) {
      const amount = factor * 10 ** exponent;
      expect(shortCount(amount).length).toBeLessThanOrEqual(5);
      expect(shortBytes(amount).length).toBeLessThanOrEqual(5);
      if (exponent < 14) expect(shortRate(amount).length).toBeLessThanOrEqual(5);
      if (exponent < 9) expect(shortSeconds(amount).length).toBeLessThanOrEqual(6);
    }
});

test("an estimate is marked, an unknown one is not", () => {
  expect([estimate(shortSeconds(13)), estimate(shortSeconds(null))]).toEqual(["~13s", "--"]);
});

test("instants read by the clock of who looks", () => {
  const at = new Date(2026, 10, 22, 14, 22, 7);
  expect([clockTime(at.getTime()), clockMinutes(at.getTime())]).toEqual(["14:22:07", "14:22"]);
  expect(instantTime(at.toISOString())).toBe("14:22:07");
  expect([instantTime(null), instantTime("never"), clockMinutes(Number.NaN)]).toEqual([
    "--",
    "--",
    "--",
  ]);
});

test("an estimate never needs more than six cells", () => {
  const shown = [0.4, 13, 70, 599, 690, 3_540, 3_599, 11_100, 36_500, 86_399, 190_000].map(
    shortEstimate,
  );
  expect(shown).toEqual([
    ...["~400ms", "~13s", "~1m10s", "~9m59s", "~12m", "~59m", "~1h00m", "~3h05m", "~10h"],
    ...["~1d00h", "~2d05h"],
  ]);
  expect(shortEstimate(null)).toBe("--");
});
