/**
 * Seeds that nobody has played before. One that fails is a fault of ours: its story says what happened
 * and how to replay it, and it belongs into regressions.ts once the cause is mended.
 */
import { test } from "bun:test";
import { randomBytes } from "node:crypto";
import { playSeeds, seedsFrom } from "./seeds.ts";

const COUNT = 250;

test(`${COUNT} fresh seeds keep every promise`, async () => {
  const first = randomBytes(4).readUInt32LE() >>> 4;
  console.log(`fresh seeds: bun scripts/simulate.ts --seed ${first} --seeds ${COUNT}`);
  await playSeeds(seedsFrom(first, COUNT));
}, 180_000);
