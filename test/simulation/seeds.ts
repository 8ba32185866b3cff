/** Plays many seeds for a test, which fails with the story of the first that breaks a promise. */
import { explainSeed, runSeed } from "./run.ts";

/** @returns the kinds of events that happened in them. */
export async function playSeeds(seeds: Iterable<number>): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>();
  for (const seed of seeds) {
    const { failure, world } = await runSeed(seed);
    if (failure !== null) throw new Error(await explainSeed(seed));
    for (const kind of world.record.eventKinds) kinds.add(kind);
  }
  return kinds;
}

export const seedsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => first + i);
