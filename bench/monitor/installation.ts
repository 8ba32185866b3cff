/**
 * What the monitor is measured against: a foreman of the compiled binary in a temporary home, a crowd of
 * simulated workers in a process of its own, and as many jobs as are wanted. Each process is ended by its
 * own number.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../src/runtime/client/connection.ts";
import { connectTo } from "../../src/runtime/client/resolve.ts";
import { systemClock } from "../../src/runtime/platform/clock.ts";
import { uuid } from "../../src/runtime/platform/random.ts";
import { type ValueColumn, ValueColumnBuilder } from "../../src/runtime/protocol/columns.ts";
import { BATCH_TASKS_MAX } from "../../src/runtime/protocol/limits.ts";
import { encodeValue } from "../../src/runtime/protocol/value.ts";
import type { JobView } from "../../src/runtime/protocol/views.ts";
import { readKeyFile } from "../../src/runtime/transport/key-files.ts";
import { aSpec, commandWork } from "../../test/support/specs.ts";

const READY_MS = 30_000;
const CROWD_PROGRAM = join(import.meta.dirname, "crowd-process.ts");
const LOOK_AGAIN_MS = 20;

export interface Installation {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly foremanPid: number;
  /** Runs `cc WORDS` to its end and returns its stdout. */
  run(words: readonly string[]): Promise<string>;
  /** Submits so many tasks that need nothing, and returns the job's number. */
  submit(name: string, taskCount: number): Promise<number>;
  /** How many of its tasks are completed, as another client hears it. */
  completed(jobId: number): Promise<number>;
  close(): Promise<void>;
}

export async function openInstallation(binary: string): Promise<Installation> {
  const home = mkdtempSync(join(tmpdir(), "cc-bench-monitor-"));
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", USER: "bench" };
  const ready = join(home, "url");
  const words = ["foreman", "--port=0", "--log-level=error", `--ready-file=${ready}`];
  const foreman = Bun.spawn([binary, ...words], {
    env,
    cwd: home,
    stdout: "ignore",
    stderr: "ignore",
  });
  const url = await readWhenThere(ready);
  const key = readKeyFile(join(home, ".config/crowdcompute/keys/local-admin.key"));
  const connection = await connectTo(url, key, { clock: systemClock });
  return {
    url,
    env,
    foremanPid: foreman.pid,
    async run(arguments_) {
      const child = Bun.spawn([binary, ...arguments_], { env, cwd: home, stderr: "pipe" });
      const [text, errors] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      if ((await child.exited) !== 0) throw new Error(`cc ${arguments_.join(" ")}:\n${errors}`);
      return text;
    },
    async completed(jobId) {
      const { job } = await connection.request({ type: "get_job", job_id: jobId });
      // Written by the foreman as views.ts says.
      return (job as JobView).tasks.completed;
    },
    submit: (name, taskCount) => submitTasks(connection, name, taskCount),
    async close() {
      connection.close();
      foreman.kill("SIGTERM");
      await foreman.exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** One connection for all: a hundred commands would take longer than what is measured. */
async function submitTasks(
  connection: Connection,
  name: string,
  taskCount: number,
): Promise<number> {
  const count = (from: number): number => Math.min(BATCH_TASKS_MAX, taskCount - from);
  const { job_id } = await connection.request({
    type: "submit_job",
    submission_id: uuid(),
    resumable: false,
    spec: aSpec({ name, work: commandWork(["true"]) }),
    count: count(0),
    input: numbers(count(0)),
    close: taskCount <= BATCH_TASKS_MAX,
  });
  for (let from = count(0); from < taskCount; from += BATCH_TASKS_MAX) {
    const batch = { first_index: from, count: count(from), input: numbers(count(from)) };
    await connection.request({ type: "submit_tasks", job_id, ...batch });
  }
  if (taskCount > BATCH_TASKS_MAX) {
    await connection.request({ type: "close_job", job_id, count: taskCount });
  }
  return job_id;
}

/** So many inputs, all alike. */
const numbers = (count: number): ValueColumn => {
  const one = encodedNumber();
  const data = new Uint8Array(one.byteLength * count);
  for (let at = 0; at < count; at++) data.set(one, at * one.byteLength);
  return { lengths: one.byteLength, data };
};

function encodedNumber(): Uint8Array {
  const builder = new ValueColumnBuilder();
  encodeValue(1, builder);
  return builder.take().data;
}

async function readWhenThere(file: string): Promise<string> {
  const endsAtMs = performance.now() + READY_MS;
  while (performance.now() < endsAtMs) {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) {
      return readFileSync(file, "utf8").trim();
    }
    await Bun.sleep(LOOK_AGAIN_MS);
  }
  throw new Error(`the foreman wrote no address into ${file}`);
}

export interface Crowd {
  /** How many tasks a second they settle together from now on. */
  setRate(perSecond: number): void;
  /** As of the last second. */
  settled(): number;
  held(): number;
  close(): Promise<void>;
}

export async function openCrowd(
  { url, env }: Installation,
  { workers, slots, failEvery }: { workers: number; slots: number; failEvery: number },
): Promise<Crowd> {
  const key = join(env["HOME"] ?? "", ".config/crowdcompute/keys/local-worker.key");
  const words = [url, key, workers, slots, failEvery].map(String);
  const child = Bun.spawn([process.execPath, CROWD_PROGRAM, ...words], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { promise: isReady, resolve, reject } = Promise.withResolvers<void>();
  let told = { settled: 0, held: 0 };
  const listen = async (): Promise<void> => {
    let rest = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const message = JSON.parse(line) as { ready?: true; settled?: number; held?: number };
        if (message.ready) resolve();
        else told = { settled: message.settled ?? 0, held: message.held ?? 0 };
      }
    }
    reject(new Error("the crowd has ended"));
  };
  void listen();
  await isReady;
  return {
    setRate(perSecond) {
      child.stdin.write(`${perSecond}\n`);
      child.stdin.flush();
    },
    settled: () => told.settled,
    held: () => told.held,
    async close() {
      child.stdin.end();
      await child.exited;
    },
  };
}

/** What a process has used so far, from the system's own account. */
export interface ProcessUse {
  readonly cpuMs: number;
  readonly residentMib: number;
}

/** Linux counts in hundredths of a second. */
const CLOCK_TICK_MS = 10;
const PAGE_MIB = 4096 / 1024 ** 2;

export function processUse(pid: number): ProcessUse {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const residentPages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS,
    residentMib: residentPages * PAGE_MIB,
  };
}
