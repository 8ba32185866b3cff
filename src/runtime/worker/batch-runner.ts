/** What the agent's effects need of whoever runs batches: commands and functions have one each. */
import type { BatchOrder, ResultChunk } from "../scheduler/agent/events.ts";
import type { JobPlan } from "./job-plans.ts";
import type { Printed } from "./logs/printed.ts";

export interface RunnerListener {
  /** A row has printed; its result comes later, but for what was left in pipes. */
  onPrinted(batchId: number, row: number, printed: Printed): void;
  onResults(batchId: number, chunks: readonly ResultChunk[]): void;
  /** Cancelled rows of which nothing runs any more. */
  onRowsGone(batchId: number, rows: Uint32Array): void;
  /** Nothing of the batch runs; rows not reported before never started. Last, and exactly once. */
  onBatchEnded(batchId: number, refusal: string | null): void;
}

export interface RunningTask {
  readonly row: number;
  readonly runningUs: number;
  /** The process whose session it runs in. */
  readonly leaderPid: number;
}

export interface BatchRunner {
  /** Answered through the listener, which may happen before it returns. */
  run(order: BatchOrder, plan: JobPlan, timeoutMs: number): void;
  /** Rows from the answer on never start. */
  recall(batchId: number): number;
  cancelRows(batchId: number, rows: Uint32Array, reason: string): void;
  /** Ends it; what runs is not reported, except by `onBatchEnded`. */
  kill(batchId: number): void;
  /** What runs of this batch and for how long; null when nothing does. */
  inspect(batchId: number): RunningTask | null;
  /** Processes that lead a session of their own. */
  leaderPids(): Iterable<number>;
  /** Ends everything; resolves when all has gone. */
  close(): Promise<void>;
}
