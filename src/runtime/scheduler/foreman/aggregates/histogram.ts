/**
 * How often which amount was measured, in buckets of an eighth of a power of two, so that a percentile
 * is told within 7 % whatever the amounts are. Only the buckets between the smallest and the largest
 * amount exist: some fifty bytes for tasks that are alike, one KiB at most.
 */

import type { U32Column } from "../../../protocol/columns.ts";

export interface Histogram {
  /** The bucket that `counts` begins with. */
  firstBucket: number;
  counts: Uint32Array;
  count: number;
  /** Exactly. */
  max: number;
}

/** Eighths of an octave. */
const PARTS = 8;
const PARTS_BITS = 3;
const AMOUNT_MAX = 0xffff_ffff;
const NOTHING = new Uint32Array(0);

export const createHistogram = (): Histogram => ({
  firstBucket: 0,
  counts: NOTHING,
  count: 0,
  max: 0,
});

/** `times` times the amount, which is a whole number below 2 ** 32; larger ones count as the largest. */
export function addAmount(histogram: Histogram, amount: number, times = 1): void {
  const held = Math.min(amount, AMOUNT_MAX) >>> 0;
  const bucket = bucketOf(held);
  let at = bucket - histogram.firstBucket;
  if (at < 0 || at >= histogram.counts.length) {
    widen(histogram, bucket);
    at = bucket - histogram.firstBucket;
  }
  histogram.counts[at] = (histogram.counts[at] as number) + times;
  histogram.count += times;
  if (held > histogram.max) histogram.max = held;
}

/** Each amount of the column. */
export function addAmounts(histogram: Histogram, amounts: U32Column, count: number): void {
  if (typeof amounts === "number") {
    addAmount(histogram, amounts, count);
    return;
  }
  let { counts, firstBucket, max } = histogram;
  for (let row = 0; row < count; row++) {
    const amount = amounts[row] as number;
    const bucket = bucketOf(amount);
    if (bucket < firstBucket || bucket >= firstBucket + counts.length) {
      widen(histogram, bucket);
      counts = histogram.counts;
      firstBucket = histogram.firstBucket;
    }
    const at = bucket - firstBucket;
    counts[at] = (counts[at] as number) + 1;
    if (amount > max) max = amount;
  }
  histogram.count += count;
  histogram.max = max;
}

/** Adds all that another one has counted. */
export function mergeHistogram(into: Histogram, other: Histogram): void {
  other.counts.forEach((times, at) => {
    if (times > 0) addAmount(into, lowestOf(other.firstBucket + at), times);
  });
  into.max = Math.max(into.max, other.max);
}

/** The amount that this share (0 to 1) does not exceed; null: nothing was measured. */
export function percentileOf(histogram: Histogram, share: number): number | null {
  const { counts, count, firstBucket, max } = histogram;
  if (count === 0) return null;
  const rank = Math.max(1, Math.ceil(share * count));
  if (rank === count) return max;
  let seen = 0;
  for (let at = 0; at < counts.length; at++) {
    seen += counts[at] as number;
    if (seen >= rank) return Math.min(max, middleOf(firstBucket + at));
  }
  return max;
}

function bucketOf(amount: number): number {
  if (amount < PARTS) return amount;
  const octave = 31 - Math.clz32(amount);
  const part = (amount >>> (octave - PARTS_BITS)) & (PARTS - 1);
  return (octave - PARTS_BITS + 1) * PARTS + part;
}

/** Small amounts have a bucket each. */
function lowestOf(bucket: number): number {
  if (bucket < PARTS) return bucket;
  return (PARTS + (bucket % PARTS)) * 2 ** (Math.floor(bucket / PARTS) - 1);
}

const middleOf = (bucket: number): number =>
  bucket < PARTS ? bucket : (lowestOf(bucket) + lowestOf(bucket + 1) - 1) / 2;

function widen(histogram: Histogram, bucket: number): void {
  const { firstBucket, counts } = histogram;
  const first = counts.length === 0 ? bucket : Math.min(firstBucket, bucket);
  const last = Math.max(firstBucket + counts.length - 1, bucket);
  const wider = new Uint32Array(last - first + 1);
  if (counts.length > 0) wider.set(counts, firstBucket - first);
  histogram.firstBucket = first;
  histogram.counts = wider;
}
