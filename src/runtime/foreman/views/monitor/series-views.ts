/**
 * Charts and rates as they travel: per second, and rounded to three digits, so that a value changes only
 * when a person could see it.
 */
import type { RateView, SeriesView } from "../../../protocol/monitor-views.ts";
import { cutSeries, type Series, type SeriesCut } from "../../../scheduler/foreman/series.ts";

const DIGITS = 3;
const RECENT_MS = 60_000;
const RECENT_STEP_MS = 5_000;

/** To three digits; whole numbers stay whole. */
export function roundForScreen(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 10 ** DIGITS) return value;
  return Number(value.toPrecision(DIGITS));
}

export const roundOrNull = (value: number | null): number | null =>
  value === null ? null : roundForScreen(value);

/** Seconds of a span that grows: whole ones, and beyond a quarter of an hour in rounder steps. */
export const roundElapsed = (seconds: number): number => roundForScreen(Math.floor(seconds));

/** An instant that changes once a second. */
export const wholeSecond = (atMs: number): string =>
  new Date(Math.floor(atMs / 1000) * 1000).toISOString();

/** How long something runs: tenths of a second up to ten, whole seconds beyond. */
export const roundRunning = (milliseconds: number): number => {
  const tenths = Math.max(0, Math.floor(milliseconds / 100));
  return tenths < 100 ? tenths / 10 : roundElapsed(tenths / 10);
};

/** Settled or failed tasks a second. */
export function seriesView(cut: SeriesCut, column: "settled" | "failed"): SeriesView {
  return {
    step_seconds: cut.stepMs / 1000,
    until: new Date(cut.untilMs).toISOString(),
    values: perSecond(cut, cut[column]).map(roundOrNull),
  };
}

/** `now` is the machine's own rate; average and peak are those of the chart. */
export function rateView(cut: SeriesCut, now: number | null): RateView {
  let count = 0;
  let seconds = 0;
  cut.settled.forEach((settled, at) => {
    if (settled === null) return;
    count += settled;
    seconds += stepSeconds(cut, at);
  });
  const peak = Math.max(0, ...perSecond(cut, cut.settled).map((value) => value ?? 0));
  return {
    now: roundOrNull(now),
    average: count === 0 ? null : roundForScreen(count / seconds),
    peak: count === 0 ? null : roundForScreen(peak),
  };
}

/** Settled tasks a second over the last minute, a value each whole 5 seconds; not known is none. */
export function recentRates(series: readonly Series[], nowMs: number): number[] {
  const untilMs = Math.floor(nowMs / RECENT_STEP_MS) * RECENT_STEP_MS;
  const span = { nowMs: untilMs, windowMs: RECENT_MS, backMs: 0, stepMsMin: RECENT_STEP_MS };
  const cut = cutSeries(series, span);
  return perSecond(cut, cut.settled).map((value) => roundForScreen(value ?? 0));
}

function perSecond(cut: SeriesCut, counts: readonly (number | null)[]): (number | null)[] {
  return counts.map((count, at) => (count === null ? null : count / stepSeconds(cut, at)));
}

const stepSeconds = (cut: SeriesCut, at: number): number =>
  (at === cut.settled.length - 1 ? cut.lastStepMs : cut.stepMs) / 1000;
