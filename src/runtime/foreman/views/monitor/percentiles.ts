/** A histogram as the monitor shows it: seconds, rounded to what it can tell. */
import type { PercentilesView } from "../../../protocol/monitor-views.ts";
import { type Histogram, percentileOf } from "../../../scheduler/foreman/aggregates/histogram.ts";
import { roundForScreen } from "./series-views.ts";

/** @param unitsPerSecond of the histogram's amounts. */
export function percentilesView(
  histogram: Histogram,
  unitsPerSecond: number,
  maxTaskId: string | null,
): PercentilesView {
  const at = (share: number): number | null => {
    const amount = percentileOf(histogram, share);
    return amount === null ? null : roundForScreen(amount / unitsPerSecond);
  };
  return {
    count: histogram.count,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    max_task_id: histogram.count === 0 ? null : maxTaskId,
  };
}
