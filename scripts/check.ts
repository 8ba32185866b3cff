/**
 * `npm run check`: format, lint, types, fresh documents, architecture and unit tests, and 200 fresh seeds
 * of the simulator, in under a minute.
 * It changes nothing; `biome check --write` mends most of what it finds.
 */
import { join, resolve } from "node:path";
import { runStep, type StepResult } from "./run-step.ts";

const ROOT = resolve(import.meta.dir, "..");
const TIMEOUT_MS = 120_000;
/** Three other steps run beside the tests. */
const TEST_TIMEOUT_MS = 30_000;
const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);

/** What starts the binary, whole simulations or servers belongs to `npm test`. */
const SLOW_TESTS = ["**/e2e/**", "**/simulation/**", "**/faults/**"];

const STEPS: Readonly<Record<string, readonly string[]>> = {
  "format and lint": [bin("biome"), "check", "--error-on-warnings", ROOT],
  types: [bin("tsc"), "-p", ROOT],
  "200 simulated seeds": [process.execPath, join(ROOT, "scripts/simulate.ts"), "--seeds", "200"],
  documents: [process.execPath, join(ROOT, "scripts/generate-docs.ts"), "--check"],
  "architecture and unit tests": [
    process.execPath,
    "test",
    "--parallel=2",
    "--only-failures",
    `--timeout=${TEST_TIMEOUT_MS}`,
    ...SLOW_TESTS.map((pattern) => `--path-ignore-patterns=${pattern}`),
  ],
};

async function check(name: string, command: readonly string[]): Promise<boolean> {
  const startedAtMs = performance.now();
  const result: StepResult = await runStep(command, {
    cwd: ROOT,
    timeoutMs: TIMEOUT_MS,
    quiet: true,
  });
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  const ok = result.exitCode === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!ok) console.log(result.output.trimEnd());
  return ok;
}

const outcomes = await Promise.all(
  Object.entries(STEPS).map(([name, command]) => check(name, command)),
);
process.exit(outcomes.every(Boolean) ? 0 : 1);
