/**
 * The figures of `cc bench`, each measured on processes of this very program: what is timed, on what
 * load, in which unit. A figure says nothing about good or bad; `docs/performance.md` has the aims.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selfCommand } from "../../runtime/platform/self.ts";
import { type Installation, residentBytes, runProgram, startInstallation } from "./installation.ts";
import { measureChain, measureRoundTrips } from "./round-trips.ts";

export interface Figure {
  readonly name: string;
  readonly what: string;
  readonly unit: "tasks/s" | "s" | "ms" | "ratio" | "MB";
  /** One value a run, or several named ones. */
  measure(size: BenchSize): Promise<Readonly<Record<string, number>>>;
}

export interface BenchSize {
  /** Tasks of the throughput, submission and memory figures. */
  readonly tasks: number;
}

const MB = 1e6;
const SLOTS = 2;

export const FIGURES: readonly Figure[] = [
  {
    name: "throughput",
    what: "no-op function tasks, submit to last result, results returned",
    unit: "tasks/s",
    measure: ({ tasks }) =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const file = await jobFile(installation, NO_OP, tasks);
        const { wallMs } = await submit(installation, [file]);
        return { "": tasks / (wallMs / 1000) };
      }),
  },
  {
    name: "submission",
    what: "inputs streamed and acknowledged durably; the foreman's memory with them queued",
    unit: "s",
    measure: ({ tasks }) =>
      withInstallation({ slots: 0 }, async (installation) => {
        const file = await jobFile(installation, NO_OP, tasks);
        const { wallMs } = await submit(installation, ["-d", file]);
        return {
          "": wallMs / 1000,
          "memory (MB)": (await residentBytes(installation.foremanPid)) / MB,
        };
      }),
  },
  {
    name: "latency",
    what: "one function task at a time, submit to result, idle system",
    unit: "ms",
    measure: () =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const file = await jobFile(installation, NO_OP, 1);
        return measureRoundTrips(installation, file, 1_000);
      }),
  },
  {
    name: "efficiency",
    what: "tasks of 1 ms CPU on two slots: user time / (slots x wall)",
    unit: "ratio",
    measure: () =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const file = await jobFile(installation, ONE_MILLISECOND, EFFICIENCY_TASKS);
        const { wallMs } = await submit(installation, [file]);
        return { "": EFFICIENCY_TASKS / (SLOTS * wallMs) };
      }),
  },
  {
    name: "commands",
    what: "/bin/true commands, against xargs -P2 -n1 in turn",
    unit: "ratio",
    measure: () =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const words = ["--array", `1-${COMMANDS}`, "--", "/bin/true"];
        const ours = await submit(installation, words);
        const lines = Array.from({ length: COMMANDS }, (_, i) => `${i}\n`).join("");
        const theirs = await runProgram("xargs", ["-P2", "-n1", "/bin/true"], {
          env: installation.env,
          cwd: installation.folder,
          stdin: lines,
        });
        return {
          "": theirs.wallMs / ours.wallMs,
          "commands/s": COMMANDS / (ours.wallMs / 1000),
          "xargs/s": COMMANDS / (theirs.wallMs / 1000),
        };
      }),
  },
  {
    name: "start",
    what: "whole commands: cc --help, and cc jobs against a running foreman",
    unit: "ms",
    measure: () =>
      withInstallation({ slots: 0 }, async (installation) => ({
        help: await medianOf(STARTS, () => runSelf(installation, ["--help"])),
        jobs: await medianOf(STARTS, () => installation.run(["jobs"])),
      })),
  },
  {
    name: "alone",
    what: "cc submit -- true with nothing running, whole command",
    unit: "ms",
    measure: () =>
      withInstallation({ slots: 0 }, async (installation) => {
        // A home without a foreman beside the one of the installation.
        const home = join(installation.folder, "alone");
        const env = { ...installation.env, HOME: home };
        const { code, wallMs } = await runSelf(
          installation,
          ["submit", "--local", "--", "true"],
          env,
        );
        if (code !== 0) throw new Error(`cc submit --local -- true ended with ${code}`);
        return { "": wallMs };
      }),
  },
  {
    name: "chain",
    what: "100 jobs, each --after the one before",
    unit: "s",
    measure: () =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const file = await jobFile(installation, NO_OP, 1);
        return { "": await measureChain(installation, file, 100) };
      }),
  },
  {
    name: "failing",
    what: "10,000 commands that fail at once, watched to the end",
    unit: "s",
    measure: () =>
      withInstallation({ slots: SLOTS }, async (installation) => {
        const lines = Array.from({ length: FAILING }, (_, i) => `line ${i}\n`).join("");
        const file = join(installation.folder, "lines");
        await writeFile(file, lines);
        const { code, wallMs } = await installation.run([
          "submit",
          "--max-fails",
          "none",
          "--each-line",
          file,
          "--progress",
          "json",
          "--",
          "false",
        ]);
        const { code: alive } = await installation.run(["jobs"]);
        if (code !== 1 || alive !== 0)
          throw new Error(`submit ended with ${code}, jobs with ${alive}`);
        return { "": wallMs / 1000 };
      }),
  },
];

const NO_OP = "export default (input) => input;";
const ONE_MILLISECOND = `export default () => {
  const end = performance.now() + 1;
  while (performance.now() < end);
};`;
const EFFICIENCY_TASKS = 16_000;
const COMMANDS = 8_000;
const FAILING = 10_000;
const STARTS = 21;

async function withInstallation<Result>(
  parts: { readonly slots: number },
  use: (installation: Installation) => Promise<Result>,
): Promise<Result> {
  const installation = await startInstallation();
  try {
    if (parts.slots > 0) await installation.startWorker(parts.slots);
    return await use(installation);
  } finally {
    await installation.close();
  }
}

async function jobFile(installation: Installation, work: string, tasks: number): Promise<string> {
  const path = join(installation.folder, "job.ts");
  const inputs = `export function* inputs() { for (let i = 0; i < ${tasks}; i++) yield i; }`;
  await writeFile(path, `${inputs}\n${work}\n`);
  return path;
}

async function submit(
  installation: Installation,
  words: readonly string[],
): Promise<{ readonly wallMs: number }> {
  const finished = await installation.run(["submit", "--progress", "none", ...words]);
  if (finished.code !== 0) throw new Error(`cc submit ended with ${finished.code}`);
  return finished;
}

function runSelf(
  installation: Installation,
  words: readonly string[],
  env: Readonly<Record<string, string>> = installation.env,
): Promise<{ readonly code: number; readonly wallMs: number }> {
  const [program, ...rest] = selfCommand(words);
  return runProgram(program, rest, { env, cwd: installation.folder });
}

async function medianOf(
  count: number,
  run: () => Promise<{ readonly wallMs: number }>,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push((await run()).wallMs);
  return times.sort((a, b) => a - b)[count >> 1] ?? 0;
}
