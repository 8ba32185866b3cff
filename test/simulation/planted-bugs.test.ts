/**
 * The tester's test: each planted bug is found by the seed that is noted with it, or by one of the next
 * few, since other changes shift what a seed means. `npm run test:simulation -- --long` searches anew.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "../../scripts/run-step.ts";
import { PLANTED_BUGS } from "./bugs/bugs.ts";
import { ROOT } from "./bugs/plant.ts";

const SEEDS_PER_BUG = 60;
const TIMEOUT_MS = 90_000;

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

describe.each(PLANTED_BUGS.map(({ name, seed }) => [name, seed] as const))("%s", (name, seed) => {
  test.concurrent(
    "is found",
    async () => {
      const script = join(ROOT, "scripts/simulate.ts");
      const words = ["--bug", name, "--seed", String(seed), "--seeds", String(SEEDS_PER_BUG)];
      const { exitCode, output } = await runStep([process.execPath, script, ...words], {
        cwd: ROOT,
        timeoutMs: TIMEOUT_MS,
        quiet: true,
      });
      expect(output).toContain("found by seed");
      expect(exitCode).toBe(0);
    },
    TIMEOUT_MS,
  );
});
