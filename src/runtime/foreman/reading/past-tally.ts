/**
 * What a job's settlement log tells of the time that is not in memory any more: throughput and run times
 * before a restart of the foreman, or of a job that ended long ago. Read once a job, in slices, and kept
 * for the jobs that were looked at last; the log behind a number never changes.
 */
import { indexAt, u32At } from "../../protocol/columns.ts";
import type { JobId } from "../../protocol/ids.ts";
import {
  addAmount,
  createHistogram,
  type Histogram,
} from "../../scheduler/foreman/aggregates/histogram.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import {
  countInSeries,
  createSeries,
  JOB_SERIES,
  type Series,
} from "../../scheduler/foreman/series.ts";
import type { SettlementSketch } from "../../store/store.ts";
import { type SettlementWalkParts, walkSettlements } from "./settlement-walk.ts";

const JOBS_MAX = 64;

export interface PastTally {
  readonly series: Series;
  /** Microseconds of the attempts that settled a task; earlier ones are not in the log. */
  readonly run: Histogram;
  /** -1: none. */
  longestIndex: number;
}

export interface PastTallies {
  /** Of the settlements below `beforeSeq`; a promise while the log is read. */
  of(job: JobFacts, beforeSeq: number): PastTally | Promise<PastTally>;
}

interface Held {
  readonly beforeSeq: number;
  tally: PastTally | Promise<PastTally>;
}

export function createPastTallies(parts: SettlementWalkParts): PastTallies {
  /** In order of last use, oldest first. */
  const held = new Map<JobId, Held>();

  function hold(job: JobFacts, beforeSeq: number): Held {
    const reading = readTally(parts, job, beforeSeq);
    const entry: Held = { beforeSeq, tally: reading };
    reading.then(
      (tally) => {
        entry.tally = tally;
      },
      // Who waits for it hears of it; the next one tries again.
      () => held.delete(job.jobId),
    );
    return entry;
  }

  return {
    of(job, beforeSeq) {
      const known = held.get(job.jobId);
      const entry = known?.beforeSeq === beforeSeq ? known : hold(job, beforeSeq);
      held.delete(job.jobId);
      held.set(job.jobId, entry);
      const oldest = held.keys().next();
      if (held.size > JOBS_MAX && !oldest.done) held.delete(oldest.value);
      return entry.tally;
    },
  };
}

async function readTally(
  parts: SettlementWalkParts,
  { jobId, createdAtMs }: JobFacts,
  beforeSeq: number,
): Promise<PastTally> {
  const tally: PastTally = {
    series: createSeries(JOB_SERIES, createdAtMs),
    run: createHistogram(),
    longestIndex: -1,
  };
  let isFirst = true;
  const isWhole = await walkSettlements(parts, { jobId, beforeSeq }, (sketch) => {
    if (isFirst && sketch.seq > 1) tally.series.sinceMs = sketch.settledAtMs;
    isFirst = false;
    takeIn(tally, sketch);
  });
  if (isWhole) tally.series.sinceMs = createdAtMs;
  return tally;
}

function takeIn(tally: PastTally, sketch: SettlementSketch): void {
  const { status, count, indexes, runUs, settledAtMs } = sketch;
  if (status === "cancelled") return;
  const isFailed = status === "failed";
  countInSeries(tally.series, settledAtMs, count, isFailed ? count : 0);
  for (let row = 0; row < count; row++) {
    const us = u32At(runUs, row);
    // Failures that we gave a task ourselves, such as `poison`, did not run.
    if (us === 0 && isFailed) continue;
    if (us > tally.run.max) tally.longestIndex = indexAt(indexes, row);
    addAmount(tally.run, us);
  }
}
