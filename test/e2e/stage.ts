// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text here is shell code
/**
 * A stage for tests that look and steer: a foreman on a free port in a world of its own, workers as they
 * are wanted, and tasks that run until the test lets them go. Nothing here sleeps or polls.
 */
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  createWorld,
  type RunningCc,
  type RunOptions,
  type RunResult,
  type World,
} from "../support/binary.ts";

/** What `beforeAll` may take: the first file also builds the binary. */
export const SETUP_MS = 180_000;
const HELPER_TIMEOUT_MS = 30_000;

export interface Stage {
  readonly world: World;
  readonly foreman: RunningCc;
  readonly url: string;
  cc(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  start(args: readonly string[], options?: RunOptions): RunningCc;
  /** Runs it, expects exit 0 and JSON lines, and returns what they hold. */
  json(args: readonly string[]): Promise<Record<string, unknown>[]>;
  /** Submits detached and returns the job's number. */
  submit(args: readonly string[]): Promise<string>;
  /** Starts a worker with this id and waits until it is connected. */
  worker(id: string, args?: readonly string[]): Promise<RunningCc>;
  file(name: string, content: string): string;
  /** A gate with this name; the tasks of `GATED` take it as input. */
  gate(name: string): Gate;
  close(): Promise<void>;
}

/** A task that says when it has begun and waits for the test. */
export interface Gate {
  /** The task's input. */
  readonly path: string;
  /** Resolves when an attempt has begun; each attempt is waited for once. */
  started(): Promise<void>;
  /** Lets the attempt that waits go on. */
  open(): Promise<void>;
}

/** The command whose inputs are gates; each prints its gate's name at the end. */
export const GATED = [
  "sh",
  "-c",
  'echo up > "$1.up"; read _ < "$1.go"; echo "${1##*/}"',
  "sh",
] as const;

export async function openStage(foremanArgs: readonly string[] = []): Promise<Stage> {
  const world = await createWorld();
  const foreman = world.start(["foreman", "--port", "0", ...foremanArgs]);
  await foreman.untilStderr(/workers join with/);
  const url = /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "";
  // Nobody names the foreman: it is found by the note in the store.
  const { cc, start } = world;
  return {
    world,
    foreman,
    url,
    cc,
    start,
    json: (args) => jsonLines(world, args),
    async submit(args) {
      const { stdout, stderr, exitCode } = await cc(["submit", "-d", ...args]);
      if (exitCode !== 0) throw new Error(`cc submit -d ended with ${exitCode}:\n${stderr}`);
      return stdout.trim();
    },
    async worker(id, args = []) {
      const worker = start(["worker", "--id", id, ...args]);
      await worker.untilStderr(/connected to the foreman/);
      return worker;
    },
    file(name, content) {
      writeFileSync(join(world.folder, name), content);
      return name;
    },
    gate: (name) => createGate(world, name),
    close: () => world.close(),
  };
}

export async function jsonLines(
  world: World,
  args: readonly string[],
): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, exitCode } = await world.cc([...args, "--json"]);
  if (exitCode !== 0) throw new Error(`cc ${args.join(" ")} ended with ${exitCode}:\n${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

export function createGate(world: World, name: string): Gate {
  const path = join(world.folder, name);
  shell(world, `mkfifo '${path}.up' '${path}.go'`);
  return {
    path,
    started: () => shellLater(world, `read _ < '${path}.up'`),
    open: () => shellLater(world, `echo > '${path}.go'`),
  };
}

/** What a shell prints in the world's folder. */
export function shell(world: World, script: string): string {
  const child = Bun.spawnSync(["/bin/sh", "-c", script], {
    cwd: world.folder,
    env: { ...world.env },
    timeout: HELPER_TIMEOUT_MS,
  });
  if (child.exitCode !== 0) throw new Error(`sh failed: ${child.stderr.toString()}`);
  return child.stdout.toString();
}

async function shellLater(world: World, script: string): Promise<void> {
  const child = Bun.spawn(["/bin/sh", "-c", script], {
    cwd: world.folder,
    env: { ...world.env },
    stdio: ["ignore", "ignore", "ignore"],
    timeout: HELPER_TIMEOUT_MS,
  });
  if ((await child.exited) !== 0) throw new Error(`nobody was at the gate: ${script}`);
}

/** A screen without what differs from run to run: durations, instants, names of machine and folder. */
export function plain(text: string, world: World): string {
  return text
    .replaceAll(world.folder, "FOLDER")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\(code [0-9a-f]{12}\)/g, "(code HASH)")
    .replace(/(?<![\w.])(\d+m\d\ds|\d+(\.\d+)?(µs|ms|s| min))(?!\w)/g, "T")
    .replace(new RegExp(`(?<![\\w-])${hostname()}(?![\\w])`, "g"), "HOST")
    .replace(/ {2,}/g, "  ");
}
