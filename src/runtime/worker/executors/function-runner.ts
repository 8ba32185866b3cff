/**
 * Runs batches of functions in warm executors. Batches behind one another form a lane, which keeps one
 * executor while it has work. When that executor dies or is being ended, what is already in it comes
 * back by itself, and what the lane gets meanwhile waits for the next executor.
 *
 * A lane's states: starting (code is looked for) -> running -> ended (its executor is idle again), or
 * running -> dying (its executor ends) -> starting or ended.
 */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { toCcError } from "../../protocol/error.ts";
import type { BatchOrder } from "../../scheduler/agent/events.ts";
import type { BatchRunner, RunnerListener } from "../batch-runner.ts";
import { type Bundles, bundleRefusal } from "../code/bundles.ts";
import { lowerPriority } from "../commands/command-runner.ts";
import type { ScratchSpace } from "../host/scratch.ts";
import { executorEnvironment } from "../host/task-environment.ts";
import type { JobPlan } from "../job-plans.ts";
import type { ProcessHost } from "../processes/process-host.ts";
import { createExecutorPool, type PooledExecutor } from "./executor-pool.ts";

export interface FunctionRunnerOptions {
  /** The command that runs an executor. */
  readonly command: readonly string[];
  readonly host: ProcessHost;
  readonly scratch: ScratchSpace;
  readonly bundles: Pick<Bundles, "ensure">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slotCount: number;
  /** Null: ours. */
  readonly niceness: number | null;
  readonly listener: RunnerListener;
}

interface QueuedBatch {
  readonly order: BatchOrder;
  readonly plan: JobPlan;
  readonly timeoutMs: number;
}

interface Lane {
  /** Null while one is being started. */
  executor: PooledExecutor | null;
  isStarting: boolean;
  /** Not handed to an executor yet. */
  readonly waiting: QueuedBatch[];
  readonly handed: Set<number>;
}

/** Even on one slot two jobs can take turns without new starts. */
const IDLE_EXECUTORS_MIN = 2;

export interface FunctionRunner extends BatchRunner {
  /** What tasks have printed and could not send yet, since they never pause. */
  collectPrinted(): void;
}

export function createFunctionRunner(options: FunctionRunnerOptions): FunctionRunner {
  const { listener, logger } = options;
  const lanes = new Map<number, Lane>();
  const pool = createExecutorPool({
    command: options.command,
    host: options.host,
    scratch: options.scratch,
    clock: options.clock,
    idleCountMax: Math.max(IDLE_EXECUTORS_MIN, options.slotCount),
    onStarted(pid) {
      if (options.niceness !== null) lowerPriority(pid, options.niceness);
    },
    onPrinted: listener.onPrinted,
    onNotice: (text) => logger.warn("a job's code fails outside its tasks", { text }),
  });
  let isClosed = false;

  function run(order: BatchOrder, plan: JobPlan, timeoutMs: number): void {
    const lane = lanes.get(order.behind ?? -1) ?? openLane();
    lanes.set(order.batchId, lane);
    lane.waiting.push({ order, plan, timeoutMs });
    handOver(lane);
  }

  function openLane(): Lane {
    return { executor: null, isStarting: false, waiting: [], handed: new Set() };
  }

  function handOver(lane: Lane): void {
    const [next] = lane.waiting;
    if (next === undefined || lane.isStarting) return;
    if (lane.executor === null) {
      const warm = pool.takeIdle(keyOf(next));
      if (warm === null) {
        void startExecutor(lane, next);
        return;
      }
      adopt(lane, warm);
    }
    // While it is being ended, the lane waits for its `onGone`.
    const child = lane.executor?.child;
    if (!child?.isUsable) return;
    for (const batch of lane.waiting.splice(0)) {
      lane.handed.add(batch.order.batchId);
      const { order, plan, timeoutMs } = batch;
      const { batchId, count, indexes, attempts, values } = order;
      child.run({ batchId, count, indexes, attempts, values, job: plan.frame, timeoutMs });
    }
  }

  async function startExecutor(lane: Lane, { order, plan }: QueuedBatch): Promise<void> {
    lane.isStarting = true;
    const key = keyOf({ order, plan });
    try {
      const bundlePath = await options.bundles.ensure(plan.agentJob.bundleSha256 as string);
      lane.isStarting = false;
      if (lane.waiting.length === 0 || isClosed) return;
      const environment = executorEnvironment(plan.environment, order.slots[0] as number);
      const memoryBytesMax = plan.spec.memory_bytes;
      adopt(lane, pool.start(key, { bundlePath, environment, memoryBytesMax }));
      handOver(lane);
    } catch (thrown) {
      lane.isStarting = false;
      const error = toCcError(thrown);
      logger.error("an executor cannot be started", { code: error.code, reason: error.message });
      refuse(lane, error.code === "spawn_failed" ? error.code : bundleRefusal(error));
    }
  }

  function adopt(lane: Lane, executor: PooledExecutor): void {
    lane.executor = executor;
    executor.listener = {
      onResults: listener.onResults,
      onRowsGone: listener.onRowsGone,
      onBatchEnded: (batchId, refusal) => onBatchEnded(lane, batchId, refusal),
      onGone() {
        lane.executor = null;
        handOver(lane);
      },
    };
  }

  function onBatchEnded(lane: Lane, batchId: number, refusal: string | null): void {
    lanes.delete(batchId);
    lane.handed.delete(batchId);
    if (refusal !== null) logger.error("an executor refuses a batch", { reason: refusal });
    const { executor } = lane;
    // First, so that what the machine orders next finds it.
    if (executor !== null && lane.handed.size === 0 && lane.waiting.length === 0) {
      if (executor.child.isUsable) lane.executor = null;
      pool.release(executor);
    }
    listener.onBatchEnded(batchId, refusal === null ? null : "executor_failed");
  }

  function refuse(lane: Lane, reason: string): void {
    for (const { order } of lane.waiting.splice(0)) {
      lanes.delete(order.batchId);
      listener.onBatchEnded(order.batchId, reason);
    }
  }

  /** A batch that no executor has got ends without a trace. */
  function dropWaiting(lane: Lane, batchId: number): boolean {
    const at = lane.waiting.findIndex(({ order }) => order.batchId === batchId);
    if (at < 0) return false;
    lane.waiting.splice(at, 1);
    lanes.delete(batchId);
    listener.onBatchEnded(batchId, null);
    return true;
  }

  return {
    run,
    recall(batchId) {
      const lane = lanes.get(batchId);
      if (lane === undefined || dropWaiting(lane, batchId)) return 0;
      return lane.executor?.child.recall(batchId) ?? 0;
    },
    cancelRows(batchId, rows, reason) {
      const lane = lanes.get(batchId);
      // What ends unstarted takes its cancelled rows with it; the others wait again.
      if (lane === undefined || dropWaiting(lane, batchId)) return;
      lane.executor?.child.cancelRows(batchId, rows, reason);
    },
    kill(batchId) {
      const lane = lanes.get(batchId);
      if (lane === undefined || dropWaiting(lane, batchId)) return;
      lane.executor?.child.kill();
    },
    inspect(batchId) {
      const child = lanes.get(batchId)?.executor?.child;
      const found = child?.inspect() ?? null;
      if (!child || found?.batchId !== batchId) return null;
      return { row: found.row, runningUs: found.runningUs, leaderPid: child.pid };
    },
    collectPrinted: pool.collectPrinted,
    leaderPids: pool.leaderPids,
    async close() {
      isClosed = true;
      await pool.close();
    },
  };
}

/** What a warm process must have in common with a batch to be used for it. */
function keyOf({ order, plan }: { readonly order: BatchOrder; readonly plan: JobPlan }): string {
  const { environment, owner, spec, agentJob } = plan;
  const slot = order.slots[0];
  return JSON.stringify([agentJob.bundleSha256, owner, slot, spec.memory_bytes, environment]);
}
