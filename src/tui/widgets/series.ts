/**
 * Series of figures brought to the columns of a chart, and the scale they are drawn to. What is not known
 * (null, NaN) stays unknown: nothing is drawn there, which is not the same as zero.
 */

export type Value = number | null;

/** As many values as `columns`: the mean of those that share a column, or one over several columns. */
export function resample(values: readonly Value[], columns: number): readonly Value[] {
  const count = values.length;
  if (count === 0 || columns <= 0) return Array.from({ length: Math.max(0, columns) }, () => null);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * count) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * count) / columns));
    return mean(values, from, to);
  });
}

function mean(values: readonly Value[], from: number, to: number): Value {
  let sum = 0;
  let known = 0;
  for (let at = from; at < to; at++) {
    const value = values[at];
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    sum += value;
    known += 1;
  }
  return known === 0 ? null : sum / known;
}

export function largest(values: readonly Value[]): number {
  let most = 0;
  for (const value of values)
    if (value !== null && Number.isFinite(value) && value > most) most = value;
  return most;
}

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number that holds `most`, so that a scale changes seldom. */
export function roundedScale(most: number): number {
  if (!Number.isFinite(most) || most <= 0) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const step = STEPS.find((candidate) => candidate * magnitude >= most * 0.999) ?? 10;
  return step * magnitude;
}

/** Whole steps of `levels` that `value` reaches; what is more than nothing reaches one. */
export function levelOf(value: number, scale: number, levels: number): number {
  if (value <= 0 || scale <= 0) return 0;
  return Math.min(levels, Math.max(1, Math.round((value / scale) * levels)));
}
