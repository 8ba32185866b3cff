/**
 * Counts the primes below a limit, a range of numbers per task.
 *
 *   cc submit examples/primes.ts                 prints 78498, the primes below 1,000,000
 *   cc submit examples/primes.ts -- 10000000     prints 664579
 */
import type { Context, JobOptions } from "crowdcompute";

export const options = { name: "primes", queue: "math.primes", retries: 2 } satisfies JobOptions;

interface Range {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

const RANGE_SIZE = 100_000;

/** A generator: the ranges are submitted while they are made, however many there are. */
export function* inputs([limitText = "1000000"]: string[]): Generator<Range> {
  const limit = Number(limitText);
  if (!Number.isSafeInteger(limit) || limit < 3) {
    throw new Error(`the limit is "${limitText}", expected a whole number of at least 3`);
  }
  for (let from = 2; from < limit; from += RANGE_SIZE) {
    yield { from, to: Math.min(from + RANGE_SIZE, limit) };
  }
}

/** The sieve of Eratosthenes over one range. */
export default function countPrimes({ from, to }: Range, ctx: Context): number {
  const isComposite = new Uint8Array(to - from);
  for (let factor = 2; factor * factor < to; factor += 1) {
    ctx.signal.throwIfAborted();
    const first = Math.max(factor * factor, Math.ceil(from / factor) * factor);
    for (let multiple = first; multiple < to; multiple += factor) isComposite[multiple - from] = 1;
  }
  return isComposite.reduce((count, composite) => count + 1 - composite, 0);
}

export const initial = 0;
export const reduce = (total: number, count: number): number => total + count;
