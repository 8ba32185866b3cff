/** Writes one change into the memory tables. It throws on what a database's keys would refuse. */
import { assert, assertNever } from "../../protocol/error.ts";
import { ATTEMPT_ENDS_PER_JOB_MAX } from "../../protocol/limits.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { AssignmentFacts, JobFacts, Settlement } from "../../scheduler/foreman/facts.ts";
import {
  copyIndexes,
  copyJob,
  copyU32,
  copyValues,
  deleteRow,
  type LogRow,
  listOf,
  type MemoryTables,
  mapOf,
  putRow,
  seqOfRow,
  type UndoList,
} from "./tables.ts";

type ChangeOf<Type extends Change["type"]> = Extract<Change, { type: Type }>;

export function applyChange(tables: MemoryTables, change: Change, undo: UndoList): void {
  switch (change.type) {
    case "jobCreated":
      createJob(tables, change.facts, undo);
      break;
    case "jobChanged":
      changeJob(tables, change.facts, undo);
      break;
    case "jobRemoved":
      removeJob(tables, change.jobId, undo);
      break;
    case "inputsAppended":
      appendInputs(tables, change, undo);
      break;
    case "assigned":
      putAssignment(tables, change.assignment, undo);
      break;
    case "assignmentShrunk":
      shrinkAssignment(tables, change, undo);
      break;
    case "settled":
      appendLog(tables, change.settlement, copySettlement(change.settlement), undo);
      break;
    case "restCancelled":
      appendLog(tables, change, restRow(change), undo);
      break;
    case "reopened":
      appendLog(tables, change, reopenRow(change), undo);
      break;
    case "taskExceptions":
      changeExceptions(tables, change, undo);
      break;
    case "attemptsEnded":
      appendAttemptEnds(tables, change, undo);
      break;
    case "workerChanged":
      putRow(tables.workers, change.worker.workerId, structuredClone(change.worker), undo);
      break;
    case "workerForgotten":
      deleteRow(tables.workers, change.workerId, undo);
      break;
    case "eventRecorded":
      recordEvent(tables, change, undo);
      break;
    default:
      assertNever(change, "change");
  }
}

function createJob(tables: MemoryTables, facts: JobFacts, undo: UndoList): void {
  assert(!tables.jobs.has(facts.jobId), `job ${facts.jobId} is new`);
  for (const job of tables.jobs.values()) {
    const isTaken = job.owner === facts.owner && job.submissionId === facts.submissionId;
    assert(!isTaken, `submission ${facts.submissionId} of ${facts.owner} is new`);
  }
  putRow(tables.jobs, facts.jobId, copyJob(facts, undefined), undo);
  const { counters } = tables;
  const previous = counters.jobId;
  undo.push(() => {
    counters.jobId = previous;
  });
  counters.jobId = Math.max(previous, facts.jobId);
}

function changeJob(tables: MemoryTables, facts: JobFacts, undo: UndoList): void {
  const kept = tables.jobs.get(facts.jobId);
  assert(kept, `job ${facts.jobId} exists`);
  putRow(tables.jobs, facts.jobId, copyJob(facts, kept), undo);
}

function removeJob(tables: MemoryTables, jobId: number, undo: UndoList): void {
  deleteRow(tables.jobs, jobId, undo);
  deleteRow(tables.inputs, jobId, undo);
  deleteRow(tables.log, jobId, undo);
  deleteRow(tables.exceptions, jobId, undo);
  deleteRow(tables.attemptEnds, jobId, undo);
  deleteRow(tables.attemptEndCounts, jobId, undo);
  for (const [id, assignment] of tables.assignments) {
    if (assignment.jobId === jobId) deleteRow(tables.assignments, id, undo);
  }
  for (const [seq, event] of tables.events) {
    if (event.jobId === jobId) deleteRow(tables.events, seq, undo);
  }
}

function appendInputs(
  tables: MemoryTables,
  change: ChangeOf<"inputsAppended">,
  undo: UndoList,
): void {
  const chunks = listOf(tables.inputs, change.jobId, undo);
  const last = chunks.at(-1);
  assert(!last || last.firstIndex < change.firstIndex, `input ${change.firstIndex} is new`);
  const { firstIndex, count } = change;
  chunks.push({ firstIndex, count, values: copyValues(change.values) });
  undo.push(() => {
    chunks.pop();
  });
}

function putAssignment(tables: MemoryTables, assignment: AssignmentFacts, undo: UndoList): void {
  const { assignmentId } = assignment;
  assert(!tables.assignments.has(assignmentId), `assignment ${assignmentId} is new`);
  const indexes = copyIndexes(assignment.indexes);
  const kept = { ...assignment, indexes, attempts: copyU32(assignment.attempts) };
  putRow(tables.assignments, assignmentId, kept, undo);
}

/** An assignment that is gone already, such as with its removed job, has nothing left to shrink. */
function shrinkAssignment(
  tables: MemoryTables,
  change: ChangeOf<"assignmentShrunk">,
  undo: UndoList,
): void {
  const { assignmentId, remaining } = change;
  if (remaining === null) {
    deleteRow(tables.assignments, assignmentId, undo);
    return;
  }
  const kept = tables.assignments.get(assignmentId);
  if (!kept) return;
  const indexes = copyIndexes(remaining.indexes);
  const shrunk = {
    ...kept,
    count: remaining.count,
    indexes,
    attempts: copyU32(remaining.attempts),
  };
  putRow(tables.assignments, assignmentId, shrunk, undo);
}

function appendLog(
  tables: MemoryTables,
  at: { readonly jobId: number; readonly seq: number },
  row: LogRow,
  undo: UndoList,
): void {
  const log = listOf(tables.log, at.jobId, undo);
  const last = log.at(-1);
  assert(!last || seqOfRow(last) < at.seq, `settlement ${at.seq} of job ${at.jobId} is new`);
  log.push(row);
  undo.push(() => {
    log.pop();
  });
}

function copySettlement(settlement: Settlement): LogRow {
  return {
    kind: "settle",
    settlement: {
      ...settlement,
      indexes: copyIndexes(settlement.indexes),
      attempts: copyU32(settlement.attempts),
      runUs: copyU32(settlement.runUs),
      values: copyValues(settlement.values),
    },
  };
}

function restRow({
  jobId,
  seq,
  inputCount,
  settledAtMs,
  value,
}: ChangeOf<"restCancelled">): LogRow {
  const rest = { jobId, seq, inputCount, settledAtMs, value: new Uint8Array(value) };
  return { kind: "rest_cancelled", rest };
}

function reopenRow({ seq, count, indexes }: ChangeOf<"reopened">): LogRow {
  return { kind: "reopen", seq, count, indexes: copyIndexes(indexes) };
}

function changeExceptions(
  tables: MemoryTables,
  change: ChangeOf<"taskExceptions">,
  undo: UndoList,
): void {
  const rows = mapOf(tables.exceptions, change.jobId, undo);
  for (const facts of change.written) putRow(rows, facts.index, { ...facts }, undo);
  for (const index of change.removed) deleteRow(rows, index, undo);
}

function appendAttemptEnds(
  tables: MemoryTables,
  change: ChangeOf<"attemptsEnded">,
  undo: UndoList,
): void {
  const rows = mapOf(tables.attemptEnds, change.jobId, undo);
  const counted = tables.attemptEndCounts.get(change.jobId) ?? 0;
  const accepted = change.rows.slice(0, Math.max(0, ATTEMPT_ENDS_PER_JOB_MAX - counted));
  for (const row of accepted) {
    const error = row.error === null ? null : new Uint8Array(row.error);
    putRow(rows, `${row.index}/${row.attempt}`, { ...row, error }, undo);
  }
  putRow(tables.attemptEndCounts, change.jobId, counted + accepted.length, undo);
}

function recordEvent(
  tables: MemoryTables,
  change: ChangeOf<"eventRecorded">,
  undo: UndoList,
): void {
  const { counters } = tables;
  const previous = counters.eventSeq;
  undo.push(() => {
    counters.eventSeq = previous;
  });
  counters.eventSeq = previous + 1;
  putRow(tables.events, counters.eventSeq, { ...change.event }, undo);
}
