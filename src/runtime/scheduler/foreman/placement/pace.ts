/** What tasks of a job take, as measured; batches are sized and loads compared by it. */
import type { U32Column } from "../../../protocol/columns.ts";
import type { LiveJob } from "../state.ts";

/** What a task costs at least on its way, however little it does. */
const TASK_US_MIN = 5;
/** A report moves the mean by no more than this factor, so that one outlier cannot spoil batches. */
const OUTLIER_FACTOR = 8;
const SMALL_REPORT_TASKS = 16;

/** Takes in the run times of finished attempts; returns their sum. */
export function recordDurations(job: LiveJob, runUs: U32Column, count: number): number {
  const totalUs = sumOf(runUs, count);
  const { pace } = job;
  const sampleUs = Math.max(TASK_US_MIN, totalUs / count);
  if (pace.meanUs === null) pace.meanUs = sampleUs;
  else {
    const low = pace.meanUs / OUTLIER_FACTOR;
    const high = pace.meanUs * OUTLIER_FACTOR;
    const weight = count < SMALL_REPORT_TASKS ? 0.25 : 0.5;
    pace.meanUs += (Math.min(high, Math.max(low, sampleUs)) - pace.meanUs) * weight;
  }
  pace.sampleCount += count;
  job.runUs += totalUs;
  job.share.servedUs += totalUs * job.demand.cpus;
  return totalUs;
}

function sumOf(column: U32Column, count: number): number {
  if (typeof column === "number") return column * count;
  let total = 0;
  for (let row = 0; row < count; row++) total += column[row] as number;
  return total;
}
