/** What the foreman orders about tasks: take them, give them back, end them. */
import { expandIndexes } from "../../protocol/columns.ts";
import type { AssignmentId } from "../../protocol/ids.ts";
import { addAssignment, findRow, removeWaitingRows, waitingRows } from "./assignments.ts";
import type { AgentEffect, EventOf } from "./events.ts";
import { addNotice, flushResults, returnTasks } from "./reports.ts";
import {
  type AgentState,
  type Assignment,
  CANCELLING,
  HANDED,
  REPORTED,
  SETTLED,
  WAITING,
} from "./state.ts";

const KNOWN_BUNDLES_MAX = 256;

export function onTasksAssigned(
  state: AgentState,
  event: EventOf<"tasksAssigned">,
  effects: AgentEffect[],
): void {
  const { assignmentId, job, count } = event;
  // A frame delivered twice must not run twice.
  if (count === 0 || state.assignments.has(assignmentId)) return;
  if (job.slotsPerTask > state.options.offer.slots) {
    const indexes = expandIndexes(event.indexes, count);
    refuse(state, { assignmentId, indexes, reason: "too_few_slots" }, event.atMs, effects);
    return;
  }
  addAssignment(state, { ...event, version: job });
  const { bundleSha256 } = job;
  if (bundleSha256 === null || state.bundles.has(bundleSha256)) return;
  forgetUnusedBundles(state);
  state.bundles.set(bundleSha256, "fetching");
  effects.push({ type: "fetchBundle", sha256: bundleSha256 });
}

export function onAssignmentRefused(
  state: AgentState,
  event: EventOf<"assignmentRefused">,
  effects: AgentEffect[],
): void {
  if (!state.assignments.has(event.assignmentId)) refuse(state, event, event.atMs, effects);
}

/** Without an assignment here there is no row to keep until the acknowledgement. */
function refuse(
  state: AgentState,
  refused: {
    readonly assignmentId: AssignmentId;
    readonly indexes: Uint32Array;
    readonly reason: string;
  },
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignmentId: assignment, indexes: index, reason } = refused;
  addNotice(state, { type: "tasks_returned", assignment, index, reason }, atMs, effects);
}

/** Always answered, also with no rows: only the answer frees the tasks. */
export function onTasksRevoked(
  state: AgentState,
  event: EventOf<"tasksRevoked">,
  effects: AgentEffect[],
): void {
  const { atMs, request, assignmentId } = event;
  const assignment = state.assignments.get(assignmentId);
  if (!assignment) {
    const index = new Uint32Array(0);
    const reason = "revoked";
    const message = {
      type: "tasks_returned",
      request,
      assignment: assignmentId,
      index,
      reason,
    } as const;
    addNotice(state, message, atMs, effects);
    return;
  }
  const rows: number[] = [];
  for (const row of knownRows(assignment, event.indexes)) {
    if (assignment.rowState[row] === WAITING) rows.push(row);
  }
  removeWaitingRows(state, assignment, rows, REPORTED);
  returnTasks(state, { assignment, rows, reason: "revoked", request }, atMs, effects);
}

/**
 * The tasks are fenced: what has not started is gone at once, what runs is ended, and what this
 * worker does not know (any more) is gone too.
 */
export function onTasksCancelled(
  state: AgentState,
  event: EventOf<"tasksCancelled">,
  effects: AgentEffect[],
): void {
  const { atMs, assignmentId, indexes, reason } = event;
  const assignment = state.assignments.get(assignmentId);
  let gone: Uint32Array = indexes;
  if (assignment) {
    const waiting: number[] = [];
    const running = new Set<number>();
    for (const row of knownRows(assignment, indexes)) {
      const rowState = assignment.rowState[row];
      if (rowState === WAITING) waiting.push(row);
      if (rowState === HANDED || rowState === CANCELLING) running.add(row);
    }
    gone = indexes.filter((index) => !running.has(findRow(assignment, index) ?? -1));
    removeWaitingRows(state, assignment, waiting, SETTLED);
    cancelRunning(state, assignment, running, reason, effects);
  }
  if (gone.length === 0) return;
  // Their results, if any, were said before they were cancelled: keep that order.
  flushResults(state, atMs, effects);
  addNotice(state, { type: "tasks_gone", assignment: assignmentId, index: gone }, atMs, effects);
}

function cancelRunning(
  state: AgentState,
  assignment: Assignment,
  running: ReadonlySet<number>,
  reason: string,
  effects: AgentEffect[],
): void {
  if (running.size === 0) return;
  for (const batch of state.batches.values()) {
    if (batch.assignment !== assignment) continue;
    const rows: number[] = [];
    for (let row = batch.fromRow; row < batch.toRow; row++) {
      if (assignment.rowState[row] !== HANDED || !running.has(row)) continue;
      assignment.rowState[row] = CANCELLING;
      rows.push(row - batch.fromRow);
    }
    if (rows.length === 0) continue;
    effects.push({
      type: "cancelRows",
      batchId: batch.batchId,
      rows: Uint32Array.from(rows),
      reason,
    });
  }
}

/** Rows named twice count once; unknown ones not at all. */
function knownRows(assignment: Assignment, indexes: Uint32Array): Set<number> {
  const rows = new Set<number>();
  for (const index of indexes) {
    const row = findRow(assignment, index);
    if (row !== null) rows.add(row);
  }
  return rows;
}

/** Asked again when they are next needed: the cache on disk knows them still. */
function forgetUnusedBundles(state: AgentState): void {
  if (state.bundles.size < KNOWN_BUNDLES_MAX) return;
  const used = new Set<string | null>();
  for (const { version } of state.assignments.values()) used.add(version.bundleSha256);
  for (const sha256 of state.bundles.keys()) if (!used.has(sha256)) state.bundles.delete(sha256);
}

export function onBundleReady(state: AgentState, { sha256 }: EventOf<"bundleReady">): void {
  if (state.bundles.has(sha256)) state.bundles.set(sha256, "ready");
}

/** The tasks may do better elsewhere; a later assignment tries again. */
export function onBundleFailed(
  state: AgentState,
  event: EventOf<"bundleFailed">,
  effects: AgentEffect[],
): void {
  state.bundles.delete(event.sha256);
  for (const assignment of [...state.assignments.values()]) {
    if (assignment.version.bundleSha256 !== event.sha256) continue;
    returnWaiting(state, assignment, event.reason, event.atMs, effects);
  }
}

/** Hands back all of an assignment that has not been handed over. */
export function returnWaiting(
  state: AgentState,
  assignment: Assignment,
  reason: string,
  atMs: number,
  effects: AgentEffect[],
): void {
  const rows = waitingRows(assignment);
  if (rows.length === 0) return;
  removeWaitingRows(state, assignment, rows, REPORTED);
  returnTasks(state, { assignment, rows, reason }, atMs, effects);
}
