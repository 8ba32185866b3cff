/**
 * The rows of assignments: which wait, which are handed over, which are reported, and the counters
 * that follow from it. Every change of `rowState` and of waiting counts is made here.
 */
import {
  type IndexColumn,
  indexAt,
  type U32Column,
  type ValueColumn,
  valueOffsets,
} from "../../protocol/columns.ts";
import { assert } from "../../protocol/error.ts";
import type { AssignmentId, JobId } from "../../protocol/ids.ts";
import type { AgentJob } from "./events.ts";
import {
  type AgentState,
  type Assignment,
  HANDED,
  type JobRecord,
  type REPORTED,
  type RowRange,
  SETTLED,
  WAITING,
} from "./state.ts";

/** Jobs without tasks here are remembered for their measured durations, so many. */
const REMEMBERED_JOBS_MAX = 256;

export interface AssignmentFields {
  readonly assignmentId: AssignmentId;
  readonly version: AgentJob;
  readonly priority: number;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly values: ValueColumn;
  readonly timeoutMs: number;
}

/** All its rows wait. */
export function addAssignment(state: AgentState, fields: AssignmentFields): Assignment {
  const { priority, ...kept } = fields;
  const job = openJob(state, fields.version.jobId, priority);
  const assignment: Assignment = {
    ...kept,
    job,
    offsets: valueOffsets(fields.values, fields.count),
    rowState: new Uint8Array(fields.count),
    waiting: [{ from: 0, to: fields.count }],
    waitingCount: 0,
    heldCount: fields.count,
    rowOfIndex: null,
  };
  state.assignments.set(assignment.assignmentId, assignment);
  countWaiting(state, assignment, fields.count);
  state.idleSinceMs = null;
  return assignment;
}

/** Takes up to `rowsMax` consecutive waiting rows of at most `bytesMax`, and at least one. */
export function handNextRows(
  state: AgentState,
  assignment: Assignment,
  limits: { readonly rowsMax: number; readonly bytesMax: number },
): RowRange {
  const first = assignment.waiting[0];
  assert(first !== undefined, "an assignment in its job's queue has waiting rows");
  const { from } = first;
  let to = Math.min(first.to, from + limits.rowsMax);
  const { offsets } = assignment;
  const bytesEnd = (offsets[from] as number) + limits.bytesMax;
  if ((offsets[to] as number) > bytesEnd) to = lastRowWithin(offsets, from, to, bytesEnd);
  if (to === first.to) assignment.waiting.shift();
  else assignment.waiting[0] = { from: to, to: first.to };
  assignment.rowState.fill(HANDED, from, to);
  countWaiting(state, assignment, from - to);
  return { from, to };
}

/** The largest end such that rows `from`…end stay within the bytes; at least one row. */
function lastRowWithin(offsets: Uint32Array, from: number, to: number, bytesEnd: number): number {
  let low = from + 1;
  let high = to;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] as number) <= bytesEnd) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** HANDED rows that never started wait again, at their old place. */
export function requeueRows(state: AgentState, assignment: Assignment, range: RowRange): number {
  let moved = 0;
  for (let row = range.from; row < range.to; row++) {
    if (assignment.rowState[row] !== HANDED) continue;
    assignment.rowState[row] = WAITING;
    moved++;
  }
  if (moved > 0) rebuildWaiting(state, assignment);
  return moved;
}

/** Takes single rows out of the waiting ones; they get `nextState`. */
export function removeWaitingRows(
  state: AgentState,
  assignment: Assignment,
  rows: readonly number[],
  nextState: typeof REPORTED | typeof SETTLED,
): void {
  if (rows.length === 0) return;
  for (const row of rows) {
    assert(assignment.rowState[row] === WAITING, "only waiting rows are removed from the queue");
    assignment.rowState[row] = nextState;
  }
  rebuildWaiting(state, assignment);
  if (nextState === SETTLED) releaseRows(state, assignment, rows.length);
}

export function waitingRows(assignment: Assignment): number[] {
  const rows: number[] = [];
  for (const { from, to } of assignment.waiting)
    for (let row = from; row < to; row++) rows.push(row);
  return rows;
}

export function settleRow(state: AgentState, assignment: Assignment, row: number): void {
  assignment.rowState[row] = SETTLED;
  releaseRows(state, assignment, 1);
}

/** An acknowledged report's rows. */
export function settleReported(
  state: AgentState,
  assignment: Assignment,
  rows: IndexColumn,
  count: number,
): void {
  if (!(rows instanceof Uint32Array)) {
    assignment.rowState.fill(SETTLED, rows.first, rows.first + count);
  } else for (const row of rows) assignment.rowState[row] = SETTLED;
  releaseRows(state, assignment, count);
}

/** The row of a task in its assignment, or null. */
export function findRow(assignment: Assignment, index: number): number | null {
  const { indexes, count } = assignment;
  if (!(indexes instanceof Uint32Array)) {
    const row = index - indexes.first;
    return row >= 0 && row < count ? row : null;
  }
  assignment.rowOfIndex ??= new Map(Array.from(indexes, (value, row) => [value, row] as const));
  return assignment.rowOfIndex.get(index) ?? null;
}

export function indexesOfRows(assignment: Assignment, rows: readonly number[]): Uint32Array {
  return Uint32Array.from(rows, (row) => indexAt(assignment.indexes, row));
}

/** The tasks that the foreman must not give to anybody else: all but the settled ones. */
export function heldIndexes(assignment: Assignment): Uint32Array {
  const held = new Uint32Array(assignment.heldCount);
  let at = 0;
  for (let row = 0; row < assignment.count; row++) {
    if (assignment.rowState[row] !== SETTLED) held[at++] = indexAt(assignment.indexes, row);
  }
  return held;
}

/** Forgets everything of a session that is over; running batches are the caller's matter. */
export function forgetAssignments(state: AgentState, atMs: number): void {
  for (const job of state.jobs.values()) {
    job.queue.clear();
    job.waitingCount = 0;
  }
  // Numbers of jobs mean other jobs in another store.
  state.jobs.clear();
  state.assignments.clear();
  state.waitingCount = 0;
  state.idleSinceMs ??= atMs;
}

function openJob(state: AgentState, jobId: JobId, priority: number): JobRecord {
  const known = state.jobs.get(jobId);
  // Most recently used last, so that the oldest idle one is forgotten first.
  if (known) state.jobs.delete(jobId);
  const job = known ?? {
    jobId,
    priority,
    queue: new Set<Assignment>(),
    waitingCount: 0,
    virtualUs: 0,
    meanRunUs: null,
    meanWeight: 0,
  };
  job.priority = priority;
  // Being away must not save up a claim on all slots.
  if (job.waitingCount === 0) job.virtualUs = Math.max(job.virtualUs, leastVirtualUs(state));
  state.jobs.set(jobId, job);
  forgetIdleJobs(state);
  return job;
}

function leastVirtualUs(state: AgentState): number {
  let least = Number.POSITIVE_INFINITY;
  for (const job of state.jobs.values()) {
    if (job.waitingCount > 0) least = Math.min(least, job.virtualUs);
  }
  return least === Number.POSITIVE_INFINITY ? 0 : least;
}

function forgetIdleJobs(state: AgentState): void {
  if (state.jobs.size <= REMEMBERED_JOBS_MAX) return;
  const busy = new Set<JobRecord>();
  for (const assignment of state.assignments.values()) busy.add(assignment.job);
  for (const [jobId, job] of state.jobs) {
    if (state.jobs.size <= REMEMBERED_JOBS_MAX) return;
    if (!busy.has(job)) state.jobs.delete(jobId);
  }
}

function rebuildWaiting(state: AgentState, assignment: Assignment): void {
  const ranges: RowRange[] = [];
  let waitingCount = 0;
  let from = -1;
  for (let row = 0; row <= assignment.count; row++) {
    const isWaiting = row < assignment.count && assignment.rowState[row] === WAITING;
    if (isWaiting && from < 0) from = row;
    if (isWaiting || from < 0) continue;
    ranges.push({ from, to: row });
    waitingCount += row - from;
    from = -1;
  }
  assignment.waiting = ranges;
  countWaiting(state, assignment, waitingCount - assignment.waitingCount);
}

function countWaiting(state: AgentState, assignment: Assignment, change: number): void {
  assignment.waitingCount += change;
  assignment.job.waitingCount += change;
  state.waitingCount += change;
  if (assignment.waitingCount === 0) assignment.job.queue.delete(assignment);
  else assignment.job.queue.add(assignment);
}

function releaseRows(state: AgentState, assignment: Assignment, count: number): void {
  assignment.heldCount -= count;
  assert(assignment.heldCount >= 0, "no row is settled twice");
  if (assignment.heldCount === 0) state.assignments.delete(assignment.assignmentId);
}
