/**
 * A pretended crew: runs batches row by row in virtual time, as executors would in processes of their
 * own. They go on while the worker is suspended and die with it; every begin and end is written into
 * the ledger, whether or not anybody ever hears of it.
 */

import type { Timer } from "../../src/runtime/platform/clock.ts";
import {
  indexAt,
  u32At,
  ValueColumnBuilder,
  valueOffsets,
} from "../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../src/runtime/protocol/failure.ts";
import { encodeValue } from "../../src/runtime/protocol/value.ts";
import type { BatchOrder, ResultChunk } from "../../src/runtime/scheduler/agent/events.ts";
import type { WorkerEvent } from "../../src/runtime/worker/agent-loop.ts";
import type { BatchCrew } from "../../src/runtime/worker/batch-crew.ts";
import type { Dice } from "./chance.ts";
import { decodeInput, outputOf, type TaskInput } from "./jobs.ts";
import { type Execution, type Ledger, taskName } from "./ledger.ts";
import type { Story } from "./story.ts";
import type { Process, Timeline } from "./timeline.ts";
import { demand } from "./violation.ts";

interface Batch {
  readonly order: BatchOrder;
  readonly offsets: Uint32Array;
  readonly cancelled: Set<number>;
  nextRow: number;
  endRow: number;
  execution: Execution | null;
  input: TaskInput | null;
  rowBeganAtMs: number;
  timer: Timer | null;
  isKilled: boolean;
  /** Its executor does not start; nothing of it ever runs. */
  isRefused: boolean;
}

export interface CrewParts {
  readonly worker: Process;
  /** The executors', which live and die with the worker but are not suspended with it. */
  readonly executors: Process;
  readonly timeline: Timeline;
  readonly name: string;
  readonly dice: Dice;
  readonly ledger: Ledger;
  readonly story: Story;
  readonly refusalChance: () => number;
  readonly bootId: () => string;
  post(event: WorkerEvent): void;
  /** A task takes its worker down. */
  die(): void;
}

/** A killed process group is gone after so long. */
const KILL_MS = 40;

export function createCrew(parts: CrewParts): BatchCrew {
  const { worker, executors, timeline, dice, ledger, story } = parts;
  const batches = new Map<number, Batch>();
  /** What the worker hears of its executors; while it is suspended, it waits in the pipe. */
  const say = (event: WorkerEvent): void => void worker.after(0, () => parts.post(event));
  const isFront = ({ order }: Batch): boolean =>
    order.behind === null || !batches.has(order.behind);

  function run(order: BatchOrder): void {
    const batch: Batch = {
      order,
      offsets: valueOffsets(order.values, order.count),
      cancelled: new Set(),
      nextRow: 0,
      endRow: order.count,
      execution: null,
      input: null,
      rowBeganAtMs: timeline.nowMs,
      timer: null,
      isKilled: false,
      isRefused: false,
    };
    batches.set(order.batchId, batch);
    if (dice.happens(parts.refusalChance())) {
      batch.isRefused = true;
      executors.after(5, () => finish(batch, "no_executor"));
      return;
    }
    if (isFront(batch)) executors.after(0, () => begin(batch));
  }

  function begin(batch: Batch): void {
    if (
      batch.isKilled ||
      batch.isRefused ||
      batch.execution !== null ||
      !batches.has(batch.order.batchId)
    )
      return;
    while (batch.cancelled.has(batch.nextRow)) batch.nextRow++;
    if (batch.nextRow >= batch.endRow) {
      finish(batch, null);
      return;
    }
    const { order, offsets, nextRow: row } = batch;
    const index = indexAt(order.indexes, row);
    const attempt = u32At(order.attempts, row);
    const name = taskName(order.jobId, index);
    const input = decodeInput(order.values.data.subarray(offsets[row], offsets[row + 1]));
    demand(input.index === index, `it runs with the input of task ${input.index}`, name);
    const facts = { jobId: order.jobId, index, attempt, worker: parts.name, boot: parts.bootId() };
    story.tell(() => `${parts.name}: begins ${name} (attempt ${attempt}, ${input.runMs} ms)`);
    batch.execution = ledger.begin(facts);
    batch.input = input;
    batch.rowBeganAtMs = timeline.nowMs;
    if (attempt <= input.kills) {
      batch.timer = executors.after(Math.min(input.runMs, 300), parts.die);
      return;
    }
    const { timeoutMs } = order;
    const isLate = timeoutMs > 0 && input.runMs > timeoutMs;
    batch.timer = executors.after(isLate ? timeoutMs + KILL_MS : input.runMs, () =>
      endRow(batch, isLate),
    );
  }

  function endRow(batch: Batch, isLate: boolean): void {
    const { execution, input, nextRow: row } = batch;
    if (execution === null || input === null) return;
    batch.timer = null;
    batch.execution = null;
    batch.nextRow++;
    const hasFailed = isLate || execution.attempt <= input.failures + input.kills;
    execution.end = hasFailed ? "failed" : "completed";
    execution.code = isLate ? "timeout" : hasFailed ? "error" : null;
    execution.isPermanent = hasFailed && !isLate && input.isPermanent;
    story.tell(
      () =>
        `${parts.name}: ${execution.end} ${taskName(execution.jobId, execution.index)} (attempt ${execution.attempt})`,
    );
    const runUs = Math.round((timeline.nowMs - batch.rowBeganAtMs) * 1000);
    const chunk = chunkOf(execution, { input, row, runUs });
    say({ type: "resultsDelivered", batchId: batch.order.batchId, chunks: [chunk] });
    begin(batch);
  }

  function finish(batch: Batch, refusal: string | null): void {
    const { batchId } = batch.order;
    if (!batches.delete(batchId)) return;
    say({ type: "batchEnded", batchId, refusal });
    for (const next of batches.values()) if (next.order.behind === batchId) begin(next);
  }

  function stopRunning(batch: Batch): void {
    batch.timer?.cancel();
    batch.timer = null;
    if (batch.execution !== null) batch.execution.end = "ended";
    batch.execution = null;
  }

  function cancelRows(batchId: number, rows: Uint32Array): void {
    const batch = batches.get(batchId);
    if (!batch) return;
    const open = rows.filter((row) => row >= batch.nextRow && row < batch.endRow);
    for (const row of open) batch.cancelled.add(row);
    const runs = batch.execution !== null && batch.cancelled.has(batch.nextRow);
    const waiting = runs ? open.filter((row) => row !== batch.nextRow) : open;
    if (waiting.length > 0) say({ type: "rowsGone", batchId, rows: waiting });
    if (!runs) return;
    const row = batch.nextRow;
    // Some heed the signal, some must be killed, and some end by themselves in between.
    const patienceMs = dice.pick([10, 200, 5_000]);
    executors.after(patienceMs, () => {
      if (batch.isKilled || batch.nextRow !== row || batch.execution === null) return;
      stopRunning(batch);
      batch.nextRow++;
      say({ type: "rowsGone", batchId, rows: Uint32Array.of(row) });
      begin(batch);
    });
  }

  return {
    run,
    recall(batchId) {
      const batch = batches.get(batchId);
      if (!batch || dice.happens(0.2)) return;
      const firstFree = batch.execution === null && !isFront(batch) ? 0 : batch.nextRow + 1;
      batch.endRow = Math.max(Math.min(batch.endRow, firstFree), batch.nextRow);
      say({ type: "rowsRecalled", batchId, firstRow: batch.endRow });
    },
    cancelRows: (batchId, rows) => cancelRows(batchId, rows),
    kill(batchId) {
      const batch = batches.get(batchId);
      if (!batch || batch.isKilled) return;
      batch.isKilled = true;
      executors.after(KILL_MS, () => {
        stopRunning(batch);
        finish(batch, null);
      });
    },
    collectPrinted() {},
    inspect(batchId) {
      const batch = batches.get(batchId);
      if (!batch) return;
      const runningRow = batch.execution === null ? null : batch.nextRow;
      const runningUs = (timeline.nowMs - batch.rowBeganAtMs) * 1000;
      say({ type: "batchInspected", batchId, runningRow, runningUs });
    },
    look: () => null,
    leaderPids: () => [],
    async close() {},
  };
}

function chunkOf(
  execution: Execution,
  at: { readonly input: TaskInput; readonly row: number; readonly runUs: number },
): ResultChunk {
  const { input, row, runUs } = at;
  const builder = new ValueColumnBuilder();
  const { code, isPermanent, attempt } = execution;
  if (code === null) encodeValue(outputOf(input, attempt), builder);
  else builder.pushValue(encodeFailure({ code, message: "it failed as it was told" }));
  return {
    status: code === null ? "completed" : "failed",
    rows: { first: row },
    count: 1,
    runUs,
    codes: code === null ? null : [code],
    permanent: isPermanent ? 1 : 0,
    values: builder.take(),
  };
}
