/**
 * The few figures that a foreman shows of itself on its own terminal: the machine's counters, its sessions
 * and the last minute of its series. Cheap enough to be asked for several times a second.
 */

import { foremanTotals } from "../../scheduler/foreman/selectors.ts";
import { cutSeries } from "../../scheduler/foreman/series.ts";
import type { ForemanState } from "../../scheduler/foreman/state.ts";
import { sumSlots } from "./monitor/foreman-sums.ts";

export interface ForemanStatus {
  readonly workers: number;
  readonly slots: { readonly busy: number; readonly total: number };
  /** Unfinished ones. */
  readonly jobs: number;
  /** Everything that has not begun. */
  readonly queued: number;
  readonly running: number;
  /** Since the foreman's start. */
  readonly done: number;
  readonly failed: number;
  readonly tasksPerSecond: number | null;
  /** Settled tasks by seconds, the oldest first; null: not known. */
  readonly recent: readonly (number | null)[];
}

const RECENT_MS = 60_000;

export function readForemanStatus(state: ForemanState, nowMs: number): ForemanStatus {
  const totals = foremanTotals(state, nowMs);
  const slots = sumSlots(state);
  const span = { nowMs, windowMs: RECENT_MS, backMs: 0 };
  return {
    workers: totals.connectedWorkers,
    slots,
    jobs: totals.unfinishedJobs,
    queued: totals.queuedTasks,
    // Also what waits at a worker counts as handed out; a person wants to see no more than can run.
    running: Math.min(totals.runningTasks, slots.busy),
    done: totals.completedTasks,
    failed: totals.failedTasks,
    tasksPerSecond: totals.tasksPerSecond,
    recent: cutSeries([state.totals.series], span).settled,
  };
}
