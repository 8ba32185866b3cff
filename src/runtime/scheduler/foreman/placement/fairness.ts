/**
 * Whose turn it is. Jobs with ready tasks stand in a level per priority; among equals the one that
 * has had the least slot time is next. A newcomer begins where the least served one is, so neither a
 * million-task job delays a one-task job nor does a long absence save up a claim on all slots.
 *
 *   in a level  <=> it has queued tasks that may run in company, and is neither blocked nor paused
 */
import type { CurrentStep } from "../current-step.ts";
import { isWanted } from "../jobs/following.ts";
import { countOf, isBlocked } from "../jobs/live-job.ts";
import { TASK_ALONE, TASK_QUEUED, TASK_RUNNING } from "../queues/task-table.ts";
import type { ForemanState, Level, LiveJob } from "../state.ts";

/** From here on a task's elapsed time says more than its estimate. */
const LONG_TASK_US = 1_000_000;

/** Slot time that the job has had: what is over, and what is under way. */
export function virtualUs(job: LiveJob, nowMs: number): number {
  const { servedUs, outstandingUs, assignedAtSumMs } = job.share;
  const { meanUs } = job.pace;
  if (meanUs !== null && meanUs < LONG_TASK_US) return servedUs + outstandingUs;
  const elapsedMs = countOf(job, TASK_RUNNING) * nowMs - assignedAtSumMs;
  return servedUs + Math.max(outstandingUs, elapsedMs * 1000 * job.demand.cpus);
}

/** Puts the job into its level or takes it out, as its tasks and its state say. */
export function syncLevel(step: CurrentStep, job: LiveJob): void {
  const { state } = step;
  const mayStart =
    state.jobs.get(job.jobId) === job &&
    !job.isPaused &&
    !isBlocked(job, state.nowMs) &&
    isWanted(state, job);
  if (mayStart && countOf(job, TASK_ALONE) > 0) state.aloneJobs.add(job);
  else state.aloneJobs.delete(job);
  const isReady = mayStart && countOf(job, TASK_QUEUED) > 0;
  const { level } = job.share;
  if (level !== null && (!isReady || level.priority !== job.spec.priority))
    leaveLevel(job, level, state.nowMs);
  if (isReady && job.share.level === null) enterLevel(state, job);
  if (!isReady && !state.aloneJobs.has(job)) releaseClaim(step, job);
}

/** The session that was being emptied for the job serves everybody again. */
export function releaseClaim(step: CurrentStep, job: LiveJob): void {
  if (job.claimed === null) return;
  step.lateSessions.add(job.claimed);
  job.claimed.claim = null;
  job.claimed = null;
}

/** Sorts the level, the least served first. It is nearly sorted already, so this is one pass. */
export function orderLevel({ jobs }: Level, nowMs: number): void {
  for (let i = 0; i < jobs.length; i++) {
    const job = jobs[i] as LiveJob;
    job.share.orderUs = virtualUs(job, nowMs);
    let at = i;
    while (at > 0 && isBefore(job, jobs[at - 1] as LiveJob)) {
      jobs[at] = jobs[at - 1] as LiveJob;
      at--;
    }
    jobs[at] = job;
  }
}

/** The job at this place has been served: it moves behind those that have had less. */
export function standBack({ jobs }: Level, place: number, nowMs: number): void {
  const job = jobs[place] as LiveJob;
  job.share.orderUs = virtualUs(job, nowMs);
  let at = place;
  while (at + 1 < jobs.length && isBefore(jobs[at + 1] as LiveJob, job)) {
    jobs[at] = jobs[at + 1] as LiveJob;
    at++;
  }
  jobs[at] = job;
}

function isBefore(job: LiveJob, other: LiveJob): boolean {
  if (job.share.orderUs !== other.share.orderUs) return job.share.orderUs < other.share.orderUs;
  const running = countOf(job, TASK_RUNNING) - countOf(other, TASK_RUNNING);
  return running === 0 ? job.jobId < other.jobId : running < 0;
}

function enterLevel(state: ForemanState, job: LiveJob): void {
  const level = openLevel(state, job.spec.priority);
  const startUs = level.jobs.length === 0 ? level.floorUs : leastVirtualUs(level, state.nowMs);
  const lackUs = startUs - virtualUs(job, state.nowMs);
  if (lackUs > 0) job.share.servedUs += lackUs;
  level.jobs.push(job);
  job.share.level = level;
}

function leaveLevel(job: LiveJob, level: Level, nowMs: number): void {
  level.jobs.splice(level.jobs.indexOf(job), 1);
  // Who comes next begins where the last one left, not where time began.
  if (level.jobs.length === 0) level.floorUs = Math.max(level.floorUs, virtualUs(job, nowMs));
  job.share.level = null;
  // In another level another time is kept.
  if (level.priority !== job.spec.priority) job.share.servedUs = 0;
}

function openLevel(state: ForemanState, priority: number): Level {
  const { levels } = state;
  let at = 0;
  while (at < levels.length && (levels[at] as Level).priority > priority) at++;
  const found = levels[at];
  if (found?.priority === priority) return found;
  const level: Level = { priority, jobs: [], floorUs: 0 };
  levels.splice(at, 0, level);
  return level;
}

function leastVirtualUs(level: Level, nowMs: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const job of level.jobs) least = Math.min(least, virtualUs(job, nowMs));
  return least;
}
