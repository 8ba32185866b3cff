/** Gives each batch to the runner of its kind and brings what they say into the agent's events. */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { BatchOrder } from "../scheduler/agent/events.ts";
import type { WorkerEvent } from "./agent-loop.ts";
import type { BatchRunner, RunnerListener, RunningTask } from "./batch-runner.ts";
import type { Bundles } from "./code/bundles.ts";
import { createCommandRunner } from "./commands/command-runner.ts";
import { createFunctionRunner } from "./executors/function-runner.ts";
import type { ScratchSpace } from "./host/scratch.ts";
import type { JobPlans } from "./job-plans.ts";
import type { WorkerLogs } from "./logs/worker-logs.ts";
import type { OutputUploads } from "./outputs/output-uploads.ts";
import type { ProcessHost } from "./processes/process-host.ts";

export interface BatchCrew {
  run(order: BatchOrder): void;
  recall(batchId: number): void;
  cancelRows(batchId: number, rows: Uint32Array, reason: string): void;
  kill(batchId: number): void;
  /** Says with an event what runs of it. */
  inspect(batchId: number): void;
  look(batchId: number): RunningTask | null;
  /** Brings what tasks have printed and cannot send themselves, since they never pause. */
  collectPrinted(): void;
  /** Of all processes that lead a session of their own. */
  leaderPids(): Iterable<number>;
  close(): Promise<void>;
}

export interface BatchCrewOptions {
  readonly executorCommand: readonly string[];
  readonly host: ProcessHost;
  readonly scratch: ScratchSpace;
  readonly bundles: Bundles;
  readonly plans: JobPlans;
  readonly outputs: Pick<OutputUploads, "open">;
  readonly logs: Pick<WorkerLogs, "begin" | "end" | "print">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slotCount: number;
  readonly niceness: number | null;
  /** For tasks without one of their own; null: none. */
  readonly taskTimeoutMs: number | null;
  readonly post: (event: WorkerEvent) => void;
  /** Something could not be written: said before what comes of it. */
  readonly onStorageFault: () => void;
}

const WORKER_STORAGE = "worker_storage";

export function createBatchCrew(options: BatchCrewOptions): BatchCrew {
  const { host, scratch, niceness, plans, post } = options;
  const runners = new Map<number, BatchRunner>();
  const { logs } = options;
  const listener: RunnerListener = {
    onPrinted: logs.print,
    onResults(batchId, chunks) {
      if (chunks.some(({ codes }) => codes?.includes(WORKER_STORAGE))) options.onStorageFault();
      post({ type: "resultsDelivered", batchId, chunks });
    },
    onRowsGone: (batchId, rows) => post({ type: "rowsGone", batchId, rows }),
    onBatchEnded(batchId, refusal) {
      runners.delete(batchId);
      logs.end(batchId);
      if (refusal === WORKER_STORAGE) options.onStorageFault();
      post({ type: "batchEnded", batchId, refusal });
    },
  };
  const { outputs } = options;
  const commands = createCommandRunner({ host, scratch, niceness, outputs, listener });
  const functions = createFunctionRunner({
    command: options.executorCommand,
    host,
    scratch,
    bundles: options.bundles,
    clock: options.clock,
    logger: options.logger,
    slotCount: options.slotCount,
    niceness,
    listener,
  });

  const look = (batchId: number): RunningTask | null =>
    runners.get(batchId)?.inspect(batchId) ?? null;

  return {
    run(order) {
      const plan = plans.find(order.jobId, order.specVersion);
      if (plan === null) {
        listener.onBatchEnded(order.batchId, "spec_missing");
        return;
      }
      const runner = plan.agentJob.kind === "command" ? commands : functions;
      runners.set(order.batchId, runner);
      logs.begin(order);
      runner.run(order, plan, order.timeoutMs || (options.taskTimeoutMs ?? 0));
    },
    recall(batchId) {
      const firstRow = runners.get(batchId)?.recall(batchId);
      if (firstRow !== undefined) post({ type: "rowsRecalled", batchId, firstRow });
    },
    cancelRows: (batchId, rows, reason) => runners.get(batchId)?.cancelRows(batchId, rows, reason),
    kill: (batchId) => runners.get(batchId)?.kill(batchId),
    look,
    inspect(batchId) {
      const found = look(batchId);
      const runningUs = found?.runningUs ?? 0;
      post({ type: "batchInspected", batchId, runningRow: found?.row ?? null, runningUs });
    },
    collectPrinted: functions.collectPrinted,
    *leaderPids() {
      yield* commands.leaderPids();
      yield* functions.leaderPids();
    },
    async close() {
      await Promise.all([commands.close(), functions.close()]);
    },
  };
}
