/**
 * `bun scripts/simulate.ts --seed N [--seeds M] [--bug NAME] [--verbose]`: plays worlds of the simulator
 * (test/simulation) and prints the story of the first one that breaks a promise. `npm run
 * test:simulation -- --long` plays 2,000 fresh seeds and searches for every planted bug, each in a
 * process of its own.
 */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PLANTED_BUGS } from "../test/simulation/bugs/bugs.ts";
import { plantBug } from "../test/simulation/bugs/plant.ts";
import { runStep } from "./run-step.ts";

const ROOT = resolve(import.meta.dir, "..");
const SEEDS_DEFAULT = 500;
/** Within so many seeds each planted bug must be found. */
const SEARCH_SEEDS_MAX = 2_000;
const SEARCH_TIMEOUT_MS = 15 * 60_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    bug: { type: "string" },
    long: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

function wholeNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  console.error(`--${name} ${text}: a whole number is expected.`);
  process.exit(2);
}

interface Search {
  readonly firstSeed: number;
  readonly count: number;
  readonly verbose: boolean;
}

/** Plays seeds until one fails. @returns that seed. */
async function search({ firstSeed, count, verbose }: Search): Promise<number | null> {
  // Only now, so that a planted bug is in what is loaded.
  const { explainSeed, runSeed } = await import("../test/simulation/run.ts");
  const startedAtMs = performance.now();
  let eventCount = 0;
  let virtualMs = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const verdict = await runSeed(seed);
    eventCount += verdict.eventCount;
    virtualMs += verdict.virtualMs;
    if (verdict.failure === null && !(verbose && count === 1)) continue;
    console.log(await explainSeed(seed, verbose ? Number.POSITIVE_INFINITY : undefined));
    if (verdict.failure !== null) return seed;
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const perMinute = Math.round((count / seconds) * 60);
  console.log(
    `${count} seeds from ${firstSeed} on kept every promise: ${eventCount} events in ${Math.round(virtualMs / 3_600_000)} virtual hours, ${perMinute} seeds a minute`,
  );
  return null;
}

/** @returns whether the bug was found. */
async function searchBug(name: string, firstSeed: number, count: number): Promise<boolean> {
  const bug = plantBug(name);
  const { runSeed } = await import("../test/simulation/run.ts");
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const { failure } = await runSeed(seed);
    if (failure === null) continue;
    if (values.verbose) await search({ firstSeed: seed, count: 1, verbose: true });
    console.log(
      `${name} (${bug.meaning}): found by seed ${seed}: ${failure.message.split("\n")[0]}`,
    );
    return true;
  }
  console.log(`${name} (${bug.meaning}): not found in ${count} seeds from ${firstSeed} on`);
  return false;
}

async function searchAll(): Promise<boolean> {
  let foundCount = 0;
  for (const { name } of PLANTED_BUGS) {
    const command = [process.execPath, import.meta.path, "--bug", name, "--seed", "1"];
    const { exitCode } = await runStep([...command, "--seeds", String(SEARCH_SEEDS_MAX)], {
      cwd: ROOT,
      timeoutMs: SEARCH_TIMEOUT_MS,
    });
    if (exitCode === 0) foundCount++;
  }
  console.log(`${foundCount} of ${PLANTED_BUGS.length} planted bugs found`);
  return foundCount === PLANTED_BUGS.length;
}

async function main(): Promise<boolean> {
  const seed = wholeNumber("seed", values.seed);
  const seeds = wholeNumber("seeds", values.seeds);
  const firstSeed = seed ?? randomBytes(4).readUInt32LE() >>> 4;
  if (values.bug !== undefined) return searchBug(values.bug, firstSeed, seeds ?? 1);
  const count = seeds ?? (values.long ? SEARCH_SEEDS_MAX : seed === null ? SEEDS_DEFAULT : 1);
  const failedSeed = await search({ firstSeed, count, verbose: values.verbose });
  if (!values.long) return failedSeed === null;
  return (await searchAll()) && failedSeed === null;
}

process.exit((await main()) ? 0 : 1);
