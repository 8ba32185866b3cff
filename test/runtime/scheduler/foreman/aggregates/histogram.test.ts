/** Percentiles are those of a sorted list, within a tenth. */
import { describe, expect, test } from "bun:test";
import {
  addAmount,
  createHistogram,
  type Histogram,
  mergeHistogram,
  percentileOf,
} from "../../../../../src/runtime/scheduler/foreman/aggregates/histogram.ts";
import { createRandom, nextRandom } from "../../../../../src/runtime/scheduler/foreman/random.ts";

const SHARES = [0, 0.01, 0.5, 0.9, 0.95, 0.99, 1];

function histogramOf(amounts: readonly number[]): Histogram {
  const histogram = createHistogram();
  for (const amount of amounts) addAmount(histogram, amount);
  return histogram;
}

function expectPercentiles(histogram: Histogram, amounts: readonly number[]): void {
  const sorted = [...amounts].sort((a, b) => a - b);
  for (const share of SHARES) {
    const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
    const told = percentileOf(histogram, share) as number;
    expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.07);
  }
}

describe("a histogram", () => {
  test("of nothing has no percentiles", () => {
    expect(percentileOf(createHistogram(), 0.5)).toBeNull();
  });

  test("tells small amounts and the largest exactly", () => {
    for (const amount of [0, 1, 7, 8, 15, 0xffff_ffff]) {
      const histogram = histogramOf([amount]);
      expect(histogram.max).toBe(amount);
      expectPercentiles(histogram, [amount]);
    }
  });

  test("takes what is too large for the largest", () => {
    expect(histogramOf([2 ** 40]).max).toBe(0xffff_ffff);
  });

  test("is small for amounts that are alike and bounded for any", () => {
    expect(histogramOf([1000, 1100, 1900]).counts.length).toBeLessThan(10);
    expect(histogramOf([0, 0xffff_ffff]).counts.length).toBeLessThanOrEqual(256);
  });

  test("told of random amounts of all sizes is within a tenth, also when it was put together", () => {
    const random = createRandom(5);
    for (let round = 0; round < 30; round++) {
      const octaves = 1 + Math.floor(nextRandom(random) * 31);
      const amounts = Array.from({ length: 500 }, () =>
        Math.floor(2 ** (nextRandom(random) * octaves)),
      );
      expectPercentiles(histogramOf(amounts), amounts);
      const merged = histogramOf(amounts.slice(0, 100));
      mergeHistogram(merged, histogramOf(amounts.slice(100)));
      expect(merged.count).toBe(500);
      expectPercentiles(merged, amounts);
    }
  });

  test("counts many of one amount at once", () => {
    const histogram = createHistogram();
    addAmount(histogram, 50, 99);
    addAmount(histogram, 9_000, 1);
    expect(histogram.count).toBe(100);
    expect(percentileOf(histogram, 0.99)).toBeCloseTo(50, -1);
    expect(percentileOf(histogram, 1)).toBe(9_000);
  });
});
