/**
 * Tasks that a worker hands back without a result, and slots it has cleared. Answers to revocations
 * are ordinary; a worker that hands back by itself could not run them: its tasks wait a moment, and
 * it rests or is set aside, so that nothing goes back and forth for ever.
 */

import type { CurrentStep, EventOf } from "../current-step.ts";
import { endRevocation } from "../placement/revocation.ts";
import { setAside } from "../sessions/blame.ts";
import { abortBegun } from "../sessions/worker-steering.ts";
import { type Assignment, isLiveRow, ROW_FENCED, ROW_STARTED, type Session } from "../state.ts";
import { armSession } from "../timers.ts";
import { releaseFenced, rowOfIndex, shrinkStored } from "./assignments.ts";
import { acknowledge, findAssignment, openReport } from "./reports.ts";
import { abortAttempt, closeSetbacks, openSetbacks, takeBackUnstarted } from "./setbacks.ts";
import { recordTasks } from "./task-events.ts";

/** Between a refusal and the next try, of the task and with the worker. */
export const REFUSAL_REST_MS = 1_000;
/** The worker's word for tasks that had started and were ended on purpose. */
const ABORTED = "aborted";

export function onTasksReturned(step: CurrentStep, event: EventOf<"tasksReturned">): void {
  const session = openReport(step, event.bootId, event.seq);
  if (session === "repeated") return;
  const assignment = session === null ? null : findAssignment(step, session, event);
  if (session !== null && assignment !== null) takeBack(step, session, assignment, event);
  acknowledge(step, event, []);
}

export function onTasksGone(step: CurrentStep, event: EventOf<"tasksGone">): void {
  const session = openReport(step, event.bootId, event.seq);
  if (session === "repeated") return;
  const assignment = session === null ? null : findAssignment(step, session, event);
  if (assignment !== null) {
    for (const index of event.indexes) releaseIfFenced(step, assignment, index);
  }
  acknowledge(step, event, []);
}

function takeBack(
  step: CurrentStep,
  session: Session,
  assignment: Assignment,
  event: EventOf<"tasksReturned">,
): void {
  const isRefusal = event.revocation === null && event.reason !== ABORTED && session.isAccepting;
  const notBeforeMs = isRefusal ? step.atMs + REFUSAL_REST_MS : null;
  const setbacks = openSetbacks(assignment);
  const unstarted: number[] = [];
  for (const index of event.indexes) {
    if (releaseIfFenced(step, assignment, index)) continue;
    const row = rowOfIndex(assignment, index);
    if (row < 0 || !isLiveRow(assignment.rows[row] as number)) continue;
    if (event.reason === ABORTED || assignment.rows[row] === ROW_STARTED) {
      abortAttempt(step, setbacks, row);
      continue;
    }
    takeBackUnstarted(step, setbacks, row, notBeforeMs);
    unstarted.push(index);
  }
  const { leftCount } = setbacks;
  closeSetbacks(step, setbacks);
  if (event.revocation !== null) {
    endRevocation(assignment, event.revocation);
    // What was taken from it is offered to all, the least loaded first, before it has its turn.
    step.roomySessions.delete(session);
    step.lateSessions.add(session);
  }
  if (unstarted.length > 0) shrinkStored(step, assignment);
  if (event.revocation !== null && session.worker.isGivingBack) abortBegun(step, assignment);
  if (!isRefusal || leftCount === 0) return;
  recordTasks(step, assignment.job, "tasks_refused", {
    indexes: unstarted,
    workerId: session.worker.workerId,
    body: (named) => ({ ...named, reason: event.reason }),
  });
  restSession(step, session, event.reason);
}

function releaseIfFenced(step: CurrentStep, assignment: Assignment, index: number): boolean {
  const row = rowOfIndex(assignment, index);
  if (row < 0 || assignment.rows[row] !== ROW_FENCED) return false;
  releaseFenced(step, assignment, row);
  return true;
}

function restSession(step: CurrentStep, session: Session, reason: string): void {
  session.restsUntilMs = step.atMs + REFUSAL_REST_MS;
  armSession(step, session);
  setAside(step, session, `it handed tasks back: ${reason}`);
}
