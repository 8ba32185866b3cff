/**
 * What is measured of a job while it runs: settled tasks over time, how long attempts ran, and how long
 * tasks waited for their first one. Made with the first result, column by column, a few hundred bytes at
 * first; kept for the newest ended jobs. What was before a restart of the foreman, or before the job was
 * brought back by a retry, is in the settlement log only: `sinceSeq` says from where on this counts.
 */
import { type IndexColumn, indexAt, type U32Column, u32At } from "../../../protocol/columns.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { arrivedAtMs } from "../jobs/inputs.ts";
import { countInSeries, createSeries, JOB_SERIES, type Series } from "../series.ts";
import type { Assignment, ForemanState, LiveJob } from "../state.ts";
import { addAmount, addAmounts, createHistogram, type Histogram } from "./histogram.ts";

/** Ended jobs whose measurements stay in memory; of older ones the settlement log is read. */
export const ENDED_TALLIES_MAX = 64;

/** Where no task took longer, the first row's wait stands for all of a report. */
const SHORT_US = 50_000;

export interface JobTally {
  /** The first settlement that is counted here. */
  readonly sinceSeq: number;
  readonly series: Series;
  /** Microseconds of attempts that ended by themselves. */
  readonly run: Histogram;
  /** The task of the longest one; -1: none. */
  longestIndex: number;
  /**
   * Milliseconds from when a task could have started (its input was here, its job no longer blocked) to
   * when its first attempt did. Where the worker gathers results, up to that time longer than it was.
   */
  readonly wait: Histogram;
}

export interface EndedTally {
  readonly tally: JobTally | null;
  readonly retries: number;
}

/** Made for the settlement `seq`, and counting from it on. */
function tallyOf(job: LiveJob, seq: number, atMs: number): JobTally {
  job.tally ??= {
    sinceSeq: seq,
    series: createSeries(JOB_SERIES, seq === 1 ? job.createdAtMs : atMs),
    run: createHistogram(),
    longestIndex: -1,
    wait: createHistogram(),
  };
  return job.tally;
}

type EndedAttempts = {
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly runUs: U32Column;
};

/** Attempts that ended by themselves; to be called before they are settled. */
export function tallyAttempts(assignment: Assignment, atMs: number, ended: EndedAttempts): void {
  const { job } = assignment;
  const tally = tallyOf(job, job.nextSettleSeq, atMs);
  const maxBefore = tally.run.max;
  addAmounts(tally.run, ended.runUs, ended.count);
  if (tally.run.max > maxBefore || tally.longestIndex < 0) {
    tally.longestIndex = indexOfLongest(ended, tally.run.max);
  }
  tallyWaits(tally, assignment, atMs, ended);
}

function indexOfLongest({ indexes, runUs }: EndedAttempts, longestUs: number): number {
  return indexAt(indexes, typeof runUs === "number" ? 0 : Math.max(0, runUs.indexOf(longestUs)));
}

/** Neighbours' inputs came together: the first one's stand for all of the report. */
function tallyWaits(
  { wait, run }: JobTally,
  { job, assignedAtMs }: Assignment,
  atMs: number,
  { count, indexes, attempts, runUs }: EndedAttempts,
): void {
  if (typeof attempts === "number" && attempts !== 1) return;
  const sinceMs = Math.max(job.releasedAtMs, arrivedAtMs(job.inputs, indexAt(indexes, 0)));
  // Inputs from before the foreman's start: nobody knows when they came.
  if (Number.isNaN(sinceMs)) return;
  // The rows of a report began at most so long after one another as it took to gather them.
  if (typeof attempts === "number" && (typeof runUs === "number" || run.max < SHORT_US)) {
    const startedAtMs = Math.max(assignedAtMs, atMs - u32At(runUs, 0) / 1000);
    addAmount(wait, waitMs(sinceMs, startedAtMs), count);
    return;
  }
  for (let row = 0; row < count; row++) {
    if (u32At(attempts, row) !== 1) continue;
    addAmount(wait, waitMs(sinceMs, Math.max(assignedAtMs, atMs - u32At(runUs, row) / 1000)));
  }
}

const waitMs = (sinceMs: number, startedAtMs: number): number =>
  Math.max(0, Math.round(startedAtMs - sinceMs));

export function tallySettled(
  job: LiveJob,
  settlement: { readonly seq: number; readonly count: number; readonly isFailed: boolean },
  atMs: number,
): void {
  const { seq, count, isFailed } = settlement;
  countInSeries(tallyOf(job, seq, atMs).series, atMs, count, isFailed ? count : 0);
}

/** The job has ended; the oldest ended one makes room. */
export function keepTally(state: ForemanState, job: LiveJob): void {
  const { endedTallies } = state;
  endedTallies.set(job.jobId, { tally: job.tally, retries: job.retries });
  if (endedTallies.size <= ENDED_TALLIES_MAX) return;
  const oldest = endedTallies.keys().next();
  if (!oldest.done) endedTallies.delete(oldest.value);
}

/** An ended job lives again. */
export function takeTallyBack(state: ForemanState, job: LiveJob): void {
  const kept = state.endedTallies.get(job.jobId);
  state.endedTallies.delete(job.jobId);
  if (kept) job.tally = kept.tally;
}

export const forgetTally = (state: ForemanState, jobId: JobId): void =>
  void state.endedTallies.delete(jobId);
