/**
 * What must hold of an agent's state after every step, written apart from the code that keeps it.
 * Tests and the simulator call it; it costs a pass over every row and is no part of the running worker.
 */
import { assert } from "../../protocol/error.ts";
import {
  type AgentState,
  type Assignment,
  type Batch,
  CANCELLING,
  HANDED,
  REPORTED,
  SETTLED,
  WAITING,
} from "./state.ts";

/** @throws when an invariant is broken. */
export function checkInvariants(state: AgentState): void {
  checkSlots(state);
  const inBatches = countBatchRows(state);
  let waitingCount = 0;
  for (const assignment of state.assignments.values()) {
    checkAssignment(assignment, inBatches.get(assignment) ?? 0);
    waitingCount += assignment.waitingCount;
  }
  assert(waitingCount === state.waitingCount, "the waiting count is that of all assignments");
  checkJobs(state);
  checkReports(state);
}

function checkSlots(state: AgentState): void {
  const slots = [...state.freeSlots];
  for (const lane of state.lanes) {
    assert(lane.batches.length >= 1 && lane.batches.length <= 2, "a lane has one or two batches");
    slots.push(...lane.slots);
    for (const batch of lane.batches) {
      assert(state.batches.get(batch.batchId) === batch, "a lane's batches are known");
      assert(batch.lane === lane, "a batch knows its lane");
      assert(
        lane.slots.length === batch.assignment.version.slotsPerTask,
        "a task has the slots it asked for",
      );
    }
  }
  slots.sort((a, b) => a - b);
  const { slots: slotCount } = state.options.offer;
  assert(slots.length === slotCount, "every slot is free or in one lane");
  assert(
    slots.every((slot, i) => slot === i + 1),
    "no slot is used twice",
  );
}

/** Rows of live batches by assignment; a row is in one batch at most. */
function countBatchRows(state: AgentState): Map<Assignment, number> {
  const counts = new Map<Assignment, number>();
  const taken = new Map<Assignment, Set<number>>();
  for (const batch of state.batches.values()) {
    if (batch.fate === "orphaned") continue;
    const { assignment } = batch;
    const rows = taken.get(assignment) ?? new Set<number>();
    taken.set(assignment, rows);
    const open = openRows(batch);
    assert(open.length === batch.openCount, "a batch counts its open rows");
    for (const row of open) {
      assert(!rows.has(row), "a row is in one batch only");
      rows.add(row);
    }
    counts.set(assignment, rows.size);
  }
  return counts;
}

function openRows(batch: Batch): number[] {
  const rows: number[] = [];
  for (let row = batch.fromRow; row < batch.toRow; row++) {
    const rowState = batch.assignment.rowState[row];
    if (rowState === HANDED || rowState === CANCELLING) rows.push(row);
  }
  return rows;
}

function checkAssignment(assignment: Assignment, inBatches: number): void {
  const counts = [0, 0, 0, 0, 0];
  for (const rowState of assignment.rowState) counts[rowState] = (counts[rowState] ?? 0) + 1;
  assert(counts[WAITING] === assignment.waitingCount, "waiting rows are counted");
  assert(
    (counts[HANDED] ?? 0) + (counts[CANCELLING] ?? 0) === inBatches,
    "handed rows have a batch",
  );
  assert(
    assignment.count - (counts[SETTLED] ?? 0) === assignment.heldCount,
    "held rows are counted",
  );
  assert(assignment.heldCount > 0, "an assignment without held rows is forgotten");
  assert(
    assignment.job.queue.has(assignment) === assignment.waitingCount > 0,
    "an assignment is queued while it has waiting rows",
  );
  let next = 0;
  for (const { from, to } of assignment.waiting) {
    assert(from >= next && to > from, "waiting ranges ascend");
    for (let row = from; row < to; row++) {
      assert(assignment.rowState[row] === WAITING, "a waiting range holds waiting rows");
    }
    next = to;
  }
}

function checkJobs(state: AgentState): void {
  for (const job of state.jobs.values()) {
    let waitingCount = 0;
    for (const assignment of job.queue) waitingCount += assignment.waitingCount;
    assert(waitingCount === job.waitingCount, "a job counts its waiting tasks");
  }
}

function checkReports(state: AgentState): void {
  let reportedCount = 0;
  let byteCount = 0;
  let seq = state.acknowledgedSeq;
  for (const report of state.unacknowledged) {
    assert(report.message.seq === ++seq, "reports are numbered without gaps");
    byteCount += report.byteCount;
    if (report.assignment !== null) reportedCount += report.rowCount;
  }
  assert(seq === state.nextReportSeq - 1, "the last report has the last number");
  assert(byteCount === state.unacknowledgedBytes, "unacknowledged bytes are counted");
  for (const pending of state.pending.values()) reportedCount += pending.totalCount;
  let rowCount = 0;
  for (const { rowState } of state.assignments.values()) {
    for (const value of rowState) if (value === REPORTED) rowCount++;
  }
  assert(rowCount === reportedCount, "a reported row is in one report");
}
