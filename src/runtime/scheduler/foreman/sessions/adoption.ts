/**
 * What a worker presents after a connection, against what the foreman holds: a match is adopted and
 * simply goes on; what the foreman does not know (any more) is ordered to stop; what the worker does
 * not have never arrived, or is over, and is queued again. What was said to an earlier connection and
 * not sent there must therefore never be sent on this one: effects name their connection.
 */
import type { AssignmentId } from "../../../protocol/ids.ts";
import type { CurrentStep } from "../current-step.ts";
import type { HeldTasks } from "../events.ts";
import type { AssignmentFacts } from "../facts.ts";
import {
  attemptOfRow,
  dropFenced,
  holdAssignment,
  indexOfRow,
  leaveRow,
  releaseFenced,
  releaseRows,
  rowOfIndex,
  shrinkStored,
} from "../outcomes/assignments.ts";
import {
  abortAttempt,
  closeSetbacks,
  loseAttempt,
  openSetbacks,
  takeBackUnstarted,
} from "../outcomes/setbacks.ts";
import { forgetRevocation } from "../placement/revocation.ts";
import {
  type Assignment,
  isLiveRow,
  ROW_FENCED,
  ROW_LEFT,
  ROW_STARTED,
  type Session,
} from "../state.ts";

const NOT_ASSIGNED = "it is not assigned to this worker any more";

/** How many tasks go on, and how many the worker turned out not to have. */
export interface Adoption {
  readonly adopted: number;
  readonly requeued: number;
}

/** Brings the session's assignments in line with what the worker holds. */
export function adoptInventory(
  step: CurrentStep,
  session: Session,
  inventory: readonly HeldTasks[],
): Adoption {
  const presented = mergeInventory(inventory);
  const heldBefore = session.heldTasks;
  for (const assignment of [...session.assignments.values()]) {
    const held = presented.get(assignment.assignmentId) ?? new Set();
    adopt(step, assignment, held);
    presented.delete(assignment.assignmentId);
  }
  for (const [assignmentId, indexes] of presented) {
    orderStop(step, session, assignmentId, Uint32Array.from(indexes));
  }
  return { adopted: session.heldTasks, requeued: heldBefore - session.heldTasks };
}

/**
 * The worker's next boot delivers what the last one had finished: those tasks stay under their
 * assignment, which now belongs to the new boot.
 */
export function takeOverSpool(
  step: CurrentStep,
  boots: { readonly from: Session; readonly to: Session },
  inventory: readonly HeldTasks[],
): void {
  for (const [assignmentId, indexes] of mergeInventory(inventory)) {
    const assignment = boots.from.assignments.get(assignmentId);
    if (assignment) moveRows(step, assignment, boots.to, indexes);
  }
}

function mergeInventory(inventory: readonly HeldTasks[]): Map<AssignmentId, Set<number>> {
  const merged = new Map<AssignmentId, Set<number>>();
  for (const { assignmentId, indexes } of inventory) {
    const known = merged.get(assignmentId) ?? new Set();
    for (const index of indexes) known.add(index);
    merged.set(assignmentId, known);
  }
  return merged;
}

function adopt(step: CurrentStep, assignment: Assignment, held: Set<number>): void {
  forgetRevocation(assignment);
  const setbacks = openSetbacks(assignment);
  const fenced: number[] = [];
  for (let row = 0; row < assignment.count; row++) {
    const rowState = assignment.rows[row] as number;
    const index = indexOfRow(assignment, row);
    // What has left is held only until the worker hears that its report arrived.
    const isHeld = held.delete(index);
    if (rowState === ROW_LEFT) continue;
    if (rowState === ROW_FENCED && isHeld) fenced.push(index);
    else if (rowState === ROW_FENCED) releaseFenced(step, assignment, row);
    else if (isHeld) continue;
    else if (rowState === ROW_STARTED) abortAttempt(step, setbacks, row);
    else takeBackUnstarted(step, setbacks, row);
  }
  const { session, assignmentId } = assignment;
  orderStop(step, session, assignmentId, Uint32Array.from([...fenced, ...held]));
  const { leftCount } = setbacks;
  closeSetbacks(step, setbacks);
  if (leftCount > 0) shrinkStored(step, assignment);
}

function orderStop(
  step: CurrentStep,
  { bootId, connectionSeq }: Session,
  assignmentId: AssignmentId,
  indexes: Uint32Array,
): void {
  if (indexes.length === 0) return;
  const reason = NOT_ASSIGNED;
  step.effects.push({ type: "cancelTasks", bootId, connectionSeq, assignmentId, indexes, reason });
}

function moveRows(
  step: CurrentStep,
  assignment: Assignment,
  to: Session,
  indexes: ReadonlySet<number>,
): void {
  const rows: number[] = [];
  for (const index of indexes) {
    const row = rowOfIndex(assignment, index);
    if (row >= 0 && isLiveRow(assignment.rows[row] as number)) rows.push(row);
  }
  if (rows.length === 0) return;
  rows.sort((a, b) => a - b);
  const { job, chargedUs, assignmentId, assignedAtMs } = assignment;
  const facts: AssignmentFacts = {
    assignmentId,
    jobId: job.jobId,
    workerId: to.worker.workerId,
    bootId: to.bootId,
    count: rows.length,
    indexes: Uint32Array.from(rows, (row) => indexOfRow(assignment, row)),
    attempts: Uint32Array.from(rows, (row) => attemptOfRow(assignment, row)),
    assignedAtMs,
  };
  closeUnder(step, assignment, rows);
  holdAssignment(step, { session: to, job, chargedUs }, facts);
  step.changes.push({ type: "assigned", assignment: facts });
}

/** The assignment ends under the old boot: the moved rows just leave, the others are lost with it. */
function closeUnder(step: CurrentStep, assignment: Assignment, moved: readonly number[]): void {
  for (const row of moved) leaveRow(assignment, row);
  const setbacks = openSetbacks(assignment);
  for (let row = 0; row < assignment.count; row++) {
    if (isLiveRow(assignment.rows[row] as number)) loseAttempt(step, setbacks, row);
  }
  dropFenced(step, assignment);
  closeSetbacks(step, setbacks);
  releaseRows(step, assignment, moved.length);
}
