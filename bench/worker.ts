/**
 * What a worker costs by itself: a real one with real executors, joined in memory to a foreman that
 * only hands out tasks and acknowledges. Run: `bun bench/worker.ts`. The processor time is that of
 * the whole process, so the foreman's half of the codec is measured alone and taken off.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/runtime/platform/clock.ts";
import { silentLogger } from "../src/runtime/platform/logger.ts";
import { selfCommand } from "../src/runtime/platform/self.ts";
import { type ValueColumn, ValueColumnBuilder } from "../src/runtime/protocol/columns.ts";
import { decodeFrame, encodeFrame } from "../src/runtime/protocol/frames.ts";
import { asWorkerId } from "../src/runtime/protocol/ids.ts";
import type { JobSpec } from "../src/runtime/protocol/job-spec.ts";
import type { Message, MessageOf } from "../src/runtime/protocol/messages.ts";
import { encodeValue } from "../src/runtime/protocol/value.ts";
import type { Channel } from "../src/runtime/transport/channel.ts";
import { createChannelPair } from "../src/runtime/transport/memory.ts";
import type { OnChannel } from "../src/runtime/transport/socket-channel.ts";
import { createHostProbe } from "../src/runtime/worker/host/host-probe.ts";
import { startWorker } from "../src/runtime/worker/worker.ts";
import type { WorkerOptions } from "../src/runtime/worker/worker-options.ts";
import { aSpec, functionWork } from "../test/support/specs.ts";

const SLOTS = 2;
const NO_OP = new TextEncoder().encode("export default (input) => input;");
const NO_OP_SHA256 = createHash("sha256").update(NO_OP).digest("hex");

const SPEC = aSpec({ name: "bench", work: functionWork(NO_OP_SHA256) });

const TRUE_SPEC: JobSpec = {
  ...SPEC,
  work: {
    kind: "command",
    argv: ["/bin/true"],
    shell: false,
    placeholder: null,
    stdin: false,
    scratch: false,
    cwd: "/",
  },
};

interface Load {
  readonly spec: JobSpec;
  readonly jobId: number;
  readonly taskCount: number;
  /** Tasks of one assignment, and how many may be under way. */
  readonly batch: number;
  readonly ahead: number;
}

/** Hands out a load; resolves when every task has a result. */
type Feed = (load: Load) => Promise<void>;

export interface WorkerFigure {
  readonly name: string;
  readonly tasksPerSecond: number;
  readonly mainCpuUsPerTask: number;
}

export async function benchWorker(): Promise<WorkerFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), "cc-bench-worker-"));
  const { feed, stop } = await joinWorker(folder);
  const functions = { spec: SPEC, jobId: 1, batch: 4_000, ahead: 32_000 };
  const commands = { spec: TRUE_SPEC, jobId: 2, batch: 40, ahead: 160 };
  try {
    await feed({ ...functions, taskCount: 100_000 });
    const foremanUs = codecUsPerTask();
    const noOp = await measure("no-op functions", feed, { ...functions, taskCount: 500_000 });
    await feed({ ...commands, taskCount: 200 });
    const truth = await measure("/bin/true commands", feed, { ...commands, taskCount: 2_000 });
    return [{ ...noOp, mainCpuUsPerTask: noOp.mainCpuUsPerTask - foremanUs }, truth];
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(name: string, feed: Feed, load: Load): Promise<WorkerFigure> {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await feed(load);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAtMs) / 1000;
  return {
    name,
    tasksPerSecond: Math.round(load.taskCount / seconds),
    mainCpuUsPerTask: (user + system) / load.taskCount,
  };
}

/** What the foreman's side of the channel adds: encode an assignment, decode its results. */
function codecUsPerTask(): number {
  const rounds = 200;
  const count = 4_000;
  const assignment = assignmentOf({ ...FIRST, spec: SPEC, jobId: 1 }, 1, count, inputsOf(0, count));
  const result: MessageOf<"task_result"> = {
    type: "task_result",
    seq: 1,
    assignment: 1,
    job_id: 1,
    status: "completed",
    first_index: 0,
    count,
    attempt: 1,
    run_us: new Uint32Array(count),
    ended_ago_us: 0,
    value: inputsOf(0, count),
  };
  const frame = encodeFrame(result, "msgpack");
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) {
    encodeFrame(assignment, "msgpack");
    decodeFrame(frame);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds / count;
}

const FIRST = { taskCount: 0, batch: 0, ahead: 0 };

async function joinWorker(folder: string): Promise<{ readonly feed: Feed; stop(): Promise<void> }> {
  const ready = Promise.withResolvers<Channel>();
  let onResults: (count: number) => void = () => {};
  let channel: Channel | null = null;

  function onMessage(message: Message): void {
    if (message.type === "worker_ready" && channel !== null) ready.resolve(channel);
    if (message.type === "heartbeat") channel?.send({ type: "heartbeat_echo", beat: message.beat });
    if (message.type === "blob_need") sendNoOp(message);
    if ("seq" in message) channel?.send({ type: "task_result_ack", seq: message.seq });
    if (message.type === "task_result") onResults(message.count);
  }

  function sendNoOp({ request, sha256 }: MessageOf<"blob_need">): void {
    channel?.send({ type: "blob_chunk", request, sha256, number: 0, data: NO_OP });
    channel?.send({ type: "blob_done", request, sha256 });
  }

  const worker = startWorker(
    optionsOf(folder, (opened) => {
      channel = opened;
      return { onMessage, onClose() {} };
    }),
  );
  const foreman = await ready.promise;
  let nextAssignment = 1;
  return {
    feed: (load) =>
      new Promise((resolve) => {
        let assigned = 0;
        let settled = 0;
        const assignMore = (): void => {
          while (assigned < load.taskCount && assigned - settled < load.ahead) {
            const count = Math.min(load.batch, load.taskCount - assigned);
            const inputs = inputsOf(assigned, count);
            foreman.send(assignmentOf(load, nextAssignment++, count, inputs));
            assigned += count;
          }
        };
        onResults = (count) => {
          settled += count;
          if (settled >= load.taskCount) resolve();
          else assignMore();
        };
        assignMore();
      }),
    async stop() {
      worker.halt("the benchmark is over");
      await worker.ended;
    },
  };
}

/** As `cc worker` has them, but for the way to the foreman and the thresholds. */
function optionsOf(folder: string, onForemanSide: OnChannel): WorkerOptions {
  return {
    workerId: asWorkerId("bench"),
    offer: {
      slots: SLOTS,
      queues: ["*"],
      roles: [],
      labels: {},
      resources: {},
      memory_bytes: 8e9,
      time_left_ms: null,
      sandbox: "process",
      host: "bench",
      platform: process.platform,
      version: "0",
      pid: process.pid,
    },
    async dial(onClientSide) {
      await Promise.resolve();
      const client = { ...PEER, role: "worker", scopes: ["work"] } as const;
      return createChannelPair({ client, welcome: WELCOME, onForemanSide, onClientSide }).client;
    },
    foreman: "memory",
    reconnectAttemptsMax: null,
    // Whatever else this machine does is part of the figure.
    cpuPercentMax: 100,
    memoryPercentMax: 100,
    taskTimeoutMs: null,
    idleTimeoutMs: null,
    timeLimitMs: null,
    spool: null,
    spoolAfterMs: 5_000,
    cacheFolder: folder,
    cacheBytesMax: 1e9,
    niceness: null,
    environment: process.env,
    probe: createHostProbe(),
    programs: {
      executor: selfCommand(["--internal-role=executor"]),
      watchdog: selfCommand(["--internal-role=watchdog"]),
    },
    clock: systemClock,
    chance: () => 0,
    logger: silentLogger,
  };
}

const PEER = { keyId: "bench", owner: "bench", address: "memory", programVersion: "0" };
const WELCOME = {
  foremanId: "bench",
  epoch: 1,
  owner: "bench",
  programVersion: "0",
  heartbeatMs: 3_000,
  leaseMs: 15_000,
};

function assignmentOf(
  { spec, jobId }: Load,
  assignment: number,
  count: number,
  input: ValueColumn,
): MessageOf<"assign_task"> {
  return {
    type: "assign_task",
    assignment,
    job_id: jobId,
    spec,
    spec_version: 1,
    owner: "bench",
    bundle_sha256: spec.work.kind === "function" ? spec.work.bundle_sha256 : null,
    priority: 0,
    attempt: 1,
    timeout_ms: 0,
    first_index: 0,
    count,
    input,
  };
}

function inputsOf(first: number, count: number): ValueColumn {
  const builder = new ValueColumnBuilder();
  for (let i = 0; i < count; i++) encodeValue(first + i, builder);
  return builder.take();
}

if (import.meta.main) {
  for (const figure of await benchWorker()) console.log(JSON.stringify(figure));
}
