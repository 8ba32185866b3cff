/**
 * Tasks change their state here and nowhere else, column by column, so that a job's counters and its
 * grid always agree with its table.
 */
import { type IndexColumn, indexAt } from "../../../protocol/columns.ts";
import {
  createTaskGrid,
  GRID_TASKS_MIN,
  gridOfStates,
  growTaskGrid,
  moveAllBut,
  moveRange,
  type TaskGrid,
} from "../aggregates/task-grid.ts";
import {
  isSettledState,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_FAILED,
  TASK_QUEUED,
  TASK_STATE_COUNT,
} from "../queues/task-table.ts";
import type { LiveJob } from "../state.ts";

const SETTLED_STATES = [TASK_COMPLETED, TASK_FAILED, TASK_CANCELLED];

/** One task, whatever it was. */
export function moveTask(job: LiveJob, index: number, to: number): void {
  const from = job.tasks.state[index] as number;
  job.tasks.state[index] = to;
  countMove(job, from, to, 1);
  const grid = gridOf(job);
  if (grid !== null) moveRange(grid, { from, to, first: index, count: 1 });
}

/** Each of these tasks, whatever it was. Returns how many came from which state. */
export function moveTasks(job: LiveJob, indexes: IndexColumn, count: number, to: number): number[] {
  const { state } = job.tasks;
  const grid = gridOf(job);
  const left = new Array<number>(TASK_STATE_COUNT).fill(0);
  for (let row = 0; row < count; ) {
    let first = indexAt(indexes, row);
    const end = first + runLength(indexes, row, count);
    row += end - first;
    // Neighbours in the same state, of which there are mostly many, go together.
    while (first < end) {
      const from = state[first] as number;
      let next = first + 1;
      while (next < end && state[next] === from) next++;
      state.fill(to, first, next);
      left[from] = (left[from] as number) + next - first;
      if (grid !== null) moveRange(grid, { from, to, first, count: next - first });
      first = next;
    }
  }
  left.forEach((moved, from) => {
    if (moved > 0) countMove(job, from, to, moved);
  });
  return left;
}

/** The table says so already: these were in state `from`. */
export function noteMoved(
  job: LiveJob,
  indexes: IndexColumn,
  count: number,
  move: { readonly from: number; readonly to: number },
): void {
  countMove(job, move.from, move.to, count);
  const grid = gridOf(job);
  if (grid === null) return;
  if (!(indexes instanceof Uint32Array)) moveRange(grid, { ...move, first: indexes.first, count });
  else moveList(grid, indexes, count, move);
}

/** Every task that is not settled is cancelled by this settlement. */
export function cancelUnsettled(job: LiveJob, settleSeq: number): void {
  const { state, seq, count } = job.tasks;
  const grid = gridOf(job);
  for (let index = 0; index < count; index++) {
    if (isSettledState(state[index] as number)) continue;
    state[index] = TASK_CANCELLED;
    seq[index] = settleSeq;
  }
  if (grid !== null) moveAllBut(grid, SETTLED_STATES, TASK_CANCELLED, count);
  for (let from = 0; from < TASK_STATE_COUNT; from++) {
    if (!isSettledState(from)) countMove(job, from, TASK_CANCELLED, job.counts[from] as number);
  }
}

/** The table has got these further queued tasks. */
export function noteAdded(job: LiveJob, added: number): void {
  const { tasks, counts } = job;
  if (job.grid !== null) growTaskGrid(job.grid, tasks.count);
  else if (tasks.count > GRID_TASKS_MIN && counts[TASK_QUEUED] !== tasks.count - added) {
    job.grid = gridOfStates(tasks.state, tasks.count);
  }
  counts[TASK_QUEUED] = (counts[TASK_QUEUED] as number) + added;
}

/** The table's states were read from the store. */
export function recountTasks(job: LiveJob): void {
  const { tasks, counts } = job;
  counts.fill(0);
  for (let index = 0; index < tasks.count; index++) {
    const state = tasks.state[index] as number;
    counts[state] = (counts[state] as number) + 1;
  }
  const needsGrid = tasks.count > GRID_TASKS_MIN && counts[TASK_QUEUED] !== tasks.count;
  job.grid = needsGrid ? gridOfStates(tasks.state, tasks.count) : null;
}

/** Made with a job's first move, before which all was queued; null: it is too small to need one. */
function gridOf(job: LiveJob): TaskGrid | null {
  if (job.grid === null && job.tasks.count > GRID_TASKS_MIN) {
    job.grid = createTaskGrid(job.tasks.count);
  }
  return job.grid;
}

function countMove({ counts }: LiveJob, from: number, to: number, count: number): void {
  counts[from] = (counts[from] as number) - count;
  counts[to] = (counts[to] as number) + count;
}

function moveList(
  grid: TaskGrid,
  indexes: Uint32Array,
  count: number,
  move: { readonly from: number; readonly to: number },
): void {
  for (let row = 0; row < count; ) {
    const length = runLength(indexes, row, count);
    moveRange(grid, { ...move, first: indexes[row] as number, count: length });
    row += length;
  }
}

/** How many of the rows from this one on are of consecutive tasks. */
function runLength(indexes: IndexColumn, row: number, count: number): number {
  if (!(indexes instanceof Uint32Array)) return count - row;
  const first = indexes[row] as number;
  let length = 1;
  while (row + length < count && indexes[row + length] === first + length) length++;
  return length;
}
