/**
 * What one executor has been given and has reported: at most two batches, each with how far its rows
 * have come. It says everything about a row once, in order, and knows through the shared cell what
 * has started although the executor may be too busy, or too dead, to say so.
 */
import { malformedFrame, type ResultsFrame } from "../../executor/frames.ts";
import { readJournal } from "../../executor/journal.ts";
import {
  closeBatch,
  EXECUTOR_BATCH_ROWS_MAX,
  EXECUTOR_BATCHES_MAX,
  resetBatchSlot,
  runningRow,
  type SharedCell,
  skipRow,
  startedCount,
} from "../../executor/shared-cell.ts";
import { assert } from "../../protocol/error.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { ResultChunk } from "../../scheduler/agent/events.ts";
import { failureChunk, splitResults } from "./executor-results.ts";

export interface LedgerListener {
  onResults(batchId: number, chunks: readonly ResultChunk[]): void;
  /** Cancelled rows of which nothing runs any more. */
  onRowsGone(batchId: number, rows: Uint32Array): void;
  /** Nothing of the batch runs; rows not reported before never started. */
  onBatchEnded(batchId: number, refusal: string | null): void;
}

export interface RunningRow {
  readonly batchId: number;
  readonly row: number;
  /** By the executor's clock. */
  readonly startedAtMs: number;
}

export interface LostRow {
  readonly batchId: number;
  readonly row: number;
}

export interface ExecutorLedger {
  readonly batchCount: number;
  /** Takes a batch on; returns its slot in the cell. */
  hold(batchId: number, rowCount: number): number;
  /** @throws CcError `malformed_frame` when the report cannot be the executor's. */
  deliver(frame: ResultsFrame): void;
  /** Reports what is finished but was not written. */
  harvest(): void;
  /** Nothing of the batch starts any more; returns its first row that never starts. */
  recall(batchId: number): number;
  recallAll(): void;
  /** Marks rows as cancelled and reports those that never start; returns the one that runs. */
  cancel(batchId: number, rows: Uint32Array): RunningRow | null;
  findRunning(): RunningRow | null;
  /** Rows that have run and whose results never came: user code got at the channel or the cell. */
  findLost(): readonly LostRow[];
  /** Whether this row's own result has come, or will not be reported. */
  isReported(batchId: number, row: number): boolean;
  /** From now on the row's own result does not count. */
  drop(batchId: number, row: number): void;
  fail(
    row: { readonly batchId: number; readonly row: number },
    runUs: number,
    failure: Failure,
  ): void;
  end(batchId: number, refusal: string | null): void;
  endAll(refusal: string | null): void;
}

interface HeldBatch {
  readonly batchId: number;
  readonly slot: number;
  readonly rowCount: number;
  /** Rows before this one have been reported by the executor. */
  receivedCount: number;
  readonly droppedRows: Set<number>;
}

export function createExecutorLedger(cell: SharedCell, listener: LedgerListener): ExecutorLedger {
  const batches: HeldBatch[] = [];
  const find = (batchId: number) => batches.find((batch) => batch.batchId === batchId);

  function deliver(frame: ResultsFrame): void {
    const batch = find(frame.batchId);
    if (batch === undefined || !isPlausible(cell, batch, frame)) throw malformedFrame();
    const { chunks, skippedRows } = splitResults(frame, batch.receivedCount, batch.droppedRows);
    batch.receivedCount = Math.max(batch.receivedCount, frame.firstRow + frame.count);
    if (chunks.length > 0) listener.onResults(batch.batchId, chunks);
    if (skippedRows.length > 0) listener.onRowsGone(batch.batchId, skippedRows);
  }

  function findRunning(): RunningRow | null {
    for (const { batchId, slot } of batches) {
      const running = runningRow(cell, slot);
      if (running !== null) return { batchId, ...running };
    }
    return null;
  }

  function end(batchId: number, refusal: string | null): void {
    const at = batches.findIndex((batch) => batch.batchId === batchId);
    if (at < 0) throw malformedFrame();
    batches.splice(at, 1);
    listener.onBatchEnded(batchId, refusal);
  }

  return {
    get batchCount() {
      return batches.length;
    },
    hold(batchId, rowCount) {
      assert(batches.length < EXECUTOR_BATCHES_MAX, "an executor holds two batches at most");
      assert(rowCount <= EXECUTOR_BATCH_ROWS_MAX, "a batch fits into the shared cell");
      const slot = batches.some((batch) => batch.slot === 0) ? 1 : 0;
      resetBatchSlot(cell, slot);
      batches.push({ batchId, slot, rowCount, receivedCount: 0, droppedRows: new Set() });
      return slot;
    },
    deliver,
    harvest() {
      const journal = readJournal(cell);
      const batch = journal === null ? undefined : find(journal.batchId);
      if (journal === null || batch === undefined) return;
      // A frame that is still on its way must come first: results are in order.
      if (journal.firstRow <= batch.receivedCount) deliver(journal);
    },
    recall(batchId) {
      const batch = find(batchId);
      return batch === undefined ? 0 : closeBatch(cell, batch.slot);
    },
    recallAll() {
      for (const { slot } of batches) closeBatch(cell, slot);
    },
    cancel(batchId, rows) {
      const batch = find(batchId);
      if (batch === undefined) return null;
      const unstarted = rows.filter((row) => cancelRow(cell, batch, row));
      if (unstarted.length > 0) listener.onRowsGone(batchId, unstarted);
      const running = runningRow(cell, batch.slot);
      return running !== null && rows.includes(running.row) ? { batchId, ...running } : null;
    },
    findRunning,
    findLost: () => batches.flatMap((batch) => lostOf(cell, batch)),
    isReported(batchId, row) {
      const batch = find(batchId);
      return batch === undefined || row < batch.receivedCount;
    },
    drop(batchId, row) {
      find(batchId)?.droppedRows.add(row);
    },
    fail({ batchId, row }, runUs, failure) {
      listener.onResults(batchId, [failureChunk(row, runUs, failure)]);
    },
    end,
    endAll(refusal) {
      for (const { batchId } of [...batches]) end(batchId, refusal);
    },
  };
}

/** Without the one that runs: its fate is told apart. */
function lostOf(cell: SharedCell, batch: HeldBatch): readonly LostRow[] {
  const { batchId, slot, rowCount, receivedCount, droppedRows } = batch;
  const startedRows = Math.min(startedCount(cell, slot), rowCount);
  const running = runningRow(cell, slot)?.row;
  const lost: LostRow[] = [];
  for (let row = receivedCount; row < startedRows; row++) {
    if (row !== running && !droppedRows.has(row)) lost.push({ batchId, row });
  }
  return lost;
}

/** True when the row had not started and never will; its own report then tells nothing new. */
function cancelRow(cell: SharedCell, batch: HeldBatch, row: number): boolean {
  if (row >= batch.rowCount || batch.droppedRows.has(row)) return false;
  const isUnstarted = skipRow(cell, batch.slot, row);
  if (isUnstarted) batch.droppedRows.add(row);
  return isUnstarted;
}

/** User code may write to our descriptor; what it invents must not settle what never ran. */
function isPlausible(cell: SharedCell, batch: HeldBatch, frame: ResultsFrame): boolean {
  const endRow = frame.firstRow + frame.count;
  return frame.firstRow <= batch.receivedCount && endRow <= startedCount(cell, batch.slot);
}
