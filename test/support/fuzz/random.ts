/** A small seeded generator for tests: the same seed gives the same frames on every machine. */

export interface Random {
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number;
  chance(probability: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  bytes(count: number): Uint8Array;
}

/** mulberry32 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return {
    below,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: <Value>(values: readonly Value[]) => values[below(values.length)] as Value,
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
  };
}

/** Of the frame number `index` of a run: so that one frame can be made again without the others. */
export const seedOfFrame = (seed: number, index: number): number =>
  (Math.imul(seed, 0x9e3779b1) + index) >>> 0;
