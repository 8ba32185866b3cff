/** Where a live job's running tasks run, and since when: found in its assignments, never by a look at all tasks. */

import { indexOfRow, rowOfIndex } from "../../../../scheduler/foreman/outcomes/assignments.ts";
import { TASK_RUNNING } from "../../../../scheduler/foreman/queues/task-table.ts";
import { type Assignment, isLiveRow, type LiveJob } from "../../../../scheduler/foreman/state.ts";
import { roundElapsed } from "../series-views.ts";
import { countBelow } from "./ascending.ts";
import type { JobTasks } from "./job-tasks.ts";

/** Below ten seconds a tenth counts. */
const TENTHS_BELOW_SECONDS = 10;

export interface Running {
  readonly workerId: string;
  /** null: it is not known to have started. */
  readonly startedAtMs: number | null;
}

/** One pass over the job's assignments, whatever the number of rows. */
export function findRunning(
  tasks: JobTasks,
  indexes: readonly number[],
): ReadonlyMap<number, Running> {
  const wanted = indexes.filter((index) => tasks.states[index] === TASK_RUNNING);
  const found = new Map<number, Running>();
  if (tasks.live === null || wanted.length === 0) return found;
  wanted.sort((a, b) => a - b);
  for (const assignment of tasks.live.assignments) {
    const last = indexOfRow(assignment, assignment.count - 1);
    for (let at = countBelow(wanted, indexOfRow(assignment, 0)); at < wanted.length; at++) {
      const index = wanted[at] as number;
      if (index > last) break;
      const place = placeIn(assignment, index);
      if (place !== null) found.set(index, place);
    }
    if (found.size === wanted.length) break;
  }
  return found;
}

/** Tasks that are known to have started, those that run longest first; at most so many are looked at. */
export function startedTasks(live: LiveJob, looksMax: number): number[] {
  const started: { readonly index: number; readonly atMs: number }[] = [];
  let looks = 0;
  for (const assignment of live.assignments) {
    if (looks >= looksMax) break;
    for (const [row, atMs] of assignment.startedAtMs) {
      if (looks++ >= looksMax) break;
      started.push({ index: indexOfRow(assignment, row), atMs });
    }
  }
  return started.sort((a, b) => a.atMs - b.atMs || a.index - b.index).map(({ index }) => index);
}

/** How long it runs; null: nobody knows. */
export const secondsSoFar = (place: Running | null, nowMs: number): number | null =>
  place === null || place.startedAtMs === null
    ? null
    : Math.max(0, nowMs - place.startedAtMs) / 1000;

/** The same as it is shown, so that a row does not change without need. */
export function runningSeconds(place: Running | null, nowMs: number): number | null {
  const seconds = secondsSoFar(place, nowMs);
  if (seconds === null) return null;
  return seconds < TENTHS_BELOW_SECONDS ? Math.floor(seconds * 10) / 10 : roundElapsed(seconds);
}

function placeIn(assignment: Assignment, index: number): Running | null {
  const row = rowOfIndex(assignment, index);
  if (row < 0 || !isLiveRow(assignment.rows[row] as number)) return null;
  return {
    workerId: assignment.session.worker.workerId,
    startedAtMs: assignment.startedAtMs.get(row) ?? null,
  };
}
