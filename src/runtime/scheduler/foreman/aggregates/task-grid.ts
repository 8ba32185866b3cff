/**
 * How many of a job's tasks are in which state, by equal ranges of indexes: what the grid of a million
 * tasks is drawn from, and how the n-th failed task is found without looking at all. At most 4,096
 * ranges of a power of two of tasks; queued tasks are what is left of a range, so that a job of which
 * nothing has begun needs no grid at all, nor does a small one, whose tasks are looked at directly.
 */
import { TASK_QUEUED, TASK_STATE_COUNT } from "../queues/task-table.ts";

/** Up to so many tasks are looked at one by one. */
export const GRID_TASKS_MIN = 16;
const RANGES_MAX = 4_096;
const RANGE_SHIFT_MIN = 4;

export interface TaskGrid {
  /** A range has `2 ** shift` tasks, the last one perhaps fewer. */
  shift: number;
  /** Ranges there is room for, a power of two. */
  capacity: number;
  /** By state, beginning with the one after queued, and then by range. */
  counts: Uint32Array;
}

/** All tasks are queued. */
export function createTaskGrid(taskCount: number): TaskGrid {
  let shift = RANGE_SHIFT_MIN;
  while (rangesOf(taskCount, shift) > RANGES_MAX) shift++;
  let capacity = 1;
  while (capacity < rangesOf(taskCount, shift)) capacity *= 2;
  return { shift, capacity, counts: new Uint32Array((TASK_STATE_COUNT - 1) * capacity) };
}

/** From the tasks' states as they are. */
export function gridOfStates(states: Uint8Array, taskCount: number): TaskGrid {
  const grid = createTaskGrid(taskCount);
  for (let index = 0; index < taskCount; index++) {
    const state = states[index] as number;
    if (state !== TASK_QUEUED) addTo(grid, state, index >>> grid.shift, 1);
  }
  return grid;
}

/** Room for so many tasks; the new ones are queued. Ranges are joined in pairs where there are too many. */
export function growTaskGrid(grid: TaskGrid, taskCount: number): void {
  if (rangesOf(taskCount, grid.shift) <= grid.capacity) return;
  const { shift, capacity, counts } = grid;
  const larger = createTaskGrid(taskCount);
  for (let state = TASK_QUEUED + 1; state < TASK_STATE_COUNT; state++) {
    for (let range = 0; range < capacity; range++) {
      const count = counts[(state - 1) * capacity + range] as number;
      if (count > 0) addTo(larger, state, range >>> (larger.shift - shift), count);
    }
  }
  Object.assign(grid, larger);
}

/** So many tasks from `first` on go from one state to another. */
export function moveRange(
  grid: TaskGrid,
  move: {
    readonly from: number;
    readonly to: number;
    readonly first: number;
    readonly count: number;
  },
): void {
  const { from, to, first } = move;
  const end = first + move.count;
  const { shift } = grid;
  for (let index = first; index < end; ) {
    const range = index >>> shift;
    const next = Math.min(end, (range + 1) << shift);
    if (from !== TASK_QUEUED) addTo(grid, from, range, index - next);
    if (to !== TASK_QUEUED) addTo(grid, to, range, next - index);
    index = next;
  }
}

/** Every task that is not in one of these states goes to another. */
export function moveAllBut(
  grid: TaskGrid,
  states: readonly number[],
  to: number,
  taskCount: number,
): void {
  const ranges = rangeCount(grid, taskCount);
  for (let range = 0; range < ranges; range++) {
    let kept = 0;
    for (let state = TASK_QUEUED + 1; state < TASK_STATE_COUNT; state++) {
      const at = (state - 1) * grid.capacity + range;
      if (states.includes(state)) kept += grid.counts[at] as number;
      else grid.counts[at] = 0;
    }
    addTo(grid, to, range, rangeSize(grid, range, taskCount) - kept);
  }
}

export const rangeCount = (grid: TaskGrid, taskCount: number): number =>
  rangesOf(taskCount, grid.shift);

export const rangeSize = ({ shift }: TaskGrid, range: number, taskCount: number): number =>
  Math.min(taskCount - range * 2 ** shift, 2 ** shift);

export function countInRange(
  grid: TaskGrid,
  state: number,
  range: number,
  taskCount: number,
): number {
  if (state !== TASK_QUEUED) return grid.counts[(state - 1) * grid.capacity + range] as number;
  let others = 0;
  for (let other = TASK_QUEUED + 1; other < TASK_STATE_COUNT; other++) {
    others += grid.counts[(other - 1) * grid.capacity + range] as number;
  }
  return rangeSize(grid, range, taskCount) - others;
}

const rangesOf = (taskCount: number, shift: number): number => Math.ceil(taskCount / 2 ** shift);

function addTo({ counts, capacity }: TaskGrid, state: number, range: number, count: number): void {
  const at = (state - 1) * capacity + range;
  counts[at] = (counts[at] as number) + count;
}
