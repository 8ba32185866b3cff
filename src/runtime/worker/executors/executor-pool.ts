/**
 * Warm executors: each serves one bundle of one owner in one environment on one slot, and is used
 * again by the next batch of the same. Idle ones are kept while there is room, the least recently
 * used going first, and not for ever.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import type { ScratchSpace } from "../host/scratch.ts";
import { findTreeMembers } from "../processes/process-tree.ts";
import { startExecutorChild } from "./executor-child.ts";
import type { ExecutorChild, ExecutorChildOptions } from "./executor-interface.ts";
import type { LedgerListener } from "./executor-ledger.ts";
import type { OnPrinted } from "./executor-log.ts";

export interface ExecutorPool {
  /** An idle executor of this key, or null. It is the caller's until `release` or its end. */
  takeIdle(key: string): PooledExecutor | null;
  /** @throws CcError `spawn_failed` or `worker_storage` */
  start(key: string, parts: ExecutorParts): PooledExecutor;
  /** Nothing runs in it any more; whoever is too many is closed. */
  release(executor: PooledExecutor): void;
  /** What tasks have printed and could not send yet. */
  collectPrinted(): void;
  leaderPids(): Iterable<number>;
  close(): Promise<void>;
}

export type ExecutorParts = Pick<
  ExecutorChildOptions,
  "bundlePath" | "environment" | "memoryBytesMax"
>;

export interface PooledExecutor {
  readonly key: string;
  readonly child: ExecutorChild;
  /** Who hears of its batches now. */
  listener: LedgerListener & { onGone(): void };
}

export interface ExecutorPoolOptions {
  readonly command: readonly string[];
  readonly host: ExecutorChildOptions["host"];
  readonly scratch: ScratchSpace;
  readonly clock: Clock;
  readonly idleCountMax: number;
  /** After each start, such as to lower its priority. */
  readonly onStarted: (pid: number) => void;
  readonly onPrinted: OnPrinted;
  /** What user code did while no task was to blame. */
  readonly onNotice: (text: string) => void;
}

/** What tasks have started and left ends with their process, which must not go on idle for that. */
const LEFTOVERS_AFTER_MS = 1_000;
/** An executor holds some 30 MB that the machine may want for something else. */
const IDLE_MS_MAX = 60_000;

interface IdleExecutor {
  readonly executor: PooledExecutor;
  readonly timers: readonly Timer[];
}

const NOBODY: PooledExecutor["listener"] = {
  onResults() {},
  onRowsGone() {},
  onBatchEnded() {},
  onGone() {},
};

export function createExecutorPool(options: ExecutorPoolOptions): ExecutorPool {
  const { scratch, clock } = options;
  const alive = new Set<PooledExecutor>();
  /** The least recently used first. */
  const idle = new Set<IdleExecutor>();
  const removals = new Set<Promise<void>>();

  function start(key: string, parts: ExecutorParts): PooledExecutor {
    const scratchFolder = scratch.createFolder();
    const executor: PooledExecutor = { key, child: startChild(), listener: NOBODY };
    alive.add(executor);
    options.onStarted(executor.child.pid);
    return executor;

    function startChild(): ExecutorChild {
      try {
        return startExecutorChild({
          ...parts,
          command: options.command,
          scratchFolder,
          host: options.host,
          listener: {
            onPrinted: options.onPrinted,
            onResults: (batchId, chunks) => executor.listener.onResults(batchId, chunks),
            onRowsGone: (batchId, rows) => executor.listener.onRowsGone(batchId, rows),
            onBatchEnded: (batchId, refusal) => executor.listener.onBatchEnded(batchId, refusal),
            onNotice: options.onNotice,
            onGone: () => onGone(executor, scratchFolder),
          },
        });
      } catch (thrown) {
        removeFolder(scratchFolder);
        throw thrown;
      }
    }
  }

  function onGone(executor: PooledExecutor, scratchFolder: string): void {
    alive.delete(executor);
    for (const entry of idle) if (entry.executor === executor) forget(entry);
    removeFolder(scratchFolder);
    executor.listener.onGone();
  }

  function removeFolder(folder: string): void {
    // What cannot be removed now goes with the whole scratch space.
    const removal = scratch.removeFolder(folder).catch(() => {});
    removals.add(removal);
    void removal.then(() => removals.delete(removal));
  }

  function forget(entry: IdleExecutor): void {
    for (const timer of entry.timers) timer.cancel();
    idle.delete(entry);
  }

  function dismiss(entry: IdleExecutor): void {
    forget(entry);
    void entry.executor.child.close();
  }

  function dismissIfLittered(entry: IdleExecutor): void {
    const { tree } = entry.executor.child;
    if (findTreeMembers(tree).some(({ pid }) => pid !== tree.leaderPid)) dismiss(entry);
  }

  return {
    takeIdle(key) {
      for (const entry of idle) {
        if (entry.executor.key !== key) continue;
        forget(entry);
        if (entry.executor.child.isUsable) return entry.executor;
      }
      return null;
    },
    start,
    release(executor) {
      executor.listener = NOBODY;
      if (!executor.child.isUsable) return;
      const entry: IdleExecutor = {
        executor,
        timers: [
          clock.setTimer(IDLE_MS_MAX, () => dismiss(entry), { holdsProcess: false }),
          clock.setTimer(LEFTOVERS_AFTER_MS, () => dismissIfLittered(entry), {
            holdsProcess: false,
          }),
        ],
      };
      idle.add(entry);
      for (const oldest of idle) {
        if (idle.size <= options.idleCountMax) break;
        dismiss(oldest);
      }
    },
    collectPrinted() {
      for (const { child } of alive) child.collectPrinted();
    },
    *leaderPids() {
      for (const { child } of alive) yield child.pid;
    },
    async close() {
      for (const { timers } of idle) for (const timer of timers) timer.cancel();
      idle.clear();
      await Promise.all([...alive].map(({ child }) => child.close()));
      await Promise.all(removals);
    },
  };
}
