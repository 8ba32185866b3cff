/**
 * Tasks that leave a worker without a result, and what that is held against: nothing when they never
 * started, a loss when nobody knows, a crash when they had started and the worker is gone. A task
 * with too many crashes is `poison`; from the second crash or third loss on it runs alone.
 */

import type { AttemptEndFacts } from "../changes.ts";
import { type CurrentStep, touchJob } from "../current-step.ts";
import type { TaskExceptionFacts } from "../facts.ts";
import { delayTask, mustRunAlone, queueTask } from "../queues/ready-queue.ts";
import { ATTEMPT_MAX, exceptionFacts, TASK_RUNNING, troubleOf } from "../queues/task-table.ts";
import { type Assignment, type LiveJob, ROW_STARTED, type Session } from "../state.ts";
import { armJob } from "../timers.ts";
import { attemptOfRow, indexOfRow, leaveRow, releaseRows } from "./assignments.ts";
import { settleWithFailure } from "./settle.ts";
import { recordTasks } from "./task-events.ts";

/** Gathers what happens to the tasks of one assignment, so that it is written in one piece. */
export interface Setbacks {
  readonly assignment: Assignment;
  readonly ended: AttemptEndFacts[];
  readonly written: TaskExceptionFacts[];
  readonly poisoned: number[];
  readonly aborted: number[];
  readonly crashed: number[];
  readonly lost: number[];
  /** Must run alone from now on. */
  readonly suspected: number[];
  leftCount: number;
}

export function openSetbacks(assignment: Assignment): Setbacks {
  return {
    assignment,
    ended: [],
    written: [],
    poisoned: [],
    aborted: [],
    crashed: [],
    lost: [],
    suspected: [],
    leftCount: 0,
  };
}

/** It never started: it keeps its attempt's number and waits again, from `notBeforeMs` on. */
export function takeBackUnstarted(
  step: CurrentStep,
  setbacks: Setbacks,
  row: number,
  notBeforeMs: number | null = null,
): void {
  const { assignment } = setbacks;
  const { job } = assignment;
  const index = indexOfRow(assignment, row);
  leaveRow(assignment, row);
  setbacks.leftCount++;
  job.tasks.attempt[index] = attemptOfRow(assignment, row) - 1;
  if (notBeforeMs === null) queueTask(job, index);
  else delayTask(job, index, notBeforeMs);
  if (notBeforeMs === null) return;
  troubleOf(job.tasks).isRecorded[index] = 1;
  setbacks.written.push(exceptionFacts(job.tasks, index, notBeforeMs));
  armJob(step, job);
}

/** Its attempt ends without a result and counts against nothing; the next one has a new number. */
export function abortAttempt(step: CurrentStep, setbacks: Setbacks, row: number): void {
  const index = endAttempt(step, setbacks, row, "cancelled");
  setbacks.aborted.push(index);
  const { job } = setbacks.assignment;
  // With `--max-crashes 1` a started task never runs a second time, whoever stopped it.
  if (job.spec.max_crashes === 1) setbacks.poisoned.push(index);
  else startOver(job, setbacks, index);
}

/** Its worker is gone for good. */
export function loseAttempt(step: CurrentStep, setbacks: Setbacks, row: number): void {
  const { assignment } = setbacks;
  const { job } = assignment;
  const isKnownStart = assignment.rows[row] === ROW_STARTED;
  const index = endAttempt(step, setbacks, row, "lost");
  const trouble = troubleOf(job.tasks);
  const wasAlone = mustRunAlone(job.tasks, index);
  // Alone on its worker nobody else can have taken it down.
  const isCrash = isKnownStart || job.spec.max_crashes === 1 || wasAlone;
  const column = isCrash ? trouble.crashes : trouble.losses;
  column[index] = Math.min(0xffff, (column[index] as number) + 1);
  (isCrash ? setbacks.crashed : setbacks.lost).push(index);
  const isPoison = (trouble.crashes[index] as number) >= job.spec.max_crashes;
  if (isPoison || (job.tasks.attempt[index] as number) >= ATTEMPT_MAX)
    setbacks.poisoned.push(index);
  else {
    startOver(job, setbacks, index);
    job.retries++;
    if (!wasAlone && mustRunAlone(job.tasks, index)) setbacks.suspected.push(index);
  }
}

/** Writes everything down and gives the session its room back. */
export function closeSetbacks(step: CurrentStep, setbacks: Setbacks): void {
  const { assignment, ended, written, poisoned } = setbacks;
  const { job, session } = assignment;
  const { jobId } = job;
  if (ended.length > 0) step.changes.push({ type: "attemptsEnded", jobId, rows: ended });
  if (written.length > 0) {
    step.changes.push({ type: "taskExceptions", jobId, written, removed: [] });
  }
  recordSetbacks(step, setbacks);
  if (poisoned.length > 0) settlePoisoned(step, job, session, poisoned);
  if (setbacks.leftCount === 0) return;
  releaseRows(step, assignment, setbacks.leftCount);
  step.readyJobs.add(job);
  touchJob(step, job);
}

function recordSetbacks(step: CurrentStep, setbacks: Setbacks): void {
  const { assignment, aborted, crashed, lost, suspected, poisoned } = setbacks;
  const { job, session } = assignment;
  const { workerId } = session.worker;
  recordTasks(step, job, "attempts_aborted", {
    indexes: aborted,
    workerId,
    body: (named) => named,
  });
  recordTasks(step, job, "attempts_lost", {
    indexes: [...crashed, ...lost],
    workerId,
    body: (named) => ({
      ...named,
      boot: session.bootId,
      crashes: crashed.length,
      unknown: lost.length,
    }),
  });
  recordTasks(step, job, "tasks_run_alone", {
    indexes: suspected,
    workerId,
    body: (named) => named,
  });
  recordTasks(step, job, "tasks_poisoned", {
    indexes: poisoned,
    workerId,
    body: (named) => ({ ...named, max_crashes: job.spec.max_crashes }),
  });
}

function endAttempt(
  step: CurrentStep,
  setbacks: Setbacks,
  row: number,
  outcome: "lost" | "cancelled",
): number {
  const { assignment, ended } = setbacks;
  const index = indexOfRow(assignment, row);
  const startMs = assignment.startedAtMs.get(row);
  leaveRow(assignment, row);
  setbacks.leftCount++;
  ended.push({
    index,
    attempt: attemptOfRow(assignment, row),
    outcome,
    code: null,
    workerId: assignment.session.worker.workerId,
    bootId: assignment.session.bootId,
    runUs: startMs === undefined ? null : Math.round((step.atMs - startMs) * 1000),
    endedAtMs: step.atMs,
    error: null,
  });
  return index;
}

function startOver(job: LiveJob, setbacks: Setbacks, index: number): void {
  queueTask(job, index);
  troubleOf(job.tasks).isRecorded[index] = 1;
  setbacks.written.push(exceptionFacts(job.tasks, index, null));
}

function settlePoisoned(
  step: CurrentStep,
  job: LiveJob,
  { worker, bootId }: Session,
  poisoned: readonly number[],
): void {
  const indexes = Uint32Array.from(poisoned).filter(
    (index) => job.tasks.state[index] === TASK_RUNNING,
  );
  const crashes = job.spec.max_crashes;
  const message =
    crashes === 1
      ? `Its worker ${worker.workerId} was lost, and --max-crashes 1 allows no second start.`
      : `Its workers were lost ${crashes} times while it ran, the last one ${worker.workerId}.`;
  settleWithFailure(step, job, {
    status: "failed",
    indexes,
    code: "poison",
    message,
    from: { workerId: worker.workerId, bootId },
  });
}
