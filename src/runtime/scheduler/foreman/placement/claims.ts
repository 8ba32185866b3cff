/**
 * Emptying a session for a task that would never find it empty enough by chance: one that must run
 * alone, or one that needs several slots or amounts that smaller tasks keep taking. A claimed session
 * gives nothing to others of that priority and below; a job has at most one.
 */

import type { CurrentStep } from "../current-step.ts";
import { countOf } from "../jobs/live-job.ts";
import { assignTasks } from "../outcomes/assignments.ts";
import { takeAlone } from "../queues/ready-queue.ts";
import { TASK_ALONE, TASK_QUEUED, TASK_RUNNING } from "../queues/task-table.ts";
import { isPlaceable, isServing } from "../sessions/serving.ts";
import type { ForemanState, LiveJob, Session } from "../state.ts";
import { chargeUs } from "./charge.ts";
import { loadOf, runnableCount } from "./credit.ts";
import { couldRun, hasTimeLeft } from "./demand.ts";
import { releaseClaim, syncLevel } from "./fairness.ts";

/** Places tasks that must run alone wherever a session is empty, and claims one where none is. */
export function placeAlone(step: CurrentStep): void {
  const { state } = step;
  if (state.aloneJobs.size === 0) return;
  for (const job of [...state.aloneJobs]) {
    dropBrokenClaim(step, job);
    for (const session of state.sessions.values()) {
      if (countOf(job, TASK_ALONE) === 0 || runnableCount(job) <= 0) break;
      if (isEmptyFor(state, session, job)) assignAlone(step, session, job);
    }
    if (countOf(job, TASK_ALONE) > 0 && job.claimed === null) claimLeastLoaded(state, job);
    syncLevel(step, job);
  }
}

/** A job that cannot be placed for want of room, and of which nothing runs, may have a session emptied. */
export function wantsClaim(step: CurrentStep, session: Session, job: LiveJob): boolean {
  const { demand } = job;
  if (demand.cpus === 1 && !demand.isReserving) return false;
  if (countOf(job, TASK_RUNNING) > 0 || countOf(job, TASK_QUEUED) === 0) return false;
  if (runnableCount(job) <= 0 || !hasTimeLeft(session, demand, step.atMs)) return false;
  dropBrokenClaim(step, job);
  return job.claimed === null && session.claim === null;
}

export function claimSession(session: Session, job: LiveJob, kind: "alone" | "room"): void {
  session.claim = { job, kind };
  job.claimed = session;
}

/** Whether the claim keeps the session from this job. */
export function isClaimedAgainst({ claim }: Session, job: LiveJob): boolean {
  if (claim === null || (claim.job === job && claim.kind === "room")) return false;
  return claim.kind === "alone" || job.spec.priority <= claim.job.spec.priority;
}

function dropBrokenClaim(step: CurrentStep, job: LiveJob): void {
  const { claimed } = job;
  if (claimed === null) return;
  if (!isServing(claimed) || !couldRun(claimed, job.demand)) releaseClaim(step, job);
}

function isEmptyFor(state: ForemanState, session: Session, job: LiveJob): boolean {
  if (session.heldTasks > 0 || session.fencedSlots > 0) return false;
  if (session.claim !== null && session.claim.job !== job) return false;
  if (!isPlaceable(session, state.nowMs) || !couldRun(session, job.demand)) return false;
  return hasTimeLeft(session, job.demand, state.nowMs);
}

function assignAlone(step: CurrentStep, session: Session, job: LiveJob): void {
  releaseClaim(step, job);
  session.isAlone = true;
  assignTasks(step, { session, job, chargedUs: chargeUs(job) }, takeAlone(job));
  step.changedJobs.add(job);
}

function claimLeastLoaded(state: ForemanState, job: LiveJob): void {
  let least: Session | null = null;
  let leastSlots = Number.POSITIVE_INFINITY;
  for (const session of state.sessions.values()) {
    if (session.claim !== null || session.isAlone || !isServing(session)) continue;
    if (!couldRun(session, job.demand) || !hasTimeLeft(session, job.demand, state.nowMs)) continue;
    const load = loadOf(session, Number.NEGATIVE_INFINITY);
    const waiting = load.longSlots * 1_000 + load.slots / session.offer.slots;
    if (waiting >= leastSlots) continue;
    least = session;
    leastSlots = waiting;
  }
  if (least !== null) claimSession(least, job, "alone");
}
