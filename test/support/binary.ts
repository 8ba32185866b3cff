/**
 * Runs the compiled binary as a stranger's machine would: a home of its own, no configuration, and a PATH
 * that has neither node nor bun nor a C compiler. Everything lies in one temporary folder, which goes
 * away with the world; no process outlives it.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..", "..");
export const BINARY = join(ROOT, "dist", "cc");
/** The same program, built so that `CC_FAILPOINT` ends it at a named step (armed-failpoint.ts). */
export const FAILPOINT_BINARY = join(ROOT, "dist", "cc-failpoints");
const TIMEOUT_MS = 20_000;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Another executable than `dist/cc`. */
  readonly program?: string;
}

export interface RunResult {
  readonly exitCode: number | null;
  /** The signal that ended it; SIGKILL after the time-out. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

export interface RunningCc {
  readonly pid: number;
  /** All of stderr so far. */
  stderr(): string;
  stdout(): string;
  /** Resolves when stderr matches; rejects when the process ends first. */
  untilStderr(pattern: RegExp): Promise<void>;
  untilStdout(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<RunResult>;
}

export interface World {
  /** An empty folder to work in. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `cc ARGS` to its end. */
  cc(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts `cc ARGS` and leaves it running until it ends or the world closes. */
  start(args: readonly string[], options?: RunOptions): RunningCc;
  close(): Promise<void>;
}

/** Builds `dist/cc` when a source is newer, and makes a fresh world around it. */
export async function createWorld(): Promise<World> {
  await buildIfStale();
  const root = mkdtempSync(join(tmpdir(), "cc-world-"));
  const env = createEnvironment(root);
  const folder = join(root, "work");
  mkdirSync(folder);
  const running = new Set<RunningCc>();
  const start = (args: readonly string[], options: RunOptions = {}): RunningCc => {
    const child = startCc(args, { cwd: folder, ...options, env: { ...env, ...options.env } });
    running.add(child);
    void child.ended.then(() => running.delete(child));
    return child;
  };
  return {
    folder,
    env,
    start,
    cc: (args, options) => start(args, { timeoutMs: TIMEOUT_MS, ...options }).ended,
    async close() {
      for (const child of running) child.kill("SIGTERM");
      const patience = setTimeout(() => {
        for (const child of running) child.kill("SIGKILL");
      }, 3_000);
      await Promise.all([...running].map(({ ended }) => ended));
      clearTimeout(patience);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function createEnvironment(root: string): Readonly<Record<string, string>> {
  const folders = {
    HOME: "home",
    XDG_CONFIG_HOME: "config",
    XDG_STATE_HOME: "state",
    XDG_CACHE_HOME: "cache",
    TMPDIR: "tmp",
  };
  const env: Record<string, string> = {
    PATH: createToolFolder(join(root, "bin")),
    LANG: "C.UTF-8",
    USER: "tester",
  };
  for (const [variable, name] of Object.entries(folders)) {
    env[variable] = join(root, name);
    mkdirSync(join(root, name));
  }
  return env;
}

/** Names that a test must not find by accident. */
const ABSENT = /^(node|nodejs|npm|npx|bun|bunx|corepack|cc|c89|c99|crowdcompute)$/;

/** The system's tools, by symbolic links, without the ones above. */
function createToolFolder(folder: string): string {
  mkdirSync(folder);
  const seen = new Set<string>();
  for (const source of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    for (const name of listFolder(source)) {
      if (ABSENT.test(name) || seen.has(name)) continue;
      seen.add(name);
      symlinkSync(join(source, name), join(folder, name));
    }
  }
  return folder;
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not every system has each of them.
    return [];
  }
}

function startCc(args: readonly string[], options: RunOptions): RunningCc {
  const child = Bun.spawn([options.program ?? BINARY, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...options.env },
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
    ...(options.timeoutMs === undefined
      ? {}
      : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ended = Promise.all([child.exited, stdout.done, stderr.done]).then(() => ({
    exitCode: child.exitCode,
    signal: child.signalCode === null ? null : String(child.signalCode),
    stdout: stdout.text(),
    stdoutBytes: stdout.bytes(),
    stderr: stderr.text(),
  }));
  return {
    pid: child.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    untilStderr: (pattern) => stderr.until(pattern),
    untilStdout: (pattern) => stdout.until(pattern),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

interface Collected {
  bytes(): Uint8Array;
  text(): string;
  until(pattern: RegExp): Promise<void>;
  readonly done: Promise<void>;
}

function collect(stream: ReadableStream<Uint8Array>): Collected {
  const chunks: Uint8Array[] = [];
  let onChunk = Promise.withResolvers<void>();
  let isDone = false;
  const bytes = () => Buffer.concat(chunks);
  const text = () => bytes().toString("utf8");
  const read = async () => {
    for await (const chunk of stream) {
      chunks.push(chunk);
      onChunk.resolve();
      onChunk = Promise.withResolvers();
    }
    isDone = true;
    onChunk.resolve();
  };
  return {
    bytes,
    text,
    done: read(),
    async until(pattern) {
      while (!pattern.test(text())) {
        if (isDone) throw new Error(`the process ended before ${pattern} appeared in:\n${text()}`);
        await onChunk.promise;
      }
    },
  };
}

const building = new Map<string, Promise<void>>();

function buildIfStale(): Promise<void> {
  return buildOnce(BINARY, []);
}

/** Builds `dist/cc-failpoints` when a source is newer. */
export function buildFailpointsIfStale(): Promise<void> {
  return buildOnce(FAILPOINT_BINARY, ["--failpoints"]);
}

function buildOnce(binary: string, options: readonly string[]): Promise<void> {
  const known = building.get(binary);
  if (known !== undefined) return known;
  const build = isStale(binary) ? runBuild(options) : Promise.resolve();
  building.set(binary, build);
  return build;
}

async function runBuild(options: readonly string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, join(ROOT, "scripts/build-binary.ts"), ...options], {
    cwd: ROOT,
    stdout: "ignore",
    stderr: "pipe",
    timeout: 120_000,
  });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`the binary cannot be built:\n${errors}`);
}

function isStale(binary: string): boolean {
  const builtAtMs = modifiedAtMs(binary);
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const files = [
    ...sources.map((name) => join(ROOT, "src", name)),
    join(ROOT, "package.json"),
    join(ROOT, "scripts/build-binary.ts"),
    join(ROOT, "test/support/armed-failpoint.ts"),
  ];
  return files.some((file) => modifiedAtMs(file) > builtAtMs);
}

function modifiedAtMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
