/**
 * Finds tasks by their state: how many there are, the n-th of them, the place of one among them. Ranges
 * of the grid are skipped whole, so that of a million tasks a few thousand bytes are looked at. Works on
 * a live job's table and on the fold of an ended one alike.
 */
import { TASK_QUEUED, TASK_STATE_COUNT } from "../queues/task-table.ts";
import { countInRange, GRID_TASKS_MIN, rangeCount, rangeSize, type TaskGrid } from "./task-grid.ts";

export interface TaskIndex {
  readonly count: number;
  /** By index; may be longer. */
  readonly states: Uint8Array;
  /** null: there are few tasks, or all are queued. */
  readonly grid: TaskGrid | null;
}

/** Which states are asked for, by state. */
export type StateMask = readonly boolean[];

export function countTasks(tasks: TaskIndex, wanted: StateMask): number {
  const { count, grid } = tasks;
  if (grid === null) return countBetween(tasks, wanted, 0, count);
  let sum = 0;
  for (let range = 0; range < rangeCount(grid, count); range++) {
    sum += countWanted(grid, wanted, range, count);
  }
  return sum;
}

/** How many of them come before this index. */
export function rankOf(index: number, tasks: TaskIndex, wanted: StateMask): number {
  const { count, grid } = tasks;
  const before = Math.min(index, count);
  if (grid === null) return countBetween(tasks, wanted, 0, before);
  const last = before >>> grid.shift;
  let rank = countBetween(tasks, wanted, last * 2 ** grid.shift, before);
  for (let range = 0; range < last; range++) rank += countWanted(grid, wanted, range, count);
  return rank;
}

/** From the n-th of them (from 0) on in ascending order, at most `limit`. */
export function tasksFrom(
  tasks: TaskIndex,
  wanted: StateMask,
  { position, limit }: { readonly position: number; readonly limit: number },
): number[] {
  if (isUntouched(tasks)) return queuedFrom(tasks, wanted, position, limit);
  const found: number[] = [];
  let skipped = 0;
  forEachRange(tasks, wanted, (first, end, inRange) => {
    if (skipped + inRange <= position) {
      skipped += inRange;
      return true;
    }
    for (let index = first; index < end && found.length < limit; index++) {
      if (!wanted[tasks.states[index] as number]) continue;
      if (skipped++ >= position) found.push(index);
    }
    return found.length < limit;
  });
  return found;
}

/** The next one that is not below `index` (or, downwards, not above it); -1: there is none. */
export function nextTask(
  tasks: TaskIndex,
  wanted: StateMask,
  { index, step }: { readonly index: number; readonly step: 1 | -1 },
): number {
  const { count, states, grid } = tasks;
  if (step === 1 && index >= count) return -1;
  if (isUntouched(tasks) && !wanted[TASK_QUEUED]) return -1;
  let at = Math.min(index, count - 1);
  while (at >= 0 && at < count) {
    if (grid !== null && countWanted(grid, wanted, at >>> grid.shift, count) === 0) {
      const range = at >>> grid.shift;
      at = step === 1 ? (range + 1) * 2 ** grid.shift : range * 2 ** grid.shift - 1;
    } else if (wanted[states[at] as number]) return at;
    else at += step;
  }
  return -1;
}

/** Stops when `visit` returns false. */
function forEachRange(
  tasks: TaskIndex,
  wanted: StateMask,
  visit: (first: number, end: number, inRange: number) => boolean,
): void {
  const { count, grid } = tasks;
  if (grid === null) {
    visit(0, count, countBetween(tasks, wanted, 0, count));
    return;
  }
  for (let range = 0; range < rangeCount(grid, count); range++) {
    const first = range * 2 ** grid.shift;
    const inRange = countWanted(grid, wanted, range, count);
    if (!visit(first, first + rangeSize(grid, range, count), inRange)) return;
  }
}

function countWanted(grid: TaskGrid, wanted: StateMask, range: number, count: number): number {
  let sum = 0;
  for (let state = TASK_QUEUED; state < TASK_STATE_COUNT; state++) {
    if (wanted[state]) sum += countInRange(grid, state, range, count);
  }
  return sum;
}

function countBetween(tasks: TaskIndex, wanted: StateMask, from: number, to: number): number {
  if (isUntouched(tasks)) return wanted[TASK_QUEUED] ? to - from : 0;
  const { states } = tasks;
  let sum = 0;
  for (let index = from; index < to; index++) if (wanted[states[index] as number]) sum++;
  return sum;
}

/** A large job without a grid: nothing of it has begun. */
const isUntouched = ({ count, grid }: TaskIndex): boolean =>
  grid === null && count > GRID_TASKS_MIN;

function queuedFrom(
  { count }: TaskIndex,
  wanted: StateMask,
  position: number,
  limit: number,
): number[] {
  const length = wanted[TASK_QUEUED] ? Math.max(0, Math.min(limit, count - position)) : 0;
  return Array.from({ length }, (_, at) => position + at);
}
