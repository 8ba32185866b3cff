/**
 * Work for idle workers at the tail of a job: when nothing is ready, tasks that wait behind others at
 * a loaded worker are asked back for an idle one, if that saves a noticeable time. The worker's
 * answer puts them into the queue, and placement gives them to the least loaded session, the idle one.
 */

import type { CurrentStep } from "../current-step.ts";
import { isPlaceable, isServing } from "../sessions/serving.ts";
import type { Assignment, Holding, LiveJob, Session } from "../state.ts";
import { loadOf } from "./credit.ts";
import { couldRun, hasTimeLeft } from "./demand.ts";
import { revokeRows } from "./revocation.ts";

/** Below this gain a task stays where it is: asking costs about a millisecond, and a guess is a guess. */
export const STEAL_GAIN_MS_MIN = 100;
/** How often idle workers look again while others have tasks waiting. */
export const STEAL_CHECK_MS = 250;
/** Assumed of tasks that have not been measured: long enough to be worth it. */
const UNKNOWN_TASK_US = 1_000_000;

/** Asks one loaded session for tasks that this idle one could run. */
export function stealForIdle(step: CurrentStep, session: Session): void {
  const { state } = step;
  if (!isIdle(step, session) || isAwaiting(session)) return;
  const best = findVictim(step, session);
  if (best === null) {
    if (hasWaiting(step, session)) scheduleCheck(step);
    return;
  }
  scheduleCheck(step);
  const free = session.offer.slots - loadOf(session, Number.NEGATIVE_INFINITY).slots;
  let wanted = Math.min(
    best.count,
    Math.max(1, Math.floor(free / best.holding.job.demand.cpus), best.half),
  );
  for (const assignment of newestFirst(best.victim, best.holding.job)) {
    if (wanted <= 0) break;
    const asked = revokeRows(step, assignment, wanted);
    if (asked > 0) session.awaited.add(assignment);
    wanted -= asked;
  }
  state.stealCheckAtMs ??= step.atMs + STEAL_CHECK_MS;
}

/** All idle sessions look again. */
export function onStealCheck(step: CurrentStep): void {
  const { state, atMs } = step;
  if (state.stealCheckAtMs === null || state.stealCheckAtMs > atMs) return;
  state.stealCheckAtMs = null;
  for (const session of state.sessions.values()) {
    if (isIdle(step, session)) step.roomySessions.add(session);
  }
}

interface Find {
  readonly victim: Session;
  readonly holding: Holding;
  /** Waiting there beyond what can run at once. */
  readonly count: number;
  /** Half of the difference between the two sessions. */
  readonly half: number;
  readonly gainMs: number;
}

function findVictim(step: CurrentStep, thief: Session): Find | null {
  let best: Find | null = null;
  for (const victim of step.state.sessions.values()) {
    if (victim === thief || victim.heldTasks === 0 || !victim.isConnected) continue;
    for (const holding of victim.holdings.values()) {
      const find = weigh(step, { thief, victim }, holding);
      if (find !== null && (best === null || find.gainMs > best.gainMs)) best = find;
    }
  }
  return best;
}

function weigh(
  step: CurrentStep,
  { thief, victim }: { readonly thief: Session; readonly victim: Session },
  holding: Holding,
): Find | null {
  const { job, count } = holding;
  if (!mayRun(step, thief, job)) return null;
  const { cpus } = job.demand;
  const excess = Math.floor((victim.heldSlots + victim.fencedSlots - victim.offer.slots) / cpus);
  const waiting = isServing(victim)
    ? Math.min(count, excess, unstartedCount(victim, job))
    : unstartedCount(victim, job);
  if (waiting <= 0) return null;
  const nowMs = step.atMs;
  const gainMs = isServing(victim)
    ? drainMs(victim, nowMs) - drainMs(thief, nowMs)
    : Number.MAX_SAFE_INTEGER;
  if (gainMs < STEAL_GAIN_MS_MIN) return null;
  const half = Math.floor(
    ((gainMs / 2) * 1000 * thief.offer.slots) / (taskUs(victim, job, nowMs) * cpus),
  );
  return { victim, holding, count: waiting, half, gainMs };
}

function mayRun({ state }: CurrentStep, thief: Session, job: LiveJob): boolean {
  if (job.isPaused || !couldRun(thief, job.demand)) return false;
  if (thief.worker.isOnProbation || job.demand.isReserving) return false;
  return hasTimeLeft(thief, job.demand, state.nowMs);
}

/** Until all that the session holds is done. */
function drainMs(session: Session, nowMs: number): number {
  let workUs = 0;
  for (const { job, count } of session.holdings.values()) {
    workUs += count * taskUs(session, job, nowMs) * job.demand.cpus;
  }
  return workUs / 1000 / session.offer.slots;
}

/** As measured, or as long as one has been running there already. */
function taskUs(session: Session, job: LiveJob, nowMs: number): number {
  let longestUs = job.pace.meanUs ?? UNKNOWN_TASK_US;
  for (const assignment of session.assignments.values()) {
    if (assignment.job !== job) continue;
    for (const startMs of assignment.startedAtMs.values()) {
      longestUs = Math.max(longestUs, (nowMs - startMs) * 1000);
    }
  }
  return longestUs;
}

function unstartedCount(session: Session, job: LiveJob): number {
  let count = 0;
  for (const assignment of job.assignments) {
    if (assignment.session === session && assignment.revocation === 0) {
      count += assignment.waitingCount;
    }
  }
  return count;
}

function newestFirst(session: Session, job: LiveJob): Assignment[] {
  return [...session.assignments.values()].filter((assignment) => assignment.job === job).reverse();
}

/** A slot is free, and it may be given something. */
function isIdle({ state }: CurrentStep, session: Session): boolean {
  if (!isPlaceable(session, state.nowMs) || session.claim !== null) return false;
  return session.heldSlots + session.fencedSlots < session.offer.slots;
}

/** What was asked for on its behalf has not been answered. */
function isAwaiting({ awaited }: Session): boolean {
  for (const assignment of awaited) if (assignment.revocation === 0) awaited.delete(assignment);
  return awaited.size > 0;
}

function hasWaiting({ state }: CurrentStep, thief: Session): boolean {
  for (const session of state.sessions.values()) {
    if (session !== thief && session.heldSlots > session.offer.slots) return true;
  }
  return false;
}

function scheduleCheck({ state, atMs }: CurrentStep): void {
  state.stealCheckAtMs ??= atMs + STEAL_CHECK_MS;
}
