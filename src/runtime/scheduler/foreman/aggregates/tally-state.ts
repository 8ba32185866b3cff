/**
 * What is measured of a job while it runs: settled tasks over time, how long attempts ran, and how long
 * tasks waited for their first one. Made with the first result, column by column, a few hundred bytes at
 * first; kept for the newest ended jobs. What was before a restart of the foreman, or before the job was
 * brought back by a retry, is in the settlement log only: `sinceSeq` says from where on this counts.
 */
import type { Series } from "../series.ts";
import type { Histogram } from "./histogram.ts";

/** Ended jobs whose measurements stay in memory; of older ones the settlement log is read. */
export const ENDED_TALLIES_MAX = 64;

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
