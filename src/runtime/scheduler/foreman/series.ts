/**
 * How many tasks were settled when, at several resolutions, so that a chart of any length costs a look
 * at a few thousand numbers. Each resolution keeps the newest steps in an array that grows with the time
 * it covers, up to its bound; a coarser one is begun only when the one before is full, so that what is
 * short costs one small array. Steps begin at multiples of their length on the foreman's time line; what
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
  readonly shapes: readonly SeriesShape[];
  /** The first of the shapes, from the finest on, as far as they are needed. */
  readonly levels: SeriesLevel[];
}

interface SeriesLevel {
  readonly stepMs: number;
  readonly stepCount: number;
  /** The step (since the epoch) that `counts` begins with. */
  firstStep: number;
  /** What was counted in older steps is forgotten; steps from here on without counts had none. */
  knownFromStep: number;
  /** By step first all settled ones, then the failed ones of them. */
  counts: Uint32Array;
}

export const createSeries = (shapes: readonly SeriesShape[], sinceMs: number): Series => ({
  sinceMs,
  shapes,
  levels: [],
});

/** `failed` of the `settled` ones. What is older than all that was counted before is left out. */
export function countInSeries(series: Series, atMs: number, settled: number, failed: number): void {
  if (series.levels.length === 0) beginLevel(series, atMs);
  for (let at = 0; at < series.levels.length; at++) {
    const level = series.levels[at] as SeriesLevel;
    const step = Math.floor(atMs / level.stepMs);
    const offset = 2 * (step - level.firstStep);
    const isThere = offset >= 0 && offset < level.counts.length;
    const slot = isThere ? offset : reach(series, level, step);
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
  const stepMs = stepFor(all[0]?.shapes ?? [], span);
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
        ? countOf(all, stepMs, step, column)
        : countOfSeconds(all, step * stepMs, untilMs, column);
    settled.push(read(0));
    failed.push(read(1));
  }
  return { stepMs, untilMs, lastStepMs, settled, failed };
}

/** The finest resolution that reaches so far back without too many values. */
function stepFor(shapes: readonly SeriesShape[], span: SeriesSpan): number {
  const { windowMs, backMs, stepMsMin = 0 } = span;
  const found = shapes.find(
    ({ stepMs, stepCount }) =>
      stepMs >= stepMsMin &&
      stepMs * VALUES_MAX >= windowMs &&
      stepMs * stepCount >= windowMs + backMs,
  );
  return found?.stepMs ?? shapes.at(-1)?.stepMs ?? SECOND_MS;
}

function countOf(
  all: readonly Series[],
  stepMs: number,
  step: number,
  column: 0 | 1,
): number | null {
  let sum: number | null = null;
  for (const series of all) {
    const count = countOfStep(series, stepMs, step, column);
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
    const count = countOf(all, SECOND_MS, atMs / SECOND_MS, column);
    if (count !== null) sum = (sum ?? 0) + count;
  }
  return sum;
}

function countOfStep(
  { sinceMs, levels }: Series,
  stepMs: number,
  step: number,
  column: 0 | 1,
): number | null {
  if ((step + 1) * stepMs <= sinceMs) return null;
  // While a coarse level is not needed, a finer one has all that it would have.
  const level = levels.findLast((one) => one.stepMs <= stepMs);
  if (level === undefined) return 0;
  const parts = stepMs / level.stepMs;
  if (step * parts < level.knownFromStep) return null;
  let sum = 0;
  for (let part = step * parts; part < (step + 1) * parts; part++) {
    sum += level.counts[2 * (part - level.firstStep) + column] ?? 0;
  }
  return sum;
}

function beginLevel({ shapes, levels }: Series, atMs: number): SeriesLevel | null {
  const shape = shapes[levels.length];
  if (shape === undefined) return null;
  const level: SeriesLevel = {
    ...shape,
    firstStep: Math.floor(atMs / shape.stepMs),
    knownFromStep: 0,
    counts: new Uint32Array(2 * STEPS_AT_FIRST),
  };
  levels.push(level);
  return level;
}

/** Makes room for the step; -1: it is older than what is kept. */
function reach(series: Series, level: SeriesLevel, step: number): number {
  if (step < level.firstStep) return -1;
  const needed = step - level.firstStep + 1;
  // A quarter more than is promised, so that moving everything down is rare.
  const bound = Math.ceil(level.stepCount * 1.25);
  if (needed <= bound) {
    const grown = new Uint32Array(2 * Math.min(bound, Math.max(needed, level.counts.length)));
    grown.set(level.counts);
    level.counts = grown;
  } else {
    if (level === series.levels.at(-1)) continueIn(series, level);
    forget(level, step, bound);
  }
  return 2 * (step - level.firstStep);
}

/** The next coarser level takes over all that this one still knows. */
function continueIn(series: Series, { stepMs, firstStep, counts }: SeriesLevel): void {
  const coarser = beginLevel(series, firstStep * stepMs);
  if (coarser === null) return;
  for (let at = 0; at < counts.length; at += 2) {
    const step = Math.floor(((firstStep + at / 2) * stepMs) / coarser.stepMs);
    const offset = 2 * (step - coarser.firstStep);
    const slot = offset < coarser.counts.length ? offset : reach(series, coarser, step);
    coarser.counts[slot] = (coarser.counts[slot] as number) + (counts[at] as number);
    coarser.counts[slot + 1] = (coarser.counts[slot + 1] as number) + (counts[at + 1] as number);
  }
}

/** Keeps what is promised, with the step as the newest. */
function forget(level: SeriesLevel, step: number, bound: number): void {
  level.knownFromStep = step - level.stepCount + 1;
  const kept = level.counts.subarray(2 * (level.knownFromStep - level.firstStep));
  level.counts = new Uint32Array(2 * (kept.length === 0 ? STEPS_AT_FIRST : bound));
  level.counts.set(kept);
  level.firstStep = kept.length === 0 ? step : level.knownFromStep;
}
