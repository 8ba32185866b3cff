/**
 * What workers report of tasks: started, ended. Everything passes the fence first: a result counts
 * iff its task runs under exactly that assignment of that boot. Reports are numbered by the session,
 * so what is sent again after a reconnect is only acknowledged again.
 */
import { indexAt, u32At } from "../../../protocol/columns.ts";
import type { BootId } from "../../../protocol/ids.ts";
import { tallyAttempts } from "../aggregates/tally.ts";
import { type CurrentStep, type EventOf, touchJob } from "../current-step.ts";
import type { HeldTasks } from "../events.ts";
import { recordDurations } from "../placement/pace.ts";
import { noteFailures, noteSuccess } from "../sessions/blame.ts";
import { noteHeard } from "../sessions/deafness.ts";
import {
  type Assignment,
  isLiveRow,
  type LiveJob,
  ROW_FENCED,
  ROW_LEFT,
  type Session,
} from "../state.ts";
import { armBackstop } from "../timers.ts";
import {
  attemptOfRow,
  leaveRow,
  releaseFenced,
  releaseRows,
  rowOfIndex,
  startRow,
} from "./assignments.ts";
import { type Results, selectRows, settleFailures } from "./failures.ts";
import { settleTasks } from "./settle.ts";
import { noteUnheld } from "./stale.ts";

type AttemptsReported = EventOf<"attemptsReported">;

export function onAttemptsReported(step: CurrentStep, event: AttemptsReported): void {
  const session = openReport(step, event.bootId, event.seq);
  if (session === "repeated") return;
  const assignment = session === null ? null : findAssignment(step, session, event);
  const { accepted, unheld } = passFence(step, assignment, event);
  const stale = noteUnheld(step, session, event, unheld);
  if (assignment !== null && accepted !== null) takeResults(step, assignment, accepted);
  acknowledge(step, event, stale);
}

export function onTasksStarted(step: CurrentStep, event: EventOf<"tasksStarted">): void {
  const session = openReport(step, event.bootId, event.seq);
  if (session === "repeated") return;
  const assignment = session === null ? null : findAssignment(step, session, event);
  if (assignment !== null) {
    for (let i = 0; i < event.indexes.length; i++) {
      const row = rowOfIndex(assignment, event.indexes[i] as number);
      if (row < 0 || !isLiveRow(assignment.rows[row] as number)) continue;
      const startedAtMs = Math.max(
        assignment.assignedAtMs,
        step.atMs - u32At(event.runningUs, i) / 1000,
      );
      startRow(assignment, row, startedAtMs);
      armBackstop(step, assignment, row);
    }
  }
  acknowledge(step, event, []);
}

/**
 * Whose report this is; null: of a boot that is not served (any more). `repeated`: it was taken in
 * before, and is acknowledged at once.
 */
export function openReport(
  step: CurrentStep,
  bootId: BootId,
  seq: number,
): Session | "repeated" | null {
  const session = step.state.sessions.get(bootId) ?? null;
  if (session === null) return null;
  if (seq > session.reportSeq) {
    session.reportSeq = seq;
    noteHeard(session);
    return session;
  }
  step.effects.push({ type: "acknowledgeReports", bootId, seq: session.reportSeq, stale: [] });
  return "repeated";
}

export function acknowledge(
  step: CurrentStep,
  report: { readonly bootId: BootId; readonly seq: number },
  stale: readonly HeldTasks[],
): void {
  const { bootId, seq } = report;
  step.effects.push({ type: "acknowledgeReports", bootId, seq, stale });
}

export function findAssignment(
  step: CurrentStep,
  session: Session,
  event: { readonly assignmentId: Assignment["assignmentId"] },
): Assignment | null {
  const assignment = step.state.assignments.get(event.assignmentId) ?? null;
  return assignment?.session === session ? assignment : null;
}

/** Splits a report: what counts, as columns of its own unless all does, and the rows that do not. */
function passFence(
  step: CurrentStep,
  assignment: Assignment | null,
  event: AttemptsReported,
): { accepted: Results | null; unheld: Uint32Array } {
  const { count, indexes } = event;
  const firstRow = assignment === null ? -1 : rowsInOrder(assignment, event);
  const passed = new Uint32Array(count);
  const unheld = new Uint32Array(count);
  let passedCount = 0;
  let unheldCount = 0;
  for (let i = 0; i < count; i++) {
    const index = indexAt(indexes, i);
    if (assignment !== null) {
      const row = firstRow >= 0 ? firstRow + i : rowOfIndex(assignment, index);
      const rowState = row < 0 ? ROW_LEFT : (assignment.rows[row] as number);
      if (isLiveRow(rowState) && attemptOfRow(assignment, row) === u32At(event.attempts, i)) {
        leaveRow(assignment, row);
        passed[passedCount++] = i;
        continue;
      }
      if (rowState === ROW_FENCED) releaseFenced(step, assignment, row);
    }
    unheld[unheldCount++] = i;
  }
  return {
    accepted: select(event, passed.subarray(0, passedCount)),
    unheld: unheld.subarray(0, unheldCount),
  };
}

function select(event: AttemptsReported, passed: Uint32Array): Results | null {
  if (passed.length === 0) return null;
  return passed.length === event.count ? event : selectRows(event, passed);
}

/** Where a stretch of reported tasks lies one after the other in the assignment; -1: it does not. */
function rowsInOrder(assignment: Assignment, { indexes, count }: AttemptsReported): number {
  if (count === 0) return -1;
  const row = rowOfIndex(assignment, indexAt(indexes, 0));
  if (row < 0 || row + count > assignment.count) return -1;
  if (assignment.indexes === null && !(indexes instanceof Uint32Array)) return row;
  for (let i = 1; i < count; i++) {
    const expected =
      assignment.indexes === null ? assignment.first + row + i : assignment.indexes[row + i];
    if (indexAt(indexes, i) !== expected) return -1;
  }
  return row;
}

function takeResults(step: CurrentStep, assignment: Assignment, results: Results): void {
  const { job, session } = assignment;
  recordDurations(job, results.runUs, results.count);
  tallyAttempts(assignment, step.atMs, results);
  touchJob(step, job);
  if (results.status === "completed") settleCompleted(step, job, session, results);
  else {
    settleFailures(step, job, session, results);
    session.worker.failed += results.count;
    noteFailures(step, session, job, results);
  }
  releaseRows(step, assignment, results.count);
}

function settleCompleted(
  step: CurrentStep,
  job: LiveJob,
  session: Session,
  results: Results,
): void {
  const { count, indexes, attempts, runUs, values } = results;
  const { workerId } = session.worker;
  const { bootId } = session;
  settleTasks(step, job, {
    status: "completed",
    workerId,
    bootId,
    count,
    indexes,
    attempts,
    runUs,
    values,
  });
  session.worker.completed += count;
  noteSuccess(step, session, job);
}
