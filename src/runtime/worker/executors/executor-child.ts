/**
 * One warm executor as its worker sees it: started with a bundle, given batches, watched while they
 * run. It never decodes a value and never waits for an executor that is busy.
 *
 * States: running -> stopping (a row timed out or was cancelled, too much memory, told to end) -> gone,
 * or running -> gone (it crashed, or was closed while idle). An executor that is stopped for one row
 * is not used again: what the row has started dies with it, and the rows behind it come back
 * unstarted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readConsole } from "../../executor/console-ring.ts";
import {
  type AbortFrame,
  type BatchEndFrame,
  decodeJsonFrame,
  decodeResultsFrame,
  encodeBatchFrame,
  encodeJsonFrame,
  FRAME_ABORT,
  FRAME_BATCH_END,
  FRAME_JOB,
  FRAME_LOG,
  FRAME_NOTICE,
  FRAME_OPEN,
  FRAME_READY,
  FRAME_RESULTS,
  type JobFrame,
  malformedFrame,
  type NoticeFrame,
  type OpenFrame,
  type ReadyFrame,
  type ResultsFrame,
} from "../../executor/frames.ts";
import { assert } from "../../protocol/error.ts";
import type { Failure } from "../../protocol/failure.ts";
import { startDeadline } from "../processes/deadline.ts";
import { endTree, KILL_AFTER_MS, type ProcessTree } from "../processes/process-tree.ts";
import { watchTreeMemory } from "../processes/tree-memory.ts";
import { type OpenedCell, openCell } from "./executor-cell.ts";
import { type ExecutorChannel, openExecutorChannel } from "./executor-channel.ts";
import { describeBrokenChannel, describeTimeout, type ExecutorDeath } from "./executor-failure.ts";
import type { ExecutorBatch, ExecutorChild, ExecutorChildOptions } from "./executor-interface.ts";
import { createExecutorLedger, type ExecutorLedger, type RunningRow } from "./executor-ledger.ts";
import { createExecutorLog, type ExecutorLog } from "./executor-log.ts";
import { type ExecutorProcess, startExecutorProcess } from "./executor-process.ts";
import { describeEnd, describeFailedStart, type StopCause } from "./executor-stop.ts";

/** @throws CcError `spawn_failed` or `worker_storage` when this machine cannot start one. */
export function startExecutorChild(options: ExecutorChildOptions): ExecutorChild {
  return new WatchedExecutor(options);
}

/** How long a task gets to react to `ctx.signal` before its process is told to end. */
const COOPERATIVE_GRACE_MS = 500;
/** For the end of a worker, and for what a dead executor has left running. */
const QUICK_KILL_AFTER_MS = 1_000;
/** An executor that is asked to end runs its exit handlers so long. */
const CLOSE_GRACE_MS = 1_000;
/** A channel that closes before its process ends has been closed by user code. */
const CLOSED_CHANNEL_GRACE_MS = 200;
/** A row that runs so long must not hold back the results of those before it. */
const HARVEST_AFTER_US = 5_000;

class WatchedExecutor implements ExecutorChild {
  readonly pid: number;
  readonly tree: ProcessTree;
  private readonly options: ExecutorChildOptions;
  private readonly opened: OpenedCell;
  private readonly process: ExecutorProcess;
  private readonly channel: ExecutorChannel;
  private readonly ledger: ExecutorLedger;
  private readonly log: ExecutorLog;
  /** What was printed past the console is this row's while nothing runs. */
  private lastRow: { readonly batchId: number; readonly row: number } | null = null;
  private readonly gone = Promise.withResolvers<void>();
  private readonly timeouts = new Map<number, number>();
  private stopCause: StopCause | null = null;
  private treeGone: Promise<void> | null = null;
  /** Resolves a wait for the running row to end by itself. */
  private onProgress: (() => void) | null = null;
  /** Add it to the executor's clock to get ours; null until it has said its own. */
  private clockOffsetMs: number | null = null;
  private endDeadline: (() => void) | null = null;
  private endSampling: (() => void) | null = null;
  private lastJob: JobFrame | null = null;
  private isClosing = false;
  private isGone = false;

  constructor(options: ExecutorChildOptions) {
    this.options = options;
    this.opened = openCell(options.scratchFolder);
    try {
      this.process = startExecutorProcess({
        ...options,
        onDirect: (stream, chunk) => this.onDirect(stream, chunk),
      });
    } catch (error) {
      this.opened.unlink();
      throw error;
    }
    this.pid = this.process.pid;
    this.tree = this.process.tree;
    this.ledger = createExecutorLedger(this.opened.cell, options.listener);
    this.log = createExecutorLog(this.opened.cell, options.listener.onPrinted);
    this.channel = openExecutorChannel(this.process.channelDescriptor, {
      onFrame: (type, body) => this.onFrame(type, body),
      onMalformed: () => this.stop({ kind: "broken_channel" }),
    });
    this.open();
    void this.followToEnd();
  }

  get batchCount(): number {
    return this.ledger.batchCount;
  }

  get isUsable(): boolean {
    return this.stopCause === null && !this.process.hasExited;
  }

  run(batch: ExecutorBatch): void {
    assert(!this.isGone, "an executor that has gone is given nothing");
    const slot = this.ledger.hold(batch.batchId, batch.count);
    // A batch that comes in the moment of its executor's end is ended with it.
    if (!this.isUsable) this.ledger.recallAll();
    if (batch.job !== this.lastJob) {
      this.channel.write(encodeJsonFrame(FRAME_JOB, batch.job));
      this.lastJob = batch.job;
    }
    this.channel.write(encodeBatchFrame({ ...batch, slot }));
    if (batch.timeoutMs === 0) return;
    this.timeouts.set(batch.batchId, batch.timeoutMs);
    this.endDeadline ??= startDeadline(batch.timeoutMs, () => this.checkTimeout());
  }

  recall(batchId: number): number {
    return this.ledger.recall(batchId);
  }

  cancelRows(batchId: number, rows: Uint32Array, reason: string): void {
    const running = this.ledger.cancel(batchId, rows);
    if (running === null || this.stopCause !== null) return;
    this.stop({ kind: "cancelled", running });
    void this.endKindly(running, reason);
  }

  inspect(): { readonly batchId: number; readonly row: number; readonly runningUs: number } | null {
    const running = this.ledger.findRunning();
    if (running === null) return null;
    const runningUs = Math.round(this.runningMs(running) * 1000);
    if (runningUs > HARVEST_AFTER_US) {
      this.guarded(() => {
        this.collectPrinted();
        this.ledger.harvest();
      });
    }
    return { batchId: running.batchId, row: running.row, runningUs };
  }

  collectPrinted(): void {
    if (this.clockOffsetMs === null || this.ledger.batchCount === 0) return;
    const offsetMs = this.clockOffsetMs;
    this.guarded(() => this.log.collect(offsetMs, false));
  }

  kill(): void {
    this.stop({ kind: "ended" });
  }

  async close(): Promise<void> {
    this.isClosing = true;
    if (this.ledger.batchCount > 0) this.kill();
    else this.channel.close();
    const timer = setTimeout(() => this.kill(), CLOSE_GRACE_MS);
    await this.gone.promise;
    clearTimeout(timer);
  }

  private open(): void {
    const { bundlePath, scratchFolder, environment, memoryBytesMax } = this.options;
    const { path: cellPath } = this.opened;
    const frame: OpenFrame = {
      bundlePath,
      cellPath,
      scratchFolder,
      environment: environment.afterStart,
    };
    this.channel.write(encodeJsonFrame(FRAME_OPEN, frame));
    if (memoryBytesMax === null) return;
    this.endSampling = watchTreeMemory(this.process.tree, memoryBytesMax, () =>
      this.stop({ kind: "out_of_memory", bytesMax: memoryBytesMax }),
    );
  }

  private onFrame(type: number, body: Uint8Array): void {
    switch (type) {
      case FRAME_READY:
        this.clockOffsetMs = performance.now() - decodeJsonFrame<ReadyFrame>(body).nowMs;
        this.opened.unlink();
        return;
      case FRAME_RESULTS:
        this.onResults(decodeResultsFrame(body));
        return;
      case FRAME_LOG:
        this.log.onFrame(body);
        return;
      case FRAME_BATCH_END:
        this.onBatchEnd(decodeJsonFrame<BatchEndFrame>(body));
        return;
      case FRAME_NOTICE:
        this.options.listener.onNotice(decodeJsonFrame<NoticeFrame>(body).text);
        return;
      default:
        throw malformedFrame();
    }
  }

  private onResults(frame: ResultsFrame): void {
    this.log.flushDirect();
    this.ledger.deliver(frame);
    this.lastRow = { batchId: frame.batchId, row: frame.firstRow + frame.count - 1 };
    this.onProgress?.();
  }

  private onDirect(stream: number, chunk: Uint8Array): void {
    this.log.onDirect(this.ledger.findRunning() ?? this.lastRow, stream, chunk);
  }

  /** While it is being stopped, batches end with its tree and not before. */
  private onBatchEnd({ batchId }: BatchEndFrame): void {
    this.onProgress?.();
    if (this.stopCause !== null) return;
    this.timeouts.delete(batchId);
    this.ledger.end(batchId, null);
  }

  private checkTimeout(): void {
    this.endDeadline = null;
    if (this.timeouts.size === 0 || this.stopCause !== null) return;
    const running = this.ledger.findRunning();
    const timeoutMs = this.timeouts.get(running?.batchId ?? -1) ?? 0;
    const leftMs = running === null ? 0 : timeoutMs - this.runningMs(running);
    if (running !== null && timeoutMs > 0 && leftMs <= 0) {
      this.ledger.drop(running.batchId, running.row);
      this.stop({ kind: "timeout", running, timeoutMs });
      void this.endKindly(running, describeTimeout(timeoutMs, "").message);
      return;
    }
    // A row that starts from now on can run out of time no sooner than this.
    const soonestMs = Math.min(...this.timeouts.values());
    const nextMs = running !== null && timeoutMs > 0 ? Math.min(leftMs, soonestMs) : soonestMs;
    this.endDeadline = startDeadline(nextMs, () => this.checkTimeout());
  }

  /** Before its clock is known it has run no longer than its process. */
  private runningMs({ startedAtMs }: RunningRow): number {
    const offsetMs = this.clockOffsetMs;
    const startMs = offsetMs === null ? this.process.startedAtMs : startedAtMs + offsetMs;
    return Math.max(0, performance.now() - startMs);
  }

  /** The first cause stands. A running row is given `endKindly` where it deserves it. */
  private stop(cause: StopCause): void {
    if (this.stopCause !== null) {
      if (cause.kind === "ended") this.treeGone ??= endTree(this.process.tree, QUICK_KILL_AFTER_MS);
      return;
    }
    this.stopCause = cause;
    this.ledger.recallAll();
    this.endDeadline?.();
    if (cause.kind === "out_of_memory") this.treeGone = endTree(this.process.tree, 0);
    else if (cause.kind === "ended" || cause.kind === "broken_channel") {
      this.treeGone = endTree(this.process.tree, QUICK_KILL_AFTER_MS);
    }
  }

  /** `ctx.signal` first, then SIGTERM, then SIGKILL. */
  private async endKindly({ batchId, row }: RunningRow, reason: string): Promise<void> {
    const abort: AbortFrame = { batchId, row, reason };
    this.channel.write(encodeJsonFrame(FRAME_ABORT, abort));
    const settled = new Promise<void>((resolve) => {
      this.onProgress = () => {
        if (this.ledger.isReported(batchId, row)) resolve();
      };
    });
    const grace = new AbortController();
    const timer = sleep(COOPERATIVE_GRACE_MS, undefined, { signal: grace.signal }).catch(() => {});
    await Promise.race([settled, timer, this.process.exited]);
    grace.abort();
    this.treeGone ??= endTree(this.process.tree, KILL_AFTER_MS);
  }

  private async followToEnd(): Promise<void> {
    const { process, channel } = this;
    void channel.closed
      .then(() => sleep(CLOSED_CHANNEL_GRACE_MS))
      .then(() => {
        if (!process.hasExited && !this.isClosing) this.stop({ kind: "broken_channel" });
      });
    await process.exited;
    this.endDeadline?.();
    this.endSampling?.();
    await Promise.race([channel.closed, sleep(CLOSED_CHANNEL_GRACE_MS).then(turnOver)]);
    // An executor that ended by itself may have left children.
    await (this.treeGone ?? endTree(process.tree, QUICK_KILL_AFTER_MS));
    this.guarded(() => {
      this.log.flushDirect();
      this.log.collect(this.clockOffsetMs ?? 0, true);
      this.ledger.harvest();
    });
    this.reportEnd(await process.finish());
    this.opened.unlink();
    this.isGone = true;
    this.options.listener.onGone();
    this.gone.resolve();
  }

  /** The running row's fate first, then the end of all batches. */
  private reportEnd(end: Omit<ExecutorDeath, "console">): void {
    const { stopCause, ledger } = this;
    const running = ledger.findRunning();
    const death: ExecutorDeath = { ...end, console: readConsole(this.opened.cell) };
    // They have run, so they must not come back as if they had not.
    if (stopCause?.kind !== "ended") {
      for (const row of ledger.findLost()) ledger.fail(row, 0, describeBrokenChannel(death));
    }
    if (stopCause?.kind === "cancelled") {
      const { batchId, row } = stopCause.running;
      if (!ledger.isReported(batchId, row)) {
        this.options.listener.onRowsGone(batchId, Uint32Array.of(row));
      }
    } else if (stopCause?.kind === "timeout") {
      this.fail(stopCause.running, describeTimeout(stopCause.timeoutMs, death.console));
    } else if (running !== null && stopCause?.kind !== "ended") {
      this.fail(running, describeEnd(stopCause, death));
    }
    const hasStarted = this.clockOffsetMs !== null || stopCause !== null;
    ledger.endAll(hasStarted ? null : describeFailedStart(death));
  }

  private fail(running: RunningRow, failure: Failure): void {
    this.ledger.fail(running, Math.round(this.runningMs(running) * 1000), failure);
  }

  private guarded(act: () => void): void {
    try {
      act();
    } catch {
      // The cell, too, can be written to by user code: then nothing in it is believed.
      this.stop({ kind: "broken_channel" });
    }
  }
}

/** What had come before a timer that was late is read first. */
async function turnOver(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) await new Promise<void>((done) => setImmediate(done));
}
