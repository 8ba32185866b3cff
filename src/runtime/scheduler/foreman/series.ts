/**
 * How many tasks were settled when, at several resolutions, so that a chart of any length costs a look
 * at a few hundred numbers. Each resolution keeps the newest steps in an array that grows with the time
 * it covers, up to its bound. Steps begin at multiples of their length on the foreman's time line; what
 * is older than the bound, or than `sinceMs`, is not known rather than zero.
 */

export interface SeriesShape {
  readonly stepMs: number;
  /** At least so many of the newest steps are kept. */
  readonly stepCount: number;
}

/** Of a job: two minutes by seconds, an hour by half minutes, half a day by five minutes. */
export const JOB_SERIES: readonly SeriesShape[] = [
  { stepMs: 1_000, stepCount: 240 },
  { stepMs: 5_000, stepCount: 240 },
  { stepMs: 30_000, stepCount: 360 },
  { stepMs: 300_000, stepCount: 288 },
];

/** Of the whole foreman: there is one, so it may remember more. */
export const FOREMAN_SERIES: readonly SeriesShape[] = [
  { stepMs: 1_000, stepCount: 3_600 },
  { stepMs: 5_000, stepCount: 2_880 },
  { stepMs: 30_000, stepCount: 2_880 },
  { stepMs: 300_000, stepCount: 576 },
];

/** A chart has no more columns to show them; the finest resolution with so few is taken. */
const VALUES_MAX = 120;
const STEPS_AT_FIRST = 4;
const SECOND_MS = 1_000;

export interface Series {
  /** What was before is not known. */
  sinceMs: number;
  /** From the finest to the coarsest. */
  readonly levels: readonly SeriesLevel[];
}

interface SeriesLevel {
  readonly stepMs: number;
  readonly stepCount: number;
  /** The step (since the epoch) that `counts` begins with; -1: nothing was counted yet. */
  firstStep: number;
  /** What was counted in older steps is forgotten; steps from here on without counts had none. */
  knownFromStep: number;
  /** By step first all settled ones, then the failed ones of them. */
  counts: Uint32Array;
}

const NOTHING = new Uint32Array(0);

export function createSeries(shapes: readonly SeriesShape[], sinceMs: number): Series {
  const levels = shapes.map((shape) => ({
    ...shape,
    firstStep: -1,
    knownFromStep: 0,
    counts: NOTHING,
  }));
  return { sinceMs, levels };
}

/** `failed` of the `settled` ones. What is older than all that was counted before is left out. */
export function countInSeries(series: Series, atMs: number, settled: number, failed: number): void {
  for (const level of series.levels) {
    const step = Math.floor(atMs / level.stepMs);
    const at = 2 * (step - level.firstStep);
    const slot =
      level.firstStep >= 0 && at >= 0 && at < level.counts.length ? at : reach(level, step);
    if (slot < 0) continue;
    level.counts[slot] = (level.counts[slot] as number) + settled;
    level.counts[slot + 1] = (level.counts[slot + 1] as number) + failed;
  }
}

/** A chart's values, the oldest first; null: not known. */
export interface SeriesCut {
  readonly stepMs: number;
  readonly untilMs: number;
  /** How much of the last step has passed by `untilMs`; the other steps are whole. */
  readonly lastStepMs: number;
  /** Counts by step. */
  readonly settled: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
}

export interface SeriesSpan {
  readonly nowMs: number;
  readonly windowMs: number;
  /** The chart ends so long before now. */
  readonly backMs: number;
  /** No finer than this. */
  readonly stepMsMin?: number;
}

/**
 * The last whole seconds up to now, or whole steps further back. Of several series the counts are added:
 * what is not known of one may be known of another.
 */
export function cutSeries(all: readonly Series[], span: SeriesSpan): SeriesCut {
  const at = levelFor(all[0]?.levels ?? [], span);
  const stepMs = all[0]?.levels[at]?.stepMs ?? SECOND_MS;
  const grainMs = span.backMs === 0 ? SECOND_MS : stepMs;
  const untilMs = Math.floor((span.nowMs - span.backMs) / grainMs) * grainMs;
  const lastStep = Math.ceil(untilMs / stepMs) - 1;
  const firstStep = lastStep - Math.ceil(span.windowMs / stepMs) + 1;
  const lastStepMs = untilMs - lastStep * stepMs;
  const settled: (number | null)[] = [];
  const failed: (number | null)[] = [];
  for (let step = firstStep; step <= lastStep; step++) {
    const isWhole = step < lastStep || lastStepMs === stepMs;
    const read = (column: 0 | 1): number | null =>
      isWhole
        ? countOf(all, at, step, column)
        : countOfSeconds(all, step * stepMs, untilMs, column);
    settled.push(read(0));
    failed.push(read(1));
  }
  return { stepMs, untilMs, lastStepMs, settled, failed };
}

/** The finest resolution that reaches so far back without too many values. */
function levelFor(levels: readonly SeriesLevel[], span: SeriesSpan): number {
  const { windowMs, backMs, stepMsMin = 0 } = span;
  const found = levels.findIndex(
    ({ stepMs, stepCount }) =>
      stepMs >= stepMsMin &&
      stepMs * VALUES_MAX >= windowMs &&
      stepMs * stepCount >= windowMs + backMs,
  );
  return found < 0 ? levels.length - 1 : found;
}

function countOf(all: readonly Series[], at: number, step: number, column: 0 | 1): number | null {
  let sum: number | null = null;
  for (const { sinceMs, levels } of all) {
    const level = levels[at];
    const count = level === undefined ? null : countOfStep(level, sinceMs, step, column);
    if (count !== null) sum = (sum ?? 0) + count;
  }
  return sum;
}

/** Of a step under way only what has passed in whole seconds, so that a chart changes once a second. */
function countOfSeconds(
  all: readonly Series[],
  fromMs: number,
  untilMs: number,
  column: 0 | 1,
): number | null {
  let sum: number | null = null;
  for (let atMs = fromMs; atMs < untilMs; atMs += SECOND_MS) {
    const count = countOf(all, 0, atMs / SECOND_MS, column);
    if (count !== null) sum = (sum ?? 0) + count;
  }
  return sum;
}

function countOfStep(
  level: SeriesLevel,
  sinceMs: number,
  step: number,
  column: 0 | 1,
): number | null {
  if ((step + 1) * level.stepMs <= sinceMs) return null;
  if (step < level.knownFromStep) return null;
  if (level.firstStep < 0 || step < level.firstStep) return 0;
  return level.counts[2 * (step - level.firstStep) + column] ?? 0;
}

/** Makes room for the step; -1: it is older than what is kept. */
function reach(level: SeriesLevel, step: number): number {
  if (level.firstStep < 0) {
    level.firstStep = step;
    level.counts = new Uint32Array(2 * STEPS_AT_FIRST);
    return 0;
  }
  if (step < level.firstStep) return -1;
  const needed = step - level.firstStep + 1;
  // A quarter more than is promised, so that moving everything down is rare.
  const bound = Math.ceil(level.stepCount * 1.25);
  if (needed <= bound) {
    const grown = new Uint32Array(2 * Math.min(bound, Math.max(needed, level.counts.length)));
    grown.set(level.counts);
    level.counts = grown;
  } else forget(level, step, bound);
  return 2 * (step - level.firstStep);
}

/** Keeps what is promised, with the step as the newest. */
function forget(level: SeriesLevel, step: number, bound: number): void {
  level.knownFromStep = step - level.stepCount + 1;
  const kept = level.counts.subarray(2 * (level.knownFromStep - level.firstStep));
  level.counts = new Uint32Array(2 * (kept.length === 0 ? STEPS_AT_FIRST : bound));
  level.counts.set(kept);
  level.firstStep = kept.length === 0 ? step : level.knownFromStep;
}
