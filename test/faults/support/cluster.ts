/**
 * A cluster of real processes: foreman, workers and clients of the compiled binary in a home of their own,
 * each of which can be killed, frozen, thawed and started again by its pid. Waiting is always for
 * something that was said or written, within a limit; nothing sleeps in the hope that it was enough.
 * `close()` ends every process, the frozen ones too, and removes every file.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BINARY,
  buildFailpointsIfStale,
  createWorld,
  FAILPOINT_BINARY,
  type RunningCc,
  type RunOptions,
  type RunResult,
  type World,
} from "../../support/binary.ts";
import { PATIENT_TIMING, type Timing, timing, timingArguments } from "./long.ts";

export interface StartOptions extends RunOptions {
  readonly args?: readonly string[];
  /** `NAME[:NTH][:pause]`, a step of `src/runtime/platform/failpoint.ts`; runs the test build. */
  readonly failpoint?: string;
  /** Words that start it elsewhere, as on an island: `program` runs them and then `binary`. */
  readonly before?: readonly string[];
  /** `dist/cc` unless it is given. */
  readonly binary?: string;
}

/** A process of the cluster. */
export interface Member extends RunningCc {
  /** SIGKILL, and waits until it is gone. */
  kill9(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<RunResult>;
  /** SIGSTOP, and waits until the system says that it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
}

export interface Cluster {
  readonly world: World;
  /** Of the foreman; the port stays over restarts. */
  readonly url: string;
  readonly storeFolder: string;
  /** The foreman that runs, or ran last. */
  readonly foreman: Member;
  /** Starts the foreman again on its port, after its end. */
  restartForeman(options?: StartOptions): Promise<Member>;
  /** Starts a worker and waits until it is connected. `via`: another address, as a proxy's. */
  worker(id: string, options?: WorkerStart): Promise<Member>;
  /** Starts a client command against the foreman and leaves it running. */
  start(args: readonly string[], options?: RunOptions): Member;
  /** Runs a client command to its end. */
  cc(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs it with `--json`, expects exit 0, and returns its lines. */
  json(args: readonly string[], options?: RunOptions): Promise<Record<string, unknown>[]>;
  /** A file in the folder where commands run; returns its path. */
  file(name: string, content: string): string;
  close(): Promise<void>;
}

export interface WorkerStart extends StartOptions {
  readonly slots?: number;
  readonly via?: string;
  /** Do not wait for the connection. */
  readonly unawaited?: boolean;
}

export interface ClusterOptions extends StartOptions {
  /** Of heartbeat, lease and grace; nobody is lost by default. The long form takes the real ones. */
  readonly timing?: Timing;
}

const CLIENT_TIMEOUT_MS = 60_000;

export async function openCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const world = await createWorld();
  const members = new Set<Member>();
  const timed = timingArguments(timing(options.timing ?? PATIENT_TIMING));
  let url = "";
  let foreman: Member;

  function start(args: readonly string[], runOptions: RunOptions = {}): Member {
    const member = createMember(world.start(args, runOptions));
    members.add(member);
    void member.ended.then(() => members.delete(member));
    return member;
  }

  async function startForeman({ args = [], ...run }: StartOptions): Promise<Member> {
    const port = url === "" ? "0" : new URL(url).port;
    const started = await startDaemon(["foreman", "--port", port, ...timed, ...args], run);
    foreman = started;
    await within("the foreman listens", started.untilStderr(/workers join with/), started);
    url = /foreman at (\S+)/.exec(started.stderr())?.[1] ?? "";
    return started;
  }

  async function startDaemon(
    words: readonly string[],
    { failpoint, before, binary = BINARY, ...run }: StartOptions,
  ): Promise<Member> {
    if (failpoint !== undefined) {
      await buildFailpointsIfStale();
      const env = { ...run.env, CC_FAILPOINT: failpoint };
      return start(words, { ...run, env, program: FAILPOINT_BINARY });
    }
    if (before !== undefined) return start([...before, binary, ...words], run);
    return start(words, { program: binary, ...run });
  }

  const toForeman = (run: RunOptions = {}): RunOptions => ({
    ...run,
    env: { CC_FOREMAN: url, ...run.env },
  });
  const cc = (args: readonly string[], run?: RunOptions): Promise<RunResult> =>
    start(args, { timeoutMs: CLIENT_TIMEOUT_MS, ...toForeman(run) }).ended;

  const cluster: Cluster = {
    world,
    storeFolder: join(world.env["XDG_STATE_HOME"] ?? "", "crowdcompute"),
    get url() {
      return url;
    },
    get foreman() {
      return foreman;
    },
    // A port that was just freed may need another try; the options of the first start hold again.
    restartForeman: (again = {}) => startForeman({ args: options.args ?? [], ...again }),
    async worker(id, { args = [], slots = 1, via, unawaited = false, ...run } = {}) {
      const words = ["--id", id, "--slots", `${slots}`, "--foreman", via ?? url, ...args];
      // Other tests load this machine; its CPU and memory must not decide who gets tasks.
      const limits = ["--max-cpu", "100", "--max-memory", "100"];
      const worker = await startDaemon(["worker", ...words, ...limits], run);
      if (!unawaited) {
        await within(`worker ${id} connects`, worker.untilStderr(/connected to the/), worker);
      }
      return worker;
    },
    start: (args, run) => start(args, toForeman(run)),
    cc,
    async json(args, run) {
      const { stdout, stderr, exitCode } = await cc([...args, "--json"], run);
      if (exitCode !== 0) {
        throw new Error(`cc ${args.join(" ")} --json ended with ${exitCode}:\n${stderr}`);
      }
      return stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    },
    file(name, content) {
      const path = join(world.folder, name);
      writeFileSync(path, content);
      return path;
    },
    async close() {
      for (const member of members) member.thaw();
      await world.close();
    },
  };
  try {
    await startForeman(options);
  } catch (thrown) {
    await cluster.close();
    throw thrown;
  }
  return cluster;
}

function createMember(process: RunningCc): Member {
  const isGone = (): boolean => !existsSync(`/proc/${process.pid}`);
  return {
    ...process,
    async kill9() {
      process.kill("SIGKILL");
      await process.ended;
    },
    stop() {
      process.kill("SIGTERM");
      return process.ended;
    },
    async freeze() {
      process.kill("SIGSTOP");
      await eventually("the process stands still", () => isGone() || stateOf(process.pid) === "T");
    },
    thaw() {
      if (!isGone()) process.kill("SIGCONT");
    },
  };
}

/** The letter of `/proc/PID/stat`; the name before it may hold anything. */
function stateOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] ?? "";
}

const PATIENCE_MS = 45_000;
const LOOK_AGAIN_MS = 20;

/** Looks until it is so; what files and answers say can only be looked at. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`it never happened that ${what}`);
    await Bun.sleep(LOOK_AGAIN_MS);
  }
}

/** The same for something that says so itself; names what was waited for, and what was said instead. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  witness?: RunningCc,
  patienceMs: number = PATIENCE_MS,
): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`it never happened that ${what}; stderr:\n${witness?.stderr() ?? ""}`));
  }, patienceMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
