/** How a job's measurements (tally-state.ts) are taken: with each report, column by column. */
import { type IndexColumn, indexAt, type U32Column, u32At } from "../../../protocol/columns.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { arrivedAtMs } from "../jobs/inputs.ts";
import { countInSeries, createSeries, JOB_SERIES } from "../series.ts";
import type { Assignment, ForemanState, LiveJob } from "../state.ts";
import { addAmount, addAmounts, createHistogram } from "./histogram.ts";
import { ENDED_TALLIES_MAX, type JobTally } from "./tally-state.ts";

/** Where no task took longer, the first row's wait stands for all of a report. */
const SHORT_US = 50_000;

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
