/**
 * Who gets what, once a step: sessions that may have room are offered all that is ready, in order of
 * priority and fairness; jobs that may have become ready are offered to all sessions, the least
 * loaded first. What neither changed is not looked at.
 */

import type { CurrentStep } from "../current-step.ts";
import { countOf } from "../jobs/live-job.ts";
import { assignTasks } from "../outcomes/assignments.ts";
import { takeReady } from "../queues/ready-queue.ts";
import { TASK_QUEUED, TASK_RUNNING } from "../queues/task-table.ts";
import { isPlaceable } from "../sessions/serving.ts";
import type { Level, LiveJob, Session } from "../state.ts";
import { chargeUs } from "./charge.ts";
import { claimSession, isClaimedAgainst, placeAlone, wantsClaim } from "./claims.ts";
import { AHEAD_US, HELD_TASKS_MAX, type Load, loadOf, planCount } from "./credit.ts";
import { couldRun } from "./demand.ts";
import { orderLevel, releaseClaim, standBack, syncLevel, virtualUs } from "./fairness.ts";
import { stealForIdle } from "./stealing.ts";
import { isHeldByStorage } from "./storage.ts";

/** Only to work ahead, with every slot busy, so many jobs are asked. */
const REFUSALS_MAX = 32;

export function placeTasks(step: CurrentStep): void {
  const { roomySessions, readyJobs } = step;
  for (const job of readyJobs) syncLevel(step, job);
  if (isHeldByStorage(step.state)) return;
  placeAlone(step);
  for (const session of roomySessions) fillSession(step, session);
  for (const job of inOrder(step, readyJobs)) spreadJob(step, job);
  for (const session of step.lateSessions) {
    step.lateSessions.delete(session);
    fillSession(step, session);
  }
  for (const session of roomySessions) stealForIdle(step, session);
}

/** Gives the session what fits, largest priority first. */
function fillSession(step: CurrentStep, session: Session): void {
  const { state } = step;
  if (!isPlaceable(session, state.nowMs)) return;
  for (const level of state.levels) {
    if (level.jobs.length > 0) fillFromLevel(step, session, level);
  }
}

/** Offers the room to the level's jobs, the least served first; who got some stands back. */
function fillFromLevel(step: CurrentStep, session: Session, level: Level): void {
  const { state } = step;
  orderLevel(level, state.nowMs);
  let load = loadOf(session, level.priority);
  let isNoRoom = isFull(session, load);
  let at = 0;
  let refusals = 0;
  while (at < level.jobs.length && refusals < REFUSALS_MAX) {
    const job = level.jobs[at] as LiveJob;
    // A newcomer may stand beside a large job's tasks.
    const isAsked = !isNoRoom || countOf(job, TASK_RUNNING) === 0;
    if (!isAsked || !couldRun(session, job.demand) || isClaimedAgainst(session, job)) {
      at++;
      continue;
    }
    const count = planCount(state, session, job, load);
    if (count > 0) {
      place(step, session, job, count);
      if (job.share.level === level) standBack(level, at, state.nowMs);
      load = loadOf(session, level.priority);
      isNoRoom = isFull(session, load);
    } else if (wantsClaim(step, session, job)) {
      claimSession(session, job, "room");
      return;
    } else {
      at++;
      if (load.slots >= session.offer.slots) refusals++;
    }
  }
}

/** No job that has something running gets more in here. */
function isFull(session: Session, load: Load): boolean {
  const { slots } = session.offer;
  if (load.slots < 2 * slots) return false;
  return load.workUs >= AHEAD_US * slots || load.tasks >= HELD_TASKS_MAX;
}

/** Offers the job's ready tasks to all sessions in rounds, until nobody takes any more. */
function spreadJob(step: CurrentStep, job: LiveJob): void {
  while (job.share.level !== null) {
    const takers = findTakers(step, job);
    if (takers.length === 0) return;
    for (const { session } of takers) {
      const count = job.share.level === null ? 0 : planCount(step.state, session, job);
      if (count > 0) place(step, session, job, count);
    }
  }
}

function findTakers(step: CurrentStep, job: LiveJob): { session: Session; load: number }[] {
  const { state } = step;
  const takers: { session: Session; load: number }[] = [];
  for (const session of state.sessions.values()) {
    if (!isPlaceable(session, state.nowMs) || isClaimedAgainst(session, job)) continue;
    const load = loadOf(session, job.spec.priority);
    if (planCount(state, session, job, load) === 0) continue;
    takers.push({ session, load: load.slots / session.offer.slots });
  }
  return takers.sort((a, b) => a.load - b.load);
}

function place(step: CurrentStep, session: Session, job: LiveJob, count: number): void {
  const isFirst = countOf(job, TASK_RUNNING) === 0;
  releaseClaim(step, job);
  const taken = takeReady(job, count);
  assignTasks(step, { session, job, chargedUs: chargeUs(job) }, taken);
  // The row says whether anything has begun; its counters of settled tasks stay as they are.
  if (isFirst) step.changedJobs.add(job);
  step.seenJobs.add(job.jobId);
  if (countOf(job, TASK_QUEUED) === 0) syncLevel(step, job);
}

function inOrder({ state }: CurrentStep, jobs: ReadonlySet<LiveJob>): LiveJob[] {
  const ready = [...jobs].filter((job) => job.share.level !== null);
  if (ready.length < 2) return ready;
  return ready.sort(
    (a, b) =>
      b.spec.priority - a.spec.priority ||
      virtualUs(a, state.nowMs) - virtualUs(b, state.nowMs) ||
      a.jobId - b.jobId,
  );
}
