/** What the tests of `cc submit` and its followers share: a foreman with a worker in a world of its own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createWorld,
  type RunningCc,
  type RunOptions,
  type RunResult,
  type World,
} from "../support/binary.ts";

export interface ServedWorld {
  readonly world: World;
  readonly url: string;
  readonly foreman: RunningCc;
  /** Runs `cc ARGS` against this foreman. */
  cc(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  start(args: readonly string[], options?: RunOptions): RunningCc;
  /** Writes a file into the folder where commands run; returns its name. */
  file(name: string, content: string | Uint8Array): string;
  /** What a shell prints in that folder. */
  shell(script: string): string;
  close(): Promise<void>;
}

export async function createServedWorld(
  slots = 2,
  foremanArgs: readonly string[] = [],
): Promise<ServedWorld> {
  const world = await createWorld();
  const args = ["--port", "0", "--workers", String(slots), ...foremanArgs];
  const foreman = world.start(["foreman", ...args]);
  await foreman.untilStderr(/foreman at \S+\n/);
  const url = /foreman at (\S+)\n/.exec(foreman.stderr())?.[1] ?? "";
  const served = (options: RunOptions = {}): RunOptions => ({
    ...options,
    env: { CC_FOREMAN: url, ...options.env },
  });
  return {
    world,
    url,
    foreman,
    cc: (args, options) => world.cc(args, served(options)),
    start: (args, options) => world.start(args, served(options)),
    file(name, content) {
      writeFileSync(join(world.folder, name), content);
      return name;
    },
    shell: (script) => shellIn(world, script),
    close: () => world.close(),
  };
}

export function shellIn(world: World, script: string): string {
  const child = Bun.spawnSync(["/bin/sh", "-c", script], {
    cwd: world.folder,
    env: { ...world.env },
    timeout: 20_000,
  });
  if (child.exitCode !== 0) throw new Error(`sh failed: ${child.stderr.toString()}`);
  return child.stdout.toString();
}

/** The job's number in a final line such as `job 17 completed: …`. */
export function jobIdOf(stderr: string): string {
  const found = /job (\d+)/.exec(stderr)?.[1];
  if (found === undefined) throw new Error(`no job is named in:\n${stderr}`);
  return found;
}
