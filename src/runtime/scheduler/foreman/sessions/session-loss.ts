/**
 * The end of a session: in order (what it held comes back uncounted) or lost (its attempts end as
 * lost, and what had started is held against the tasks). Blame is taken back when the boot returns
 * after all.
 */
import type { BootId } from "../../../protocol/ids.ts";
import { type CurrentStep, recordEvent } from "../current-step.ts";
import type { TaskExceptionFacts } from "../facts.ts";
import { dropFenced } from "../outcomes/assignments.ts";
import {
  abortAttempt,
  closeSetbacks,
  loseAttempt,
  openSetbacks,
  type Setbacks,
  takeBackUnstarted,
} from "../outcomes/setbacks.ts";
import { recordTasks } from "../outcomes/task-events.ts";
import { releaseClaim } from "../placement/fairness.ts";
import {
  exceptionFacts,
  isSettledState,
  TASK_DELAYED,
  TASK_RUNNING,
} from "../queues/task-table.ts";
import { type Assignment, isLiveRow, type LostBoot, ROW_STARTED, type Session } from "../state.ts";
import { endDrainOrder } from "./draining.ts";
import { noteServing } from "./serving.ts";
import { writeWorker } from "./workers.ts";

/** Boots whose return is still recognised. */
const LOST_BOOTS_MAX = 256;

/** The worker stopped in order. */
export function endSession(step: CurrentStep, session: Session, reason: string): void {
  for (const assignment of [...session.assignments.values()]) {
    const setbacks = openSetbacks(assignment);
    // A worker hands everything back before it leaves; of what it did not, only the kind matters
    // whose tasks must never start twice.
    const mayHaveStarted = assignment.job.spec.max_crashes === 1;
    forEachLiveRow(assignment, (row) => {
      if (mayHaveStarted || assignment.rows[row] === ROW_STARTED) abortAttempt(step, setbacks, row);
      else takeBackUnstarted(step, setbacks, row);
    });
    dropFenced(step, assignment);
    closeSetbacks(step, setbacks);
  }
  forgetSession(step, session);
  session.worker.wasDrained = session.draining === "requested";
  endDrainOrder(step, session, true);
  recordEvent(step, "worker_left", { workerId: session.worker.workerId, body: { reason } });
}

/** The boot is given up. If it is still connected it is told to go. */
export function loseSession(step: CurrentStep, session: Session, reason: string): void {
  const { worker, bootId } = session;
  const runningCount = session.heldTasks;
  const all: Setbacks[] = [];
  for (const assignment of [...session.assignments.values()]) {
    const setbacks = openSetbacks(assignment);
    forEachLiveRow(assignment, (row) => loseAttempt(step, setbacks, row));
    dropFenced(step, assignment);
    closeSetbacks(step, setbacks);
    all.push(setbacks);
  }
  if (session.isConnected) step.effects.push({ type: "endSession", bootId, reason });
  forgetSession(step, session);
  endDrainOrder(step, session, false);
  rememberLost(step, session, all);
  const { workerId } = worker;
  step.effects.push({ type: "notifyWorkerLost", workerId, runningCount });
  recordEvent(step, "worker_lost", {
    workerId,
    body: { boot: bootId, reason, running: runningCount },
  });
}

/** A boot that was given up is back: what was held against its tasks is taken back. */
export function takeBackBlame(step: CurrentStep, bootId: BootId): void {
  const lost = step.state.lostBoots.get(bootId);
  if (!lost) return;
  step.state.lostBoots.delete(bootId);
  const session = step.state.sessions.get(bootId);
  if (session) session.reportSeq = Math.max(session.reportSeq, lost.reportSeq);
  for (const { jobId, kind, indexes } of lost.points) {
    const job = step.state.jobs.get(jobId);
    const trouble = job?.tasks.trouble;
    if (!job || !trouble) continue;
    const column = kind === "crash" ? trouble.crashes : trouble.losses;
    const written: TaskExceptionFacts[] = [];
    const returned: number[] = [];
    for (const index of indexes) {
      const points = column[index] ?? 0;
      const taskState = job.tasks.state[index] as number;
      // A delayed task's row holds the end of its back-off too, which is not known here.
      if (points === 0 || isSettledState(taskState) || taskState === TASK_DELAYED) continue;
      column[index] = points - 1;
      returned.push(index);
      const row = exceptionFacts(job.tasks, index, null);
      // An attempt under way is its assignment's: named here it would count as over after a restart.
      const isRunning = taskState === TASK_RUNNING;
      written.push(isRunning ? { ...row, attempt: row.attempt - 1 } : row);
    }
    if (written.length === 0) continue;
    step.changes.push({ type: "taskExceptions", jobId, written, removed: [] });
    recordTasks(step, job, "crash_points_returned", {
      indexes: returned,
      ...(session ? { workerId: session.worker.workerId } : {}),
      body: (named) => ({ ...named, boot: bootId }),
    });
  }
}

function forgetSession(step: CurrentStep, session: Session): void {
  session.isConnected = false;
  if (session.claim !== null) releaseClaim(step, session.claim.job);
  step.state.sessions.delete(session.bootId);
  session.worker.lastSeenAtMs = Math.min(step.atMs, session.lastHeartbeatAtMs ?? step.atMs);
  noteServing(step.state);
  writeWorker(step, session.worker);
}

function forEachLiveRow(assignment: Assignment, visit: (row: number) => void): void {
  for (let row = 0; row < assignment.count; row++) {
    if (isLiveRow(assignment.rows[row] as number)) visit(row);
  }
}

function rememberLost(step: CurrentStep, session: Session, all: readonly Setbacks[]): void {
  const points: LostBoot["points"][number][] = [];
  for (const { assignment, crashed, lost } of all) {
    const { jobId } = assignment.job;
    if (crashed.length > 0) {
      points.push({ jobId, kind: "crash", indexes: Uint32Array.from(crashed) });
    }
    if (lost.length > 0) points.push({ jobId, kind: "loss", indexes: Uint32Array.from(lost) });
  }
  const { lostBoots } = step.state;
  const { reportSeq } = session;
  lostBoots.set(session.bootId, { lostAtMs: step.atMs, reportSeq, points });
  for (const bootId of lostBoots.keys()) {
    if (lostBoots.size <= LOST_BOOTS_MAX) return;
    lostBoots.delete(bootId);
  }
}
