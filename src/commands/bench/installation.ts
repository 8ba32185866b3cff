/**
 * An installation of its own for measuring: a temporary home and store, a foreman on a free port, one
 * worker, all separate processes of this very program. Nothing of the user's is touched.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../runtime/client/connection.ts";
import { connectTo, readKey } from "../../runtime/client/resolve.ts";
import { systemClock } from "../../runtime/platform/clock.ts";
import { findPaths } from "../../runtime/platform/paths.ts";
import { selfCommand } from "../../runtime/platform/self.ts";
import { withSmallHeap } from "../../runtime/platform/small-heap.ts";
import { CcError } from "../../runtime/protocol/error.ts";

const READY_DEADLINE_MS = 20_000;

export interface Installation {
  readonly folder: string;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly foremanPid: number;
  /** Connected as the account's own key. */
  connect(): Promise<Connection>;
  startWorker(slots: number): Promise<void>;
  /** Runs one of our verbs to its end. */
  run(words: readonly string[], options?: RunOptions): Promise<Finished>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly stdin?: string;
  /** What it prints is kept only when asked for; else it is thrown away. */
  readonly keepOutput?: boolean;
  readonly cwd?: string;
}

export interface Finished {
  readonly code: number;
  readonly wallMs: number;
  readonly stdout: string;
}

export async function startInstallation(): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), "cc-bench-"));
  const env = environmentOf(folder);
  const daemons: ChildProcess[] = [];
  const words = ["foreman", "--port=0", "--log-level=error", "--ready-fd=3"];
  const foreman = startDaemon(words, withSmallHeap(env));
  daemons.push(foreman);
  const url = await readLine(foreman);

  const installation: Installation = {
    folder,
    url,
    env,
    foremanPid: foreman.pid ?? 0,
    connect: () => {
      const paths = findPaths(env);
      return connectTo(url, readKey({ keyFile: undefined, cwd: folder, paths }), {
        clock: systemClock,
      });
    },
    async startWorker(slots) {
      const id = `bench-${daemons.length}`;
      daemons.push(
        startDaemon(
          ["worker", `--slots=${slots}`, `--foreman=${url}`, `--id=${id}`, "--log-level=error"],
          env,
        ),
      );
      await waitForWorker(installation, daemons.length - 1);
    },
    run: (words, options = {}) => runToEnd([...words, `--foreman=${url}`], env, folder, options),
    async close() {
      for (const daemon of daemons.reverse()) await stop(daemon);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return installation;
}

/** A home of its own; everything else as the user has it. */
function environmentOf(folder: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !entry[0].startsWith("CC_") && !entry[0].startsWith("XDG_"),
  );
  return { ...Object.fromEntries(kept), HOME: folder };
}

function startDaemon(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  const [program, ...rest] = selfCommand(words);
  return spawn(program, rest, { env, stdio: ["ignore", "ignore", "inherit", "pipe"] });
}

async function readLine(child: ChildProcess): Promise<string> {
  const pipe = child.stdio[3] as NodeJS.ReadableStream | null;
  if (!pipe) throw new Error("invariant broken: the foreman was started with a pipe");
  const signal = AbortSignal.timeout(READY_DEADLINE_MS);
  const failed = once(child, "exit", { signal }).then(([code]) => {
    throw notReady(`it ended with ${code}`);
  });
  const [chunk] = await Promise.race([once(pipe, "data", { signal }), failed]);
  return String(chunk).trim();
}

/** Asks until so many workers are connected: a follower is told within a quarter of a second. */
async function waitForWorker(installation: Installation, count: number): Promise<void> {
  const connection = await installation.connect();
  const ready = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => ready.reject(notReady("its worker did not connect")),
    READY_DEADLINE_MS,
  );
  const watch = await connection.watch({ kind: "foreman" }, (body) => {
    if ((body as { connected_workers: number }).connected_workers >= count) ready.resolve();
  });
  try {
    await ready.promise;
  } finally {
    clearTimeout(timer);
    watch.stop();
    connection.close();
  }
}

async function runToEnd(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
  options: RunOptions,
): Promise<Finished> {
  const [program, ...rest] = selfCommand(words);
  return runProgram(program, rest, { env, cwd: options.cwd ?? folder, ...options });
}

/** Any program, timed from its start to its end. */
export async function runProgram(
  program: string,
  words: readonly string[],
  options: RunOptions & { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Finished> {
  const startedMs = performance.now();
  const child = spawn(program, words, {
    env: options.env,
    cwd: options.cwd,
    stdio: [
      options.stdin === undefined ? "ignore" : "pipe",
      options.keepOutput ? "pipe" : "ignore",
      "ignore",
    ],
  });
  const parts: string[] = [];
  child.stdout?.on("data", (chunk) => parts.push(String(chunk)));
  child.stdin?.end(options.stdin);
  const [code] = await once(child, "close");
  return {
    code: Number(code ?? -1),
    wallMs: performance.now() - startedMs,
    stdout: parts.join(""),
  };
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, "close");
  daemon.kill("SIGTERM");
  await ended;
}

/** Resident memory of a process in bytes (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

function notReady(why: string): CcError {
  return new CcError({
    code: "bench_failed",
    message: `The foreman to be measured did not start: ${why}.`,
    hint: "cc doctor",
  });
}
