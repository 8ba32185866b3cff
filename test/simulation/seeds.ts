/** Plays many seeds for a test, which fails with the story of the first that breaks a promise. */
import { explainSeed, runSeed } from "./run.ts";

export async function playSeeds(seeds: Iterable<number>): Promise<void> {
  for (const seed of seeds) {
    const { failure } = await runSeed(seed);
    if (failure !== null) throw new Error(await explainSeed(seed));
  }
}

export const seedsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => first + i);
