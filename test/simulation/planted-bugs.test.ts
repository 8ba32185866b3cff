/**
 * The tester's test: each planted bug is found by the seed that is noted with it, or by one of those
 * after it, since other changes shift what a seed means. `npm run test:simulation -- --long` searches anew.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "../../scripts/run-step.ts";
import { PLANTED_BUGS, type PlantedBug } from "./bugs/bugs.ts";
import { ROOT } from "./bugs/plant.ts";

/** As many as the search may take; most are found at once. */
const SEEDS_PER_BUG = 2_000;
const PROCESSES = 2;
const TIMEOUT_MS = 240_000;

test("every planted bug changes a text that is in the source exactly once", () => {
  for (const { name, patches } of PLANTED_BUGS) {
    for (const { file, find, replace } of patches) {
      const count = readFileSync(join(ROOT, file), "utf8").split(find).length - 1;
      expect([name, file, count]).toEqual([name, file, 1]);
      expect(replace).not.toBe(find);
    }
  }
});

test("there are at least twelve of them, each with a name of its own", () => {
  const names = new Set(PLANTED_BUGS.map(({ name }) => name));
  expect(names.size).toBe(PLANTED_BUGS.length);
  expect(names.size).toBeGreaterThanOrEqual(12);
});

test(
  "every planted bug is found",
  async () => {
    const waiting = [...PLANTED_BUGS];
    const missed: string[] = [];
    const searchNext = async (): Promise<void> => {
      for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
        const output = await search(bug);
        if (!output.includes("found by seed")) missed.push(`${bug.name}: ${output}`);
      }
    };
    await Promise.all(Array.from({ length: PROCESSES }, searchNext));
    expect(missed).toEqual([]);
  },
  TIMEOUT_MS,
);

/** In a process of its own, since modules with the bug must not be loaded here. */
async function search({ name, seed }: PlantedBug): Promise<string> {
  const script = join(ROOT, "scripts/simulate.ts");
  const words = ["--bug", name, "--seed", String(seed), "--seeds", String(SEEDS_PER_BUG)];
  const { output } = await runStep([process.execPath, script, ...words], {
    cwd: ROOT,
    timeoutMs: TIMEOUT_MS,
    quiet: true,
  });
  return output;
}
