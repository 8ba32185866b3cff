/** A real worker with real executors, commands and watchdog, joined to a fake foreman. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { asWorkerId } from "../../../src/runtime/protocol/ids.ts";
import type { JobSpec } from "../../../src/runtime/protocol/job-spec.ts";
import { type RunningWorker, startWorker } from "../../../src/runtime/worker/worker.ts";
import type { WorkerOptions } from "../../../src/runtime/worker/worker-options.ts";
import { createFakeForeman, type FakeForeman } from "./fake-foreman.ts";

export interface TestWorker {
  readonly foreman: FakeForeman;
  readonly worker: RunningWorker;
  /** Holds the worker's cache. */
  readonly folder: string;
  /** Ends the worker if it has not ended and removes its folder. */
  close(): Promise<void>;
}

const programs = {
  executor: [process.execPath, `${import.meta.dir}/fixtures/executor-entry.ts`],
  watchdog: [process.execPath, `${import.meta.dir}/fixtures/watchdog-entry.ts`],
};

export function startTestWorker(changes: Partial<WorkerOptions> = {}): TestWorker {
  const folder = mkdtempSync(join(tmpdir(), "cc-worker-"));
  const foreman = createFakeForeman();
  const worker = startWorker({
    workerId: asWorkerId("w1"),
    offer: {
      slots: 2,
      queues: ["*"],
      roles: [],
      labels: {},
      resources: {},
      memory_bytes: 8e9,
      time_left_ms: null,
      sandbox: "process",
      host: "host-a",
      platform: "linux-x64",
      version: "0.1.0",
      pid: process.pid,
    },
    dial: foreman.dial,
    foreman: "memory",
    reconnectAttemptsMax: null,
    cpuPercentMax: 90,
    memoryPercentMax: 85,
    taskTimeoutMs: null,
    idleTimeoutMs: null,
    timeLimitMs: null,
    cacheFolder: folder,
    cacheBytesMax: 1e9,
    niceness: null,
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    probe: {
      processorCount: 2,
      memoryBytes: 8e9,
      sample: () => ({ cpuPercent: 10, memoryPercent: 10 }),
    },
    programs,
    clock: systemClock,
    chance: () => 0,
    logger: silentLogger,
    ...changes,
  });
  return {
    foreman,
    worker,
    folder,
    async close() {
      worker.halt("the test is over");
      await worker.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A specification with nothing special in it. */
export function specOf(work: JobSpec["work"], changes: Partial<JobSpec> = {}): JobSpec {
  return {
    name: "a job",
    note: null,
    queue: "default",
    role: null,
    metadata: {},
    priority: 0,
    work,
    input: { product_sources: 0, chunk: 0, none: false },
    retries: 0,
    backoff_seconds: 1,
    timeout_seconds: null,
    max_crashes: 3,
    max_fails: { kind: "none" },
    max_running: null,
    delay_seconds: 0,
    after: [],
    time_request_seconds: null,
    cpus: 1,
    memory_bytes: null,
    resources: {},
    worker_labels: {},
    env: {},
    seed: 0,
    attached: false,
    submitted_from: { host: "h", user: "u", folder: "/", command_line: "" },
    ...changes,
  };
}

export function functionSpec(bundleSha256: string, changes: Partial<JobSpec> = {}): JobSpec {
  return specOf({ kind: "function", bundle_sha256: bundleSha256, entry_file: "job.ts" }, changes);
}

type CommandWork = Extract<JobSpec["work"], { kind: "command" }>;

export function commandSpec(
  argv: string[],
  work: Partial<CommandWork> = {},
  changes: Partial<JobSpec> = {},
): JobSpec {
  const whole: CommandWork = {
    kind: "command",
    argv,
    shell: false,
    placeholder: null,
    stdin: false,
    scratch: false,
    cwd: "/",
    ...work,
  };
  return specOf(whole, changes);
}
