/**
 * Assignments and the load they put on a session. A row is WAITING, may be asked back (REVOKING,
 * PINNED when the worker would not), is STARTED, and leaves for good (LEFT) or stays FENCED until the
 * worker says that its processes are gone. Only here do rows, held counts and reservations change.
 */
import { compactIndexes, compactU32, type IndexColumn, u32At } from "../../../protocol/columns.ts";
import { asAssignmentId } from "../../../protocol/ids.ts";
import type { CurrentStep } from "../current-step.ts";
import type { AssignmentFacts } from "../facts.ts";
import type { TakenTasks } from "../queues/ready-queue.ts";
import {
  type Assignment,
  isLiveRow,
  type LiveJob,
  ROW_FENCED,
  ROW_LEFT,
  ROW_STARTED,
  ROW_WAITING,
  type Session,
} from "../state.ts";

/** Hands the tasks to the session: durable, and then sent. */
export function assignTasks(
  step: CurrentStep,
  to: { readonly session: Session; readonly job: LiveJob; readonly chargedUs: number },
  taken: TakenTasks,
): Assignment {
  const { job, session } = to;
  const assignmentId = asAssignmentId(step.state.nextAssignmentId++);
  const { count, indexes, attempts } = taken;
  const facts: AssignmentFacts = {
    assignmentId,
    jobId: job.jobId,
    workerId: session.worker.workerId,
    bootId: session.bootId,
    count,
    indexes,
    attempts,
    assignedAtMs: step.atMs,
  };
  const assignment = holdAssignment(step, { job, session, chargedUs: to.chargedUs }, facts);
  step.changes.push({ type: "assigned", assignment: facts });
  const { bootId, connectionSeq } = session;
  const { jobId } = job;
  step.effects.push({
    type: "assignTasks",
    bootId,
    connectionSeq,
    assignmentId,
    jobId,
    count,
    indexes,
    attempts,
  });
  return assignment;
}

/** Takes an assignment into the memory; all its rows wait. */
export function holdAssignment(
  step: CurrentStep,
  to: { readonly session: Session; readonly job: LiveJob; readonly chargedUs: number },
  facts: AssignmentFacts,
): Assignment {
  const { job, session, chargedUs } = to;
  const { assignmentId, count, indexes, attempts, assignedAtMs } = facts;
  const assignment: Assignment = {
    assignmentId,
    job,
    session,
    demand: job.demand,
    count,
    first: indexes instanceof Uint32Array ? -1 : indexes.first,
    indexes: indexes instanceof Uint32Array ? indexes : null,
    attempts,
    rows: new Uint8Array(count).fill(ROW_WAITING),
    liveCount: count,
    fencedCount: 0,
    waitingCount: count,
    isStored: true,
    revocation: 0,
    assignedAtMs,
    chargedUs,
    startedAtMs: new Map(),
  };
  step.state.assignments.set(assignmentId, assignment);
  session.assignments.set(assignmentId, assignment);
  job.assignments.add(assignment);
  addHeld(assignment, count);
  reserve(assignment, count);
  return assignment;
}

export function indexOfRow(assignment: Assignment, row: number): number {
  return assignment.indexes === null ? assignment.first + row : (assignment.indexes[row] as number);
}

export const attemptOfRow = (assignment: Assignment, row: number): number =>
  u32At(assignment.attempts, row);

/** The row of a task, -1 if it is not of this assignment. */
export function rowOfIndex(assignment: Assignment, index: number): number {
  const { first, count, indexes } = assignment;
  if (indexes === null) return index >= first && index < first + count ? index - first : -1;
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = indexes[middle] as number;
    if (found === index) return middle;
    if (found < index) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** A live row leaves. Counts of the load follow in `releaseRows`, once for many rows. */
export function leaveRow(assignment: Assignment, row: number): void {
  const from = assignment.rows[row] as number;
  assignment.rows[row] = ROW_LEFT;
  assignment.liveCount--;
  if (from === ROW_STARTED) assignment.startedAtMs.delete(row);
  else assignment.waitingCount--;
}

/** So many live rows have left by `leaveRow`: the session has room again. */
export function releaseRows(step: CurrentStep, assignment: Assignment, count: number): void {
  if (count === 0) return;
  addHeld(assignment, -count);
  reserve(assignment, -count);
  step.roomySessions.add(assignment.session);
  // Under `--max-running` the next task may go to any worker.
  if (assignment.job.spec.max_running !== null) step.readyJobs.add(assignment.job);
  closeIfEmpty(step, assignment);
}

/** The task is taken away from a live row whose process may go on: its slot stays occupied. */
export function fenceRow(assignment: Assignment, row: number): void {
  leaveRow(assignment, row);
  fenceLeft(assignment, row);
  addHeld(assignment, -1);
  reserve(assignment, -1);
}

/** A row that has left, and is counted as left by `releaseRows`, goes on occupying its slot. */
export function fenceLeft(assignment: Assignment, row: number): void {
  assignment.rows[row] = ROW_FENCED;
  assignment.fencedCount++;
  assignment.session.fencedSlots += assignment.demand.cpus;
  reserve(assignment, 1);
}

/** A fenced row's process is gone, or answered for otherwise. */
export function releaseFenced(step: CurrentStep, assignment: Assignment, row: number): void {
  assignment.rows[row] = ROW_LEFT;
  assignment.fencedCount--;
  assignment.session.fencedSlots -= assignment.demand.cpus;
  reserve(assignment, -1);
  step.roomySessions.add(assignment.session);
  closeIfEmpty(step, assignment);
}

/** The session is over: processes of fenced tasks occupy no slot here any more. */
export function dropFenced(step: CurrentStep, assignment: Assignment): void {
  for (let row = 0; row < assignment.count; row++) {
    if (assignment.rows[row] === ROW_FENCED) releaseFenced(step, assignment, row);
  }
}

/** Known to have started at the instant. */
export function startRow(assignment: Assignment, row: number, startedAtMs: number): void {
  if (assignment.rows[row] !== ROW_STARTED) assignment.waitingCount--;
  assignment.rows[row] = ROW_STARTED;
  assignment.startedAtMs.set(row, startedAtMs);
}

/** Forgets an assignment whose rows have all left; its row in the store goes as soon as none is live. */
export function closeIfEmpty(step: CurrentStep, assignment: Assignment): void {
  if (assignment.liveCount > 0) return;
  const { assignmentId, session, job } = assignment;
  if (assignment.isStored) {
    assignment.isStored = false;
    step.changes.push({ type: "assignmentShrunk", assignmentId, remaining: null });
  }
  assignment.revocation = 0;
  job.assignments.delete(assignment);
  if (assignment.fencedCount > 0) return;
  session.assignments.delete(assignmentId);
  step.state.assignments.delete(assignmentId);
  if (session.heldTasks === 0 && session.fencedSlots === 0) session.isAlone = false;
}

/** Writes down what is left after some tasks were handed back with their attempt's number. */
export function shrinkStored(step: CurrentStep, assignment: Assignment): void {
  if (!assignment.isStored || assignment.liveCount === 0) return;
  const { assignmentId, liveCount } = assignment;
  const indexes = new Uint32Array(liveCount);
  const attempts = new Uint32Array(liveCount);
  let at = 0;
  for (let row = 0; row < assignment.count; row++) {
    if (!isLiveRow(assignment.rows[row] as number)) continue;
    indexes[at] = indexOfRow(assignment, row);
    attempts[at++] = attemptOfRow(assignment, row);
  }
  const remaining = {
    count: liveCount,
    indexes: compactIndexes(indexes),
    attempts: compactU32(attempts),
  };
  step.changes.push({ type: "assignmentShrunk", assignmentId, remaining });
}

/** The tasks of the rows in this state. */
export function indexesInState(
  assignment: Assignment,
  isWanted: (row: number) => boolean,
): Uint32Array {
  const found = new Uint32Array(assignment.count);
  let count = 0;
  for (let row = 0; row < assignment.count; row++) {
    if (isWanted(assignment.rows[row] as number)) found[count++] = indexOfRow(assignment, row);
  }
  return found.slice(0, count);
}

export const indexColumnOf = (assignment: Assignment): IndexColumn =>
  assignment.indexes ?? { first: assignment.first };

function addHeld(assignment: Assignment, count: number): void {
  const { session, job, demand, chargedUs, assignedAtMs } = assignment;
  session.heldTasks += count;
  session.heldSlots += count * demand.cpus;
  const { share } = job;
  share.outstandingUs += count * chargedUs;
  share.assignedAtSumMs += count * assignedAtMs;
  const holding = session.holdings.get(job.jobId);
  if (holding === undefined) {
    session.holdings.set(job.jobId, { job, count });
    return;
  }
  holding.count += count;
  if (holding.count === 0) session.holdings.delete(job.jobId);
}

function reserve({ session, demand }: Assignment, count: number): void {
  if (!demand.isReserving) return;
  session.reservedMemoryBytes += count * demand.memoryBytes;
  for (const [name, amount] of demand.resources) {
    const reserved = (session.reservedResources.get(name) ?? 0) + count * amount;
    // Sums of fractions drift; what is next to nothing is nothing.
    if (reserved < 1e-6) session.reservedResources.delete(name);
    else session.reservedResources.set(name, reserved);
  }
}
