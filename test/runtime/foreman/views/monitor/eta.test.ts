/** When all is done, told from what was done in each five seconds of the last minute. */
import { describe, expect, test } from "bun:test";
import { etaSeconds } from "../../../../../src/runtime/foreman/views/monitor/foreman-sums.ts";
import {
  countInSeries,
  createSeries,
  FOREMAN_SERIES,
} from "../../../../../src/runtime/scheduler/foreman/series.ts";

/** @param steps tasks settled in each of the last steps of five seconds. */
function etaOf(steps: readonly number[], left: number): number | null {
  const series = createSeries(FOREMAN_SERIES, 0);
  const beganAtMs = 1_000_000;
  steps.forEach((count, at) => {
    if (count > 0) countInSeries(series, beganAtMs + 5_000 * at + 1, count, 0);
  });
  return etaSeconds(series, { left }, beganAtMs + 5_000 * steps.length + 100);
}

describe("the ETA of all", () => {
  test("is of the usual rate, whatever one stall or one burst says", () => {
    expect(etaOf([50, 50, 50, 50, 50, 50], 1_000)).toBe(100);
    expect(etaOf([50, 50, 0, 50, 500, 50], 1_000)).toBe(100);
  });

  test("counts the time in which nothing ended, where tasks end in waves", () => {
    expect(etaOf([6, 0, 0, 6, 0, 0, 6, 0, 0, 6, 0, 0], 24)).toBe(60);
  });

  test("is not told of a few tasks, nor where nothing is left, nor of the time before anything was done", () => {
    expect(etaOf([3, 3, 3], 100)).toBeNull();
    expect(etaOf([30, 30, 30], 0)).toBeNull();
    expect(etaOf([0, 0, 0, 0, 0, 0, 0, 0, 50, 50], 100)).toBe(10);
  });
});
