/**
 * A seed's own chance. Each part of a world draws from a stream of its own, so that one more draw in
 * the network does not change what the clients do.
 */
import { createRandom, nextRandom } from "../../src/runtime/scheduler/foreman/random.ts";

export interface Dice {
  /** From 0 (inclusive) to 1 (exclusive). */
  draw(): number;
  /** True so often. */
  happens(probability: number): boolean;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  between(from: number, to: number): number;
  pick<Value>(values: readonly Value[]): Value;
  /** Time until the next of events that come once in `meanMs` on average. */
  waitMs(meanMs: number): number;
}

/** Streams of one seed differ by their name. */
export function createDice(seed: number, stream: string): Dice {
  let mixed = seed >>> 0;
  for (let i = 0; i < stream.length; i++) {
    mixed = Math.imul(mixed ^ stream.charCodeAt(i), 0x01000193) >>> 0;
  }
  const random = createRandom(mixed);
  const draw = (): number => nextRandom(random);
  // Neighbouring seeds begin alike; a few draws part them.
  for (let i = 0; i < 3; i++) draw();
  return {
    draw,
    happens: (probability) => draw() < probability,
    whole: (from, to) => from + Math.floor(draw() * (to - from + 1)),
    between: (from, to) => from + draw() * (to - from),
    pick: (values) => values[Math.floor(draw() * values.length)] as (typeof values)[number],
    waitMs: (meanMs) => -Math.log(1 - draw()) * meanMs,
  };
}
