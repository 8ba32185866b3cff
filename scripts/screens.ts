/**
 * `bun scripts/screens.ts`: makes the images of the monitor in `docs/images` anew: builds the binary, runs a
 * foreman, two workers and three jobs in a temporary home, walks through `cc top` in a terminal as a person
 * would, and draws what its emulator shows. Names and numbers of the run differ from time to time.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openTerminal, type TestTerminal } from "../test/support/terminal/terminal.ts";
import { buildBinary } from "./build-binary.ts";
import { renderScreenSvg } from "./screens/screen-svg.ts";

const ROOT = resolve(import.meta.dir, "..");
const IMAGES = join(ROOT, "docs", "images");
const COLUMNS = 120;
const ROWS = 32;
const STEP_MS = 60_000;

interface Run {
  readonly cc: (...words: readonly string[]) => Promise<string>;
  readonly top: (...words: readonly string[]) => TestTerminal;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cc-screens-"));
  const binary = join(folder, "cc");
  const started: Bun.Subprocess[] = [];
  try {
    await buildBinary({
      target: `${process.platform}-${process.arch}` as "linux-x64",
      outfile: binary,
    });
    await drawAll(await startRun(folder, binary, started));
  } finally {
    for (const child of started.reverse()) {
      child.kill("SIGTERM");
      await child.exited;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startRun(folder: string, binary: string, started: Bun.Subprocess[]): Promise<Run> {
  copyFileSync(join(import.meta.dir, "screens/frames.ts"), join(folder, "frames.ts"));
  const env = { HOME: folder, USER: "ann", PATH: process.env["PATH"] ?? "" };
  const start = async (words: readonly string[], isUp: RegExp): Promise<void> => {
    const child = Bun.spawn([binary, ...words], {
      env,
      cwd: folder,
      stderr: "pipe",
      stdout: "ignore",
    });
    started.push(child);
    await untilSaid(child.stderr, isUp);
  };
  await start(["foreman", "--port", "0"], /workers join with/);
  for (const id of ["north", "south"]) {
    await start(
      ["worker", "--id", id, "--slots", "4", "--max-cpu", "100"],
      /connected to the foreman/,
    );
  }
  return {
    async cc(...words) {
      const child = Bun.spawn([binary, ...words], { env, cwd: folder, stderr: "inherit" });
      const text = await new Response(child.stdout).text();
      if ((await child.exited) !== 0) throw new Error(`cc ${words.join(" ")} failed`);
      return text.trim();
    },
    top: (...words) =>
      openTerminal({ command: [binary, "top", ...words], columns: COLUMNS, rows: ROWS, env }),
  };
}

async function untilSaid(stream: ReadableStream<Uint8Array>, expected: RegExp): Promise<void> {
  let said = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  while (!expected.test(said)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended before ${expected}:\n${said}`);
    said += decoder.decode(value, { stream: true });
  }
  // Read on, or its pipe would fill up.
  void (async () => {
    while (!(await reader.read()).done);
  })();
}

async function drawAll(run: Run): Promise<void> {
  const job = await submitAll(run);
  const overview = run.top();
  await overview.waitFor(/LIVE/, STEP_MS);
  await untilFailed(run, job, 12);
  draw("overview", "The overview: throughput, jobs, workers and events", overview);
  await openRow(overview, "name:render-frames", /JOBS 1\/4/, /GRID/);
  draw("job", "A job: progress, the grid of its tasks, its errors and tasks", overview);
  overview.keys("3");
  await openRow(overview, "state:failed", /TASKS \d+\/4,000/, /ATTEMPTS/);
  draw("task", "A task that failed: its attempts, its error, its input", overview);
  overview.keys("l");
  await overview.waitFor(/> log[\s\S]*scene.blend/, STEP_MS);
  draw("log", "The log of a task", overview);
  await overview.close();
  const worker = run.top("north");
  await worker.waitFor(/SLOTS/, STEP_MS);
  await worker.waitFor(/render-frames/, STEP_MS);
  draw("worker", "A worker: what its slots did, its load and its tasks", worker);
  await worker.close();
}

/** @returns the job that fails on some tasks. */
async function submitAll({ cc }: Run): Promise<string> {
  const textures = ["--name", "fetch-textures", "--array", "1-400", "--shell"];
  await cc("submit", "-q", ...textures, "--", "sleep 0.2; : {}");
  const thumbs = ["--name", "thumbs-2026-11", "--array", "1-6000", "--shell"];
  await cc("submit", "-d", ...thumbs, "--", "sleep 0.$(( {} % 9 + 1 ))");
  const frames = await cc("submit", "-d", "frames.ts");
  const nightly = await cc(
    "submit",
    "-d",
    "--name",
    "nightly-etl",
    "--array",
    "1-96400",
    "--",
    "true",
  );
  await cc("pause", nightly);
  return frames;
}

async function untilFailed({ cc }: Run, job: string, count: number): Promise<void> {
  for (;;) {
    const { tasks } = JSON.parse(await cc("jobs", job, "--json"));
    if (tasks.failed >= count) return;
    await Bun.sleep(250);
  }
}

/** Filters the list and opens the row, once it is there. */
async function openRow(
  terminal: TestTerminal,
  filter: string,
  row: RegExp,
  expected: RegExp,
): Promise<void> {
  terminal.type(`/${filter}\r`);
  await terminal.waitFor(row, STEP_MS);
  terminal.keys("Enter");
  await terminal.waitFor(expected, STEP_MS);
}

function draw(name: string, title: string, terminal: TestTerminal): void {
  mkdirSync(IMAGES, { recursive: true });
  const file = join(IMAGES, `${name}.svg`);
  writeFileSync(file, renderScreenSvg(terminal.cells(), title));
  console.error(`wrote ${file}`);
}

await main();
