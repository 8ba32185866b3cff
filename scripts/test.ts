/**
 * `npm test`: builds the binary, runs every test file in a process of its own, a few at a time, and ends
 * with one line, `N passed, N failed`. Files named `*.test.ts` run on Bun, `*.node-test.ts` and
 * `*.node.ts` on Node 24. Words after `--` choose files: `npm test -- test/commands`. With `--long` those
 * that have a long form run it (full counts, default timings) one after the other, and print their figures.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { installNode } from "./node-runtime.ts";
import { runStep } from "./run-step.ts";

const ROOT = resolve(import.meta.dir, "..");
const BUILD_TIMEOUT_MS = 300_000;
/** A file that loops forever fails alone and is named; no test has to be that slow. */
const FILE_TIMEOUT_MS = 10 * 60_000;
const TEST_TIMEOUT_MS = 60_000;
const LONG_FILE_TIMEOUT_MS = 2 * 60 * 60_000;
const LONG_TEST_TIMEOUT_MS = 60 * 60_000;
/** Tests start servers of their own; more at once than this starve each other. */
const PARALLEL_FILES_MAX = 4;
const IS_LONG = process.argv.includes("--long");
/** How test files hear of it. */
if (IS_LONG) process.env["CC_TEST_LONG"] = "1";

interface Totals {
  readonly passed: number;
  readonly failed: number;
}

interface Runner {
  readonly fileName: RegExp;
  readonly command: (file: string, report: string) => readonly string[];
  readonly readReport: (text: string) => Totals;
}

const ON_BUN: Runner = {
  fileName: /\.test\.tsx?$/,
  command: (file, report) => [
    process.execPath,
    "test",
    `--timeout=${IS_LONG ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    `./${file}`,
  ],
  readReport: readJunitTotals,
};

async function createNodeRunner(): Promise<Runner> {
  const node = await installNode(ROOT);
  return {
    fileName: /\.node(?:-test)?\.ts$/,
    command: (file, report) => [
      node,
      "--test",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=tap",
      `--test-reporter-destination=${report}`,
      file,
    ],
    readReport: readTapTotals,
  };
}

/** Counted from the root element. */
function readJunitTotals(text: string): Totals {
  const root = /<testsuites\b[^>]*>/.exec(text)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  return { passed: count("tests") - failed - count("skipped"), failed };
}

/** Counted from the summary at the end. */
function readTapTotals(text: string): Totals {
  const count = (name: string) =>
    Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return { passed: count("pass"), failed: count("fail") + count("cancelled") };
}

async function runFile(file: string, runner: Runner, reportFolder: string): Promise<Totals> {
  const report = join(reportFolder, `${file.replaceAll("/", "_")}.report`);
  const startedAtMs = performance.now();
  const { exitCode, output } = await runStep(runner.command(file, report), {
    cwd: ROOT,
    timeoutMs: IS_LONG ? LONG_FILE_TIMEOUT_MS : FILE_TIMEOUT_MS,
    quiet: true,
  });
  const counted = readTotals(report, runner);
  // A file that does not load, crashes, hangs or holds no test has failed, whatever it counted.
  const broken = counted.failed === 0 && (exitCode !== 0 || counted.passed === 0);
  const totals = broken ? { ...counted, failed: 1 } : counted;
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(
    `${totals.failed === 0 ? "ok    " : "FAILED"} ${file} (${totals.passed} passed, ${totals.failed} failed, ${seconds} s)`,
  );
  if (totals.failed > 0) console.log(output.trimEnd());
  else if (IS_LONG) console.log(figuresOf(output));
  return totals;
}

/** What the long forms have measured. */
function figuresOf(output: string): string {
  return output
    .split("\n")
    .filter((line) => line.startsWith("figure: "))
    .map((line) => `       ${line.slice("figure: ".length)}`)
    .join("\n");
}

function readTotals(report: string, runner: Runner): Totals {
  try {
    return runner.readReport(readFileSync(report, "utf8"));
  } catch {
    // No report was written: the runner did not come to its end, and the caller counts that.
    return { passed: 0, failed: 0 };
  }
}

function findFiles(runner: Runner, patterns: readonly string[]): readonly string[] {
  return readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => runner.fileName.test(name) && !name.includes("fixtures/"))
    .map((name) => join("test", name))
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern)))
    .sort();
}

/** The program, and the one whose failpoints can be armed. */
async function build(): Promise<boolean> {
  for (const options of [[], ["--failpoints"]]) {
    const command = [process.execPath, join(ROOT, "scripts/build-binary.ts"), ...options];
    const built = await runStep(command, { cwd: ROOT, timeoutMs: BUILD_TIMEOUT_MS });
    if (built.exitCode !== 0) return false;
  }
  return true;
}

async function runAll(patterns: readonly string[]): Promise<Totals> {
  if (!(await build())) return { passed: 0, failed: 1 };
  const runners = [ON_BUN, await createNodeRunner()];
  const waiting = runners.flatMap((runner) =>
    findFiles(runner, patterns).map((file) => ({ file, runner })),
  );
  const reportFolder = mkdtempSync(join(tmpdir(), "cc-test-report-"));
  const results: Totals[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results.push(await runFile(next.file, next.runner, reportFolder));
    }
  };
  try {
    await Promise.all(Array.from({ length: parallelFiles() }, work));
  } finally {
    rmSync(reportFolder, { recursive: true, force: true });
  }
  return {
    passed: sum(results.map(({ passed }) => passed)),
    failed: sum(results.map(({ failed }) => failed)),
  };
}

/** Figures are taken on a machine that does nothing else. */
const parallelFiles = (): number =>
  IS_LONG ? 1 : Math.min(PARALLEL_FILES_MAX, availableParallelism());

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

async function main(): Promise<number> {
  let totals: Totals;
  try {
    totals = await runAll(process.argv.slice(2).filter((word) => word !== "--long"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    totals = { passed: 0, failed: 1 };
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  return totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}

process.exit(await main());
