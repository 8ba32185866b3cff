/**
 * Sums over everything the foreman has: tasks that wait and run, slots, memory, run times, and why nothing
 * runs. Each is a walk over unfinished jobs or over workers, never over tasks.
 */
import { formatTaskId } from "../../../protocol/ids.ts";
import type { OverviewView, PercentilesView } from "../../../protocol/monitor-views.ts";
import type { WhyView } from "../../../protocol/views.ts";
import {
  createHistogram,
  mergeHistogram,
} from "../../../scheduler/foreman/aggregates/histogram.ts";
import { whyJob } from "../../../scheduler/foreman/explain/explain.ts";
import {
  countOf,
  isBlocked,
  queuedCount,
  settledCount,
} from "../../../scheduler/foreman/jobs/live-job.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import { TASK_DELAYED, TASK_RUNNING } from "../../../scheduler/foreman/queues/task-table.ts";
import { busySlotsOf } from "../../../scheduler/foreman/selectors.ts";
import type { Series, SeriesCut } from "../../../scheduler/foreman/series.ts";
import { cutSeries } from "../../../scheduler/foreman/series.ts";
import type { LiveJob } from "../../../scheduler/foreman/state.ts";
import type { VitalsBook } from "../../workers/worker-vitals.ts";
import { percentilesView } from "./percentiles.ts";
import { roundElapsed, roundForScreen } from "./series-views.ts";

const MICROSECONDS = 1e6;
/** Jobs whose run times are added up; with more of them at once a sum says nothing anyway. */
const RUN_TIME_JOBS_MAX = 200;
const ETA_WINDOW_MS = 60_000;
const ETA_STEP_MS = 5_000;
/** Fewer settled tasks say nothing about the rest. */
const ETA_TASKS_MIN = 20;

export interface TaskSums {
  readonly queued: number;
  readonly delayed: number;
  readonly blocked: number;
  readonly running: number;
  /** Unsettled ones of jobs that go on by themselves, which paused ones do not. */
  readonly left: number;
}

export function sumTasks({ jobs, nowMs }: ForemanState): TaskSums {
  const sums = { queued: 0, delayed: 0, blocked: 0, running: 0, left: 0 };
  for (const job of jobs.values()) {
    sums[isBlocked(job, nowMs) ? "blocked" : "queued"] += queuedCount(job);
    sums.delayed += countOf(job, TASK_DELAYED);
    sums.running += countOf(job, TASK_RUNNING);
    if (!job.isPaused) sums.left += job.tasks.count - settledCount(job);
  }
  return sums;
}

/** Everything that has not begun. */
export const depthOf = ({ queued, delayed, blocked }: Omit<TaskSums, "left">): number =>
  queued + delayed + blocked;

/**
 * By the median of the last minute's rates, so that a stall or a burst does not make it jump; by their
 * mean where so little is done that in most steps nothing was.
 */
export function etaSeconds(
  series: Series,
  { left }: Pick<TaskSums, "left">,
  nowMs: number,
): number | null {
  const untilMs = Math.floor(nowMs / ETA_STEP_MS) * ETA_STEP_MS;
  const { settled } = cutSeries([series], {
    nowMs: untilMs,
    windowMs: ETA_WINDOW_MS,
    backMs: 0,
    stepMsMin: ETA_STEP_MS,
  });
  const begun = settled.findIndex((count) => count !== null && count > 0);
  const known = begun < 0 ? [] : settled.slice(begun).map((count) => count ?? 0);
  const total = known.reduce((sum, count) => sum + count, 0);
  if (left === 0 || total < ETA_TASKS_MIN) return null;
  const aStep = medianOf(known) || total / known.length;
  return roundElapsed(Math.ceil((left * ETA_STEP_MS) / 1000 / aStep));
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

export function failedPercent({ settled, failed }: SeriesCut): number | null {
  const sum = (counts: readonly (number | null)[]): number =>
    counts.reduce<number>((total, count) => total + (count ?? 0), 0);
  const all = sum(settled);
  return all === 0 ? null : roundForScreen((100 * sum(failed)) / all);
}

export function sumSlots(state: ForemanState): OverviewView["slots"] {
  let busy = 0;
  let total = 0;
  for (const { isConnected, worker } of state.sessions.values()) {
    if (!isConnected) continue;
    busy += busySlotsOf(state, worker);
    total += worker.offer.slots;
  }
  return { busy, total };
}

/** Of the machines, as their workers say; several workers on one machine count once. */
export function sumMemory(
  state: ForemanState,
  vitals: Pick<VitalsBook, "of">,
): OverviewView["memory"] {
  const hosts = new Map<string, { readonly used: number; readonly total: number }>();
  for (const { isConnected, worker } of state.sessions.values()) {
    const last = vitals.of(worker.workerId);
    if (!isConnected || last === null) continue;
    const { host, memory_bytes: total } = worker.offer;
    const used = (total * last.memoryPercent) / 100;
    if (used >= (hosts.get(host)?.used ?? 0)) hosts.set(host, { used, total });
  }
  let used_bytes = 0;
  let total_bytes = 0;
  for (const { used, total } of hosts.values()) {
    used_bytes += used;
    total_bytes += total;
  }
  return { used_bytes: roundForScreen(used_bytes), total_bytes };
}

/** Of the unfinished jobs; when there are none, of those that ended last. */
export function sumRunTimes(state: ForemanState): PercentilesView {
  const sum = createHistogram();
  let longest: string | null = null;
  let left = RUN_TIME_JOBS_MAX;
  const add = (jobId: number, tally: LiveJob["tally"]): void => {
    if (tally === null || left-- <= 0) return;
    if (tally.run.max > sum.max) longest = formatTaskId(jobId, tally.longestIndex);
    mergeHistogram(sum, tally.run);
  };
  for (const { jobId, tally } of state.jobs.values()) add(jobId, tally);
  if (sum.count === 0) for (const [jobId, { tally }] of state.endedTallies) add(jobId, tally);
  return percentilesView(sum, MICROSECONDS, longest);
}

/** The reason of the job that would be next, while work waits and none of it runs. */
export function whyNothingRuns(state: ForemanState, sums: TaskSums): WhyView | null {
  if (depthOf(sums) === 0 || (sums.running > 0 && state.fullFolder === null)) return null;
  const next = state.levels[0]?.jobs[0] ?? firstWaiting(state);
  return next === null ? null : whyJob(state, next.jobId);
}

function firstWaiting({ jobs }: ForemanState): LiveJob | null {
  for (const job of jobs.values()) {
    if (queuedCount(job) + countOf(job, TASK_DELAYED) > 0) return job;
  }
  return null;
}
