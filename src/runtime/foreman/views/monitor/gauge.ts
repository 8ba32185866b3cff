/**
 * A figure over time that is looked at now and then, such as a queue's depth or a machine's load: what
 * it was in each step, at several resolutions in arrays of a fixed size. A step that saw no look has
 * the figure of the one before, for as long as a look may be away; then it is not known.
 */
import type { SeriesView } from "../../../protocol/monitor-views.ts";
import { roundOrNull } from "./series-views.ts";

export interface GaugeShape {
  readonly stepMs: number;
  readonly stepCount: number;
}

/** A chart has no more columns to show them. */
const VALUES_MAX = 120;

export interface Gauge {
  /** The mean of what is said within a step is what it shows. */
  look(atMs: number, value: number): void;
  /** The newest figure; null: none, or too old. */
  latest(nowMs: number): number | null;
  view(span: GaugeSpan): SeriesView;
  /** The values of the newest `count` whole steps of this length, the oldest first. */
  recent(nowMs: number, stepMs: number, count: number): (number | null)[];
}

export interface GaugeSpan {
  readonly nowMs: number;
  readonly windowMs: number;
  readonly backMs: number;
}

interface Level extends GaugeShape {
  /** NaN: not known. */
  readonly values: Float32Array;
  readonly looks: Uint16Array;
  /** The newest step that was looked at; -1: none. */
  step: number;
}

/** @param holdMs how long a figure is taken to be what it was. */
export function createGauge(shapes: readonly GaugeShape[], holdMs: number): Gauge {
  const levels: Level[] = shapes.map((shape) => ({
    ...shape,
    values: new Float32Array(shape.stepCount).fill(Number.NaN),
    looks: new Uint16Array(shape.stepCount),
    step: -1,
  }));
  let last: { readonly atMs: number; readonly value: number } | null = null;

  function look(atMs: number, value: number): void {
    const held = last !== null && atMs - last.atMs <= holdMs ? last.value : Number.NaN;
    for (const level of levels) noteIn(level, Math.floor(atMs / level.stepMs), value, held);
    last = { atMs, value };
  }

  function valuesOf(level: Level, firstStep: number, count: number, nowMs: number) {
    const nowStep = Math.floor(nowMs / level.stepMs);
    return Array.from({ length: count }, (_, at) => valueAt(level, firstStep + at, nowStep));
  }

  function valueAt(level: Level, step: number, nowStep: number): number | null {
    if (level.step < 0 || step > nowStep || step <= level.step - level.stepCount) return null;
    if (step > level.step) {
      // Nothing was said since: it is what it was, until that is too long ago.
      return last !== null && step * level.stepMs - last.atMs <= holdMs ? last.value : null;
    }
    const value = level.values[step % level.stepCount] as number;
    return Number.isNaN(value) ? null : value;
  }

  return {
    look,
    latest: (nowMs) => (last === null || nowMs - last.atMs > holdMs ? null : last.value),
    view({ nowMs, windowMs, backMs }) {
      const level = levelFor(levels, windowMs, backMs);
      const { stepMs } = level;
      const lastStep = Math.floor((nowMs - backMs) / stepMs);
      const count = Math.ceil(windowMs / stepMs);
      return {
        step_seconds: stepMs / 1000,
        until: new Date((lastStep + 1) * stepMs).toISOString(),
        values: valuesOf(level, lastStep - count + 1, count, nowMs).map(roundOrNull),
      };
    },
    recent(nowMs, stepMs, count) {
      const level = levels.find((candidate) => candidate.stepMs === stepMs) ?? (levels[0] as Level);
      const firstStep = Math.floor(nowMs / level.stepMs) - count;
      return valuesOf(level, firstStep, count, nowMs);
    },
  };
}

/** The finest resolution that reaches so far back without too many values. */
function levelFor(levels: readonly Level[], windowMs: number, backMs: number): Level {
  const found = levels.find(
    ({ stepMs, stepCount }) =>
      stepMs * VALUES_MAX >= windowMs && stepMs * stepCount >= windowMs + backMs,
  );
  return found ?? (levels.at(-1) as Level);
}

function noteIn(level: Level, step: number, value: number, held: number): void {
  const slot = step % level.stepCount;
  if (step === level.step) {
    const looks = Math.min(level.looks[slot] as number, 0xfffe) + 1;
    const mean = level.values[slot] as number;
    level.values[slot] = mean + (value - mean) / looks;
    level.looks[slot] = looks;
    return;
  }
  if (step < level.step) return;
  const firstGap = Math.max(level.step + 1, step - level.stepCount + 1);
  if (level.step >= 0) {
    for (let gap = firstGap; gap < step; gap++) level.values[gap % level.stepCount] = held;
  }
  level.values[slot] = value;
  level.looks[slot] = 1;
  level.step = step;
}
