/**
 * Asking waiting tasks back from a worker. Only its answer frees them: what it does not return has
 * begun, or is about to, and is not asked for again.
 */

import type { CurrentStep } from "../current-step.ts";
import { indexOfRow } from "../outcomes/assignments.ts";
import {
  type Assignment,
  type LiveJob,
  ROW_PINNED,
  ROW_REVOKING,
  ROW_WAITING,
  type Session,
} from "../state.ts";

/** Asks for up to `countMax` waiting rows, the last ones first; returns how many. */
export function revokeRows(step: CurrentStep, assignment: Assignment, countMax: number): number {
  const { session, assignmentId, rows } = assignment;
  if (assignment.revocation !== 0 || !session.isConnected) return 0;
  const indexes: number[] = [];
  for (let row = assignment.count - 1; row >= 0 && indexes.length < countMax; row--) {
    if (rows[row] !== ROW_WAITING) continue;
    rows[row] = ROW_REVOKING;
    indexes.push(indexOfRow(assignment, row));
  }
  if (indexes.length === 0) return 0;
  assignment.revocation = step.state.nextRevocation++;
  step.effects.push({
    type: "revokeTasks",
    bootId: session.bootId,
    connectionSeq: session.connectionSeq,
    revocation: assignment.revocation,
    assignmentId,
    indexes: Uint32Array.from(indexes.reverse()),
  });
  return indexes.length;
}

/** Everything of the session that has not begun. */
export function revokeSession(step: CurrentStep, session: Session): void {
  for (const assignment of session.assignments.values()) {
    revokeRows(step, assignment, assignment.count);
  }
}

/** Up to `countMax` waiting tasks of the job, wherever they are, newest assignments first. */
export function revokeJob(step: CurrentStep, job: LiveJob, countMax: number): void {
  let left = countMax;
  for (const assignment of [...job.assignments].reverse()) {
    if (left <= 0) return;
    left -= revokeRows(step, assignment, left);
  }
}

/** The answer came: what was asked for and not returned stays where it is. */
export function endRevocation(assignment: Assignment, revocation: number): void {
  if (assignment.revocation !== revocation) return;
  resetRevocation(assignment, ROW_PINNED);
}

/** Its order may have been lost with the connection. */
export function forgetRevocation(assignment: Assignment): void {
  resetRevocation(assignment, ROW_WAITING);
}

function resetRevocation(assignment: Assignment, to: number): void {
  if (assignment.revocation === 0) return;
  assignment.revocation = 0;
  const { rows } = assignment;
  for (let row = 0; row < rows.length; row++) if (rows[row] === ROW_REVOKING) rows[row] = to;
}
