/** A chart's values are those of a list of everything that was ever counted. */
import { describe, expect, test } from "bun:test";
import { createRandom, nextRandom } from "../../../../../src/runtime/scheduler/foreman/random.ts";
import {
  countInSeries,
  createSeries,
  cutSeries,
  JOB_SERIES,
  type Series,
  type SeriesSpan,
} from "../../../../../src/runtime/scheduler/foreman/series.ts";

const START_MS = 1_795_000_000_123;
const NOW: Pick<SeriesSpan, "backMs"> = { backMs: 0 };

interface Counted {
  readonly atMs: number;
  readonly settled: number;
  readonly failed: number;
}

function seriesOf(counted: readonly Counted[], sinceMs = START_MS): Series {
  const series = createSeries(JOB_SERIES, sinceMs);
  for (const count of counted) countInSeries(series, count.atMs, count.settled, count.failed);
  return series;
}

const bytesOf = (series: Series): number =>
  series.levels.reduce((sum, { counts }) => sum + counts.byteLength, 0);

describe("a series", () => {
  test("ends with the last whole second", () => {
    const series = seriesOf([
      { atMs: START_MS, settled: 3, failed: 1 },
      { atMs: START_MS + 1_000, settled: 5, failed: 0 },
    ]);
    const cut = cutSeries([series], { nowMs: START_MS + 1_100, windowMs: 60_000, ...NOW });
    expect(cut.untilMs).toBe(1_795_000_001_000);
    expect(cut.settled.length).toBe(60);
    expect(cut.settled.slice(-2)).toEqual([null, 3]);
    expect(cut.failed.at(-1)).toBe(1);
  });

  test("shows of a longer step what has passed of it in whole seconds", () => {
    const series = seriesOf([
      { atMs: START_MS, settled: 3, failed: 1 },
      { atMs: START_MS + 6_000, settled: 5, failed: 0 },
      { atMs: START_MS + 7_000, settled: 9, failed: 0 },
    ]);
    const cut = cutSeries([series], { nowMs: START_MS + 7_500, windowMs: 600_000, ...NOW });
    expect(cut).toMatchObject({ stepMs: 5_000, lastStepMs: 2_000 });
    expect(cut.settled.slice(-2)).toEqual([3, 5]);
  });

  test("knows nothing of the time before it began, and that nothing happened since", () => {
    const series = seriesOf([{ atMs: START_MS + 30_000, settled: 1, failed: 0 }]);
    const cut = cutSeries([series], { nowMs: START_MS + 40_000, windowMs: 60_000, ...NOW });
    expect(cut.settled.slice(0, 20)).toEqual(new Array(20).fill(null));
    expect(cut.settled.slice(20).reduce((a, b) => (a ?? 0) + (b ?? 0), 0)).toBe(1);
    expect(cut.settled.slice(20).includes(null)).toBe(false);
  });

  test("adds what another one knows", () => {
    const before = seriesOf([{ atMs: START_MS + 2_000, settled: 2, failed: 0 }]);
    const after = seriesOf([{ atMs: START_MS + 5_000, settled: 4, failed: 2 }], START_MS + 4_000);
    const span = { nowMs: START_MS + 6_000, windowMs: 60_000, ...NOW };
    expect(cutSeries([before, after], span).settled.slice(-4)).toEqual([2, 0, 0, 4]);
    expect(cutSeries([after], span).settled.slice(-4)).toEqual([null, null, 0, 4]);
  });

  test("is a few bytes while little has happened and bounded after years", () => {
    const series = seriesOf([{ atMs: START_MS, settled: 1, failed: 0 }]);
    expect(bytesOf(series)).toBeLessThan(200);
    for (let day = 1; day < 1_000; day++) {
      for (let hour = 0; hour < 24; hour++) {
        const atMs = START_MS + day * 86_400_000 + hour * 3_600_000;
        countInSeries(series, atMs, 1, 0);
      }
    }
    expect(bytesOf(series)).toBeLessThan(12_000);
  });

  test("after a long silence the time without counts is known to have had none", () => {
    const later = START_MS + 3_600_000;
    const series = seriesOf([
      { atMs: START_MS, settled: 1, failed: 0 },
      { atMs: later, settled: 2, failed: 0 },
    ]);
    const cut = cutSeries([series], { nowMs: later + 1_000, windowMs: 120_000, ...NOW });
    expect(cut.settled).toEqual([...new Array(119).fill(0), 2]);
  });

  test("looks back in time with the finest resolution that reaches there", () => {
    const series = seriesOf([
      { atMs: START_MS, settled: 7, failed: 0 },
      { atMs: START_MS + 7_200_000, settled: 1, failed: 0 },
    ]);
    const span = { nowMs: START_MS + 7_200_000, windowMs: 120_000 };
    expect(cutSeries([series], { ...span, backMs: 60_000 }).stepMs).toBe(1_000);
    const back = cutSeries([series], { ...span, backMs: 7_140_000 });
    expect(back).toMatchObject({ stepMs: 30_000, lastStepMs: 30_000 });
    expect(back.settled).toContain(7);
  });
});

test("random counts are found again in every chart, or are said not to be known", () => {
  const random = createRandom(11);
  const pick = (bound: number): number => Math.floor(nextRandom(random) * bound);
  for (let round = 0; round < 20; round++) {
    const counted: Counted[] = [];
    const series = createSeries(JOB_SERIES, START_MS);
    let atMs = START_MS;
    for (let i = 0; i < 400; i++) {
      atMs += pick(10) === 0 ? pick(2_000_000) : pick(4_000);
      const count = { atMs, settled: 1 + pick(50), failed: pick(2) };
      counted.push(count);
      countInSeries(series, atMs, count.settled, count.failed);
      if (i % 20 !== 0) continue;
      const windowMs = 60_000 * (1 + pick(90));
      const backMs = pick(2) * pick(3_600_000);
      const nowMs = atMs + pick(3_000);
      const cut = cutSeries([series], { nowMs, windowMs, backMs });
      const last = cut.untilMs - cut.lastStepMs;
      cut.settled.forEach((value, at) => {
        const fromMs = last - (cut.settled.length - 1 - at) * cut.stepMs;
        const toMs = Math.min(fromMs + cut.stepMs, cut.untilMs);
        const inStep = counted.filter((c) => c.atMs >= fromMs && c.atMs < toMs);
        if (value === null) {
          // Only what is older than its resolution keeps, or than the series.
          const level = JOB_SERIES.find(({ stepMs }) => stepMs === cut.stepMs);
          const keptMs = cut.stepMs * (level?.stepCount ?? 0);
          expect(toMs <= START_MS || fromMs <= nowMs - keptMs + cut.stepMs).toBe(true);
        } else {
          expect(value).toBe(inStep.reduce((sum, c) => sum + c.settled, 0));
          expect(cut.failed[at]).toBe(inStep.reduce((sum, c) => sum + c.failed, 0));
        }
      });
    }
  }
});
