/**
 * What comes back from executors and commands: results, rows that never started, rows that are gone.
 * What an executor says about a row that is not its own any more changes nothing: user code shares
 * its process and could have written it.
 */
import type { IndexColumn } from "../../protocol/columns.ts";
import { indexesOfRows, requeueRows, settleRow } from "./assignments.ts";
import { closeBatch, LONG_RUN_MS, recordDurations } from "./batches.ts";
import { attemptsOfRows, selectRows, splitLarge, sumUs } from "./chunks.ts";
import type { AgentEffect, EventOf, ResultChunk } from "./events.ts";
import { addNotice, flushResults, gatherResults, returnTasks } from "./reports.ts";
import { type AgentState, type Batch, CANCELLING, HANDED, REPORTED } from "./state.ts";

export function onResultsDelivered(
  state: AgentState,
  event: EventOf<"resultsDelivered">,
  effects: AgentEffect[],
): void {
  const batch = state.batches.get(event.batchId);
  if (!batch || batch.fate === "orphaned") return;
  for (const chunk of event.chunks) {
    for (const part of splitLarge(chunk)) {
      if (isOpenStretch(batch, part)) acceptStretch(state, batch, part, event.atMs, effects);
      else acceptSingly(state, batch, part, event.atMs, effects);
    }
  }
  // The clock of the row that runs now starts here.
  if (batch.lane.batches[0] === batch) batch.inspectAtMs = event.atMs + LONG_RUN_MS;
}

/** Consecutive rows that all wait for their result: the ordinary case, without an object per row. */
function isOpenStretch(batch: Batch, { rows, count }: ResultChunk): boolean {
  if (rows instanceof Uint32Array) return false;
  const from = batch.fromRow + rows.first;
  if (from + count > batch.toRow) return false;
  const { rowState } = batch.assignment;
  for (let row = from; row < from + count; row++) if (rowState[row] !== HANDED) return false;
  return true;
}

function acceptStretch(
  state: AgentState,
  batch: Batch,
  chunk: ResultChunk,
  atMs: number,
  effects: AgentEffect[],
): void {
  const first = batch.fromRow + (chunk.rows as { first: number }).first;
  batch.assignment.rowState.fill(REPORTED, first, first + chunk.count);
  recordResults(state, batch, { chunk, rows: { first } }, atMs, effects);
}

function acceptSingly(
  state: AgentState,
  batch: Batch,
  chunk: ResultChunk,
  atMs: number,
  effects: AgentEffect[],
): void {
  const { rowState } = batch.assignment;
  const accepted: number[] = [];
  const gone: number[] = [];
  for (let i = 0; i < chunk.count; i++) {
    const position = chunk.rows instanceof Uint32Array ? chunk.rows[i] : chunk.rows.first + i;
    const row = batch.fromRow + (position as number);
    if (row >= batch.toRow) continue;
    // It ended by itself before it could be ended; the foreman has fenced it already.
    if (rowState[row] === CANCELLING) gone.push(row);
    if (rowState[row] !== HANDED) continue;
    rowState[row] = REPORTED;
    accepted.push(i);
  }
  if (accepted.length > 0) {
    const kept = selectRows(chunk, accepted);
    const rows = (kept.rows as Uint32Array).map((position) => batch.fromRow + position);
    recordResults(state, batch, { chunk: kept, rows }, atMs, effects);
  }
  reportGone(state, batch, gone, atMs, effects);
}

function recordResults(
  state: AgentState,
  batch: Batch,
  result: { readonly chunk: ResultChunk; readonly rows: IndexColumn },
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignment } = batch;
  const { chunk, rows } = result;
  const totalUs = sumUs(chunk);
  batch.openCount -= chunk.count;
  batch.actualUs += totalUs * assignment.version.slotsPerTask;
  recordDurations(assignment.job, totalUs, chunk.count);
  const attempts = attemptsOfRows(assignment.attempts, rows, chunk.count);
  gatherResults(state, { ...chunk, assignment, rows, attempts }, atMs, effects);
}

export function onRowsGone(
  state: AgentState,
  event: EventOf<"rowsGone">,
  effects: AgentEffect[],
): void {
  const batch = state.batches.get(event.batchId);
  if (!batch || batch.fate === "orphaned") return;
  const rows: number[] = [];
  for (const position of event.rows) {
    const row = batch.fromRow + position;
    if (row < batch.toRow && batch.assignment.rowState[row] === CANCELLING) rows.push(row);
  }
  reportGone(state, batch, rows, event.atMs, effects);
}

/** `rows` are CANCELLING ones of the batch. */
function reportGone(
  state: AgentState,
  batch: Batch,
  rows: readonly number[],
  atMs: number,
  effects: AgentEffect[],
): void {
  if (rows.length === 0) return;
  const { assignment } = batch;
  // What was finished before must not be overtaken.
  flushResults(state, atMs, effects);
  for (const row of rows) settleRow(state, assignment, row);
  batch.openCount -= rows.length;
  const index = indexesOfRows(assignment, rows);
  const { assignmentId } = assignment;
  addNotice(state, { type: "tasks_gone", assignment: assignmentId, index }, atMs, effects);
}

/** Rows from `firstRow` on wait again; the batch goes on with those before. */
export function onRowsRecalled(
  state: AgentState,
  event: EventOf<"rowsRecalled">,
  effects: AgentEffect[],
): void {
  const batch = state.batches.get(event.batchId);
  if (batch?.fate !== "running") return;
  batch.isRecallAsked = false;
  const from = batch.fromRow + event.firstRow;
  if (from >= batch.toRow) return;
  releaseUnstarted(state, batch, from, event.atMs, effects);
  batch.toRow = from;
}

export function onBatchEnded(
  state: AgentState,
  event: EventOf<"batchEnded">,
  effects: AgentEffect[],
): void {
  const batch = state.batches.get(event.batchId);
  if (!batch) return;
  if (batch.fate !== "orphaned") {
    const reason = batch.fate === "aborting" ? "aborted" : event.refusal;
    if (reason === null) releaseUnstarted(state, batch, batch.fromRow, event.atMs, effects);
    else returnOpenRows(state, batch, reason, event.atMs, effects);
  }
  closeBatch(state, batch, event.atMs);
}

/** Rows `from` until the batch's end never started: cancelled ones are gone, the others wait. */
function releaseUnstarted(
  state: AgentState,
  batch: Batch,
  from: number,
  atMs: number,
  effects: AgentEffect[],
): void {
  const cancelled = rowsInState(batch, from, CANCELLING);
  batch.openCount -= requeueRows(state, batch.assignment, { from, to: batch.toRow });
  reportGone(state, batch, cancelled, atMs, effects);
}

function returnOpenRows(
  state: AgentState,
  batch: Batch,
  reason: string,
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignment } = batch;
  const cancelled = rowsInState(batch, batch.fromRow, CANCELLING);
  const rows = rowsInState(batch, batch.fromRow, HANDED);
  if (rows.length > 0) {
    for (const row of rows) assignment.rowState[row] = REPORTED;
    batch.openCount -= rows.length;
    returnTasks(state, { assignment, rows, reason }, atMs, effects);
  }
  reportGone(state, batch, cancelled, atMs, effects);
}

function rowsInState(batch: Batch, from: number, rowState: number): number[] {
  const rows: number[] = [];
  for (let row = from; row < batch.toRow; row++) {
    if (batch.assignment.rowState[row] === rowState) rows.push(row);
  }
  return rows;
}

/** Reports a task that runs long, and calls back what waits behind it in the same executor. */
export function onBatchInspected(
  state: AgentState,
  event: EventOf<"batchInspected">,
  effects: AgentEffect[],
): void {
  const batch = state.batches.get(event.batchId);
  if (batch?.fate !== "running") return;
  const { runningRow, runningUs, atMs } = event;
  const runningMs = runningUs / 1000;
  if (runningRow === null || runningMs < LONG_RUN_MS) {
    batch.inspectAtMs = atMs + LONG_RUN_MS - (runningRow === null ? 0 : runningMs);
    return;
  }
  const row = batch.fromRow + runningRow;
  if (batch.assignment.rowState[row] === HANDED && batch.startedRow !== row) {
    batch.startedRow = row;
    const message = {
      type: "task_started",
      assignment: batch.assignment.assignmentId,
      index: indexesOfRows(batch.assignment, [row]),
      running_us: Math.min(0xffffffff, Math.round(runningUs)),
    } as const;
    addNotice(state, message, atMs, effects);
  }
  recallBehind(batch, row, effects);
}

function recallBehind(batch: Batch, runningRow: number, effects: AgentEffect[]): void {
  for (const queued of batch.lane.batches) {
    const hasUnstarted = queued !== batch || runningRow < queued.toRow - 1;
    if (!hasUnstarted || queued.isRecallAsked || queued.fate !== "running") continue;
    queued.isRecallAsked = true;
    effects.push({ type: "recallRows", batchId: queued.batchId });
  }
}
