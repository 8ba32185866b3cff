/** Charts say tasks a second, in few digits. */
import { expect, test } from "bun:test";
import {
  rateView,
  recentRates,
  roundElapsed,
  roundForScreen,
  seriesView,
} from "../../../../../src/runtime/foreman/views/monitor/series-views.ts";
import {
  countInSeries,
  createSeries,
  cutSeries,
  JOB_SERIES,
} from "../../../../../src/runtime/scheduler/foreman/series.ts";

const START_MS = 1_795_000_000_000;

function aSeries() {
  const series = createSeries(JOB_SERIES, START_MS);
  for (let second = 0; second < 10; second++) {
    countInSeries(series, START_MS + second * 1_000, 100 * second, second);
  }
  return series;
}

test("numbers keep three digits and whole small ones stay whole", () => {
  expect([7, 999, 1234, 0.12345, 123_456_789].map(roundForScreen)).toEqual([
    7, 999, 1230, 0.123, 123_000_000,
  ]);
  expect([0.4, 59.9, 3671].map(roundElapsed)).toEqual([0, 59, 3670]);
});

test("a chart of longer steps shows the one under way by what has passed of it", () => {
  const cut = cutSeries([aSeries()], { nowMs: START_MS + 8_000, windowMs: 600_000, backMs: 0 });
  const view = seriesView(cut, "settled");
  expect(view).toMatchObject({ step_seconds: 5, until: new Date(START_MS + 8_000).toISOString() });
  expect(view.values.slice(-3)).toEqual([null, 200, 600]);
});

test("average and peak are those of the chart, and null before anything was settled", () => {
  const span = { nowMs: START_MS + 10_000, windowMs: 60_000, backMs: 0 };
  expect(rateView(cutSeries([aSeries()], span), 512.3)).toEqual({
    now: 512,
    average: 450,
    peak: 900,
  });
  const empty = createSeries(JOB_SERIES, START_MS);
  expect(rateView(cutSeries([empty], span), null)).toEqual({
    now: null,
    average: null,
    peak: null,
  });
});

test("the recent rates are twelve and change every five seconds", () => {
  const series = aSeries();
  const recent = recentRates([series], START_MS + 14_999);
  expect(recent).toEqual([...new Array(10).fill(0), 200, 700]);
  expect(recentRates([series], START_MS + 10_000)).toEqual(recent);
});
