/** All tasks of a job in a few hundred cells: a mark for the worst in each, and how much is settled. */
import type { GridView } from "../../../../protocol/monitor-views.ts";
import { countInRange, rangeCount } from "../../../../scheduler/foreman/aggregates/task-grid.ts";
import type { TaskIndex } from "../../../../scheduler/foreman/aggregates/task-index.ts";
import {
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_RUNNING,
  TASK_STATE_COUNT,
} from "../../../../scheduler/foreman/queues/task-table.ts";

/** Up to so many tasks are counted one by one, so that cells may begin anywhere. */
const COUNTED_TASKS_MAX = 65_536;
/** Worst first. */
const MARKS = [
  [TASK_FAILED, "F"],
  [TASK_CANCELLED, "X"],
  [TASK_RUNNING, "R"],
  [TASK_DELAYED, "Y"],
] as const;

/** Of a large job a cell is one or more whole ranges, so there may be fewer cells than asked for. */
export function gridView(tasks: TaskIndex, cellsMax: number): GridView {
  const { count, grid } = tasks;
  if (cellsMax === 0 || count === 0) return { cell_tasks: 1, marks: "", done: "" };
  const wanted = Math.ceil(count / cellsMax);
  if (grid === null && count > COUNTED_TASKS_MAX) return untouched(count, wanted);
  if (grid === null || count <= COUNTED_TASKS_MAX) return countedOneByOne(tasks, wanted);
  const rangesPerCell = Math.max(1, Math.ceil(wanted / 2 ** grid.shift));
  const cells: Cell[] = [];
  for (let range = 0; range < rangeCount(grid, count); range++) {
    const cell = cellAt(cells, Math.floor(range / rangesPerCell));
    for (let state = 0; state < TASK_STATE_COUNT; state++) {
      cell[state] = (cell[state] as number) + countInRange(grid, state, range, count);
    }
  }
  return drawn(cells, rangesPerCell * 2 ** grid.shift);
}

/** Tasks by state. */
type Cell = number[];

function countedOneByOne({ count, states }: TaskIndex, cellTasks: number): GridView {
  const cells: Cell[] = [];
  for (let index = 0; index < count; index++) {
    const cell = cellAt(cells, Math.floor(index / cellTasks));
    const state = states[index] as number;
    cell[state] = (cell[state] as number) + 1;
  }
  return drawn(cells, cellTasks);
}

function cellAt(cells: Cell[], at: number): Cell {
  const cell = cells[at];
  if (cell) return cell;
  const made = new Array<number>(TASK_STATE_COUNT).fill(0);
  cells.push(made);
  return made;
}

function drawn(cells: readonly Cell[], cellTasks: number): GridView {
  let marks = "";
  let done = "";
  for (const cell of cells) {
    marks += MARKS.find(([state]) => (cell[state] as number) > 0)?.[1] ?? ".";
    done += doneDigit(cell);
  }
  return { cell_tasks: cellTasks, marks, done };
}

/** 0 is nothing and 9 is all, whatever the rounding says. */
function doneDigit(cell: Cell): string {
  const all = cell.reduce((sum, count) => sum + count, 0);
  const settled = cell.slice(TASK_COMPLETED).reduce((sum, count) => sum + count, 0);
  if (settled === 0) return "0";
  return settled === all ? "9" : String(Math.min(8, Math.max(1, Math.round((settled * 9) / all))));
}

function untouched(count: number, cellTasks: number): GridView {
  const cells = Math.ceil(count / cellTasks);
  return { cell_tasks: cellTasks, marks: ".".repeat(cells), done: "0".repeat(cells) };
}
