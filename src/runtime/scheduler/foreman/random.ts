/**
 * The machine's own chance: a seeded generator kept in the state, so that the same events give the
 * same decisions. Never used for anything that must be hard to guess.
 */

export interface RandomState {
  word: number;
}

export function createRandom(seed: number): RandomState {
  return { word: seed >>> 0 };
}

/** The next number from 0 (inclusive) to 1 (exclusive). */
export function nextRandom(random: RandomState): number {
  random.word = (random.word + 0x9e3779b9) >>> 0;
  let mixed = random.word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
