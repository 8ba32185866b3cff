/**
 * How fast a foreman serves again after `kill -9` with a million tasks queued and a thousand running:
 * `bun bench/recovery.ts [--runs 5]` (needs `dist/cc`). Everything is a process of the compiled binary in a
 * temporary home. Timed from the restart: until it accepts connections, until a whole `cc jobs`
 * command has its answer, and until every running task is adopted. It fails if one of them ran twice.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const BINARY = resolve(process.env["CC_BINARY"] ?? join(import.meta.dirname, "..", "dist", "cc"));
const QUEUED = 1_000_000;
const RUNNING = 1_000;
const TIMEOUT_MS = 120_000;

interface Recovery {
  readonly listeningMs: number;
  readonly answeredMs: number;
  readonly adoptedMs: number;
}

interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

async function measure(): Promise<Recovery> {
  const folder = mkdtempSync(join(tmpdir(), "cc-bench-recovery-"));
  const home: Home = { folder, env: { PATH: process.env["PATH"] ?? "", HOME: folder } };
  const children: Bun.Subprocess[] = [];
  try {
    const port = freePort();
    const first = await startForeman(home, port);
    children.push(first);
    children.push(start(home, ["worker", "--id=w", `--slots=${RUNNING}`, "--log-level=error"]));
    await run(home, ["submit", "-d", `--array=1-${RUNNING}`, "--", "sleep", "600"]);
    await run(home, ["submit", "-d", `--array=1-${QUEUED}`, "--resource=none=1", "--", "true"]);
    await until(home, (jobs) => jobs[0]?.tasks.running === RUNNING);
    first.kill("SIGKILL");
    await first.exited;

    const restartedAtMs = performance.now();
    const since = (): number => performance.now() - restartedAtMs;
    const second = await startForeman(home, port);
    children.push(second);
    const listeningMs = since();
    await run(home, ["jobs", "--json"]);
    const answeredMs = since();
    await untilWorkerIsBack(home);
    const adoptedMs = since();
    await checkFirstAttempts(home);
    return { listeningMs, answeredMs, adoptedMs };
  } finally {
    await run(home, ["cancel", "1", "2"]).catch(() => "");
    for (const child of children.reverse()) {
      child.kill("SIGTERM");
      await child.exited;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

function start({ env, folder }: Home, words: readonly string[]): Bun.Subprocess {
  return Bun.spawn([BINARY, ...words], { env: { ...env }, cwd: folder, stderr: "inherit" });
}

/** Resolves once it accepts connections. */
async function startForeman(home: Home, port: number): Promise<Bun.Subprocess> {
  const ready = join(home.folder, "ready");
  rmSync(ready, { force: true });
  const words = ["foreman", `--port=${port}`, "--log-level=error", `--ready-file=${ready}`];
  const child = start(home, words);
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (readOrEmpty(ready) === "") {
    if (performance.now() > deadlineMs) throw new Error("the foreman did not start");
    await Bun.sleep(1);
  }
  return child;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not there yet.
    return "";
  }
}

async function run({ env, folder }: Home, words: readonly string[]): Promise<string> {
  const child = Bun.spawn([BINARY, ...words], {
    env: { ...env },
    cwd: folder,
    stdout: "pipe",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
  });
  const [text, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`cc ${words.join(" ")}: ${errors}`);
  return text;
}

interface JobLine {
  readonly job_id: number;
  readonly tasks: { readonly running: number };
}

async function until(home: Home, holds: (jobs: readonly JobLine[]) => boolean): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const lines = (await run(home, ["jobs", "--json"])).trim().split("\n");
    const jobs = lines.map((line) => JSON.parse(line) as JobLine);
    if (holds(jobs.sort((a, b) => a.job_id - b.job_id))) return;
    if (performance.now() > deadlineMs) throw new Error("the tasks did not start");
    await Bun.sleep(100);
  }
}

/** A worker that is connected again has presented what it runs, and that is adopted. */
async function untilWorkerIsBack(home: Home): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const text = await run(home, ["workers", "--json"]);
    if (text.includes('"state":"up"')) return;
    if (performance.now() > deadlineMs) throw new Error("the worker did not come back");
    await Bun.sleep(5);
  }
}

async function checkFirstAttempts(home: Home): Promise<void> {
  const lines = (await run(home, ["tasks", "1", "--json", "--limit=0"])).trim().split("\n");
  const again = lines.filter((line) => (JSON.parse(line) as { attempts: number }).attempts !== 1);
  if (lines.length !== RUNNING || again.length > 0) {
    throw new Error(`${lines.length} tasks, ${again.length} of them not in their first attempt`);
  }
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });
const runs: Recovery[] = [];
for (let run = 0; run < Number(values.runs); run++) runs.push(await measure());
for (const [name, pick] of [
  ["accepts connections", (run: Recovery) => run.listeningMs],
  ["answers cc jobs", (run: Recovery) => run.answeredMs],
  ["running tasks adopted", (run: Recovery) => run.adoptedMs],
] as const) {
  const sorted = runs.map(pick).sort((a, b) => a - b);
  const figures = [sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]];
  console.log(
    `${name}: ${figures.map((ms) => Math.round(ms ?? 0)).join(" / ")} ms (min / median / max)`,
  );
}
