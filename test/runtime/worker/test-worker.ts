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
import { aSpec, commandWork, functionWork } from "../../support/specs.ts";
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
    spool: null,
    spoolAfterMs: 5_000,
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

export function functionSpec(bundleSha256: string, changes: Partial<JobSpec> = {}): JobSpec {
  return aSpec({ work: functionWork(bundleSha256), ...changes });
}

export function commandSpec(
  argv: string[],
  work: Parameters<typeof commandWork>[1] = {},
  changes: Partial<JobSpec> = {},
): JobSpec {
  return aSpec({ work: commandWork(argv, work), ...changes });
}
