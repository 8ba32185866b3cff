/** The grid: as many cells as fit, each with the worst of its tasks and how much of it is settled. */
import { expect, test } from "bun:test";
import { gridView } from "../../../../../../src/runtime/foreman/views/monitor/job/job-grid.ts";
import type { GridView } from "../../../../../../src/runtime/protocol/monitor-views.ts";
import {
  GRID_TASKS_MIN,
  gridOfStates,
} from "../../../../../../src/runtime/scheduler/foreman/aggregates/task-grid.ts";
import {
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_QUEUED,
  TASK_RUNNING,
} from "../../../../../../src/runtime/scheduler/foreman/queues/task-table.ts";
import {
  createRandom,
  nextRandom,
} from "../../../../../../src/runtime/scheduler/foreman/random.ts";

function gridOf(states: Uint8Array, cells: number): GridView {
  const count = states.length;
  const grid = count > GRID_TASKS_MIN ? gridOfStates(states, count) : null;
  return gridView({ count, states, grid }, cells);
}

test("a cell shows the worst in it and is 9 only when all of it is settled", () => {
  const cellsOf = (...states: number[]): string => {
    const { marks, done } = gridOf(Uint8Array.from(states), 1);
    return marks + done;
  };
  expect(cellsOf(TASK_QUEUED, TASK_QUEUED)).toBe(".0");
  expect(cellsOf(TASK_COMPLETED, TASK_COMPLETED)).toBe(".9");
  expect(cellsOf(TASK_RUNNING, TASK_DELAYED)).toBe("R0");
  expect(cellsOf(TASK_DELAYED, TASK_COMPLETED)).toBe("Y5");
  expect(cellsOf(TASK_CANCELLED, TASK_RUNNING)).toBe("X5");
  expect(cellsOf(TASK_CANCELLED, TASK_FAILED)).toBe("F9");
  const nearly = new Array<number>(99).fill(TASK_COMPLETED);
  expect(cellsOf(...nearly, TASK_QUEUED)).toBe(".8");
  expect(cellsOf(TASK_FAILED, ...new Array<number>(99).fill(TASK_QUEUED))).toBe("F1");
});

test("no cells and no tasks make no grid", () => {
  expect(gridOf(new Uint8Array(5), 0).marks).toBe("");
  expect(gridOf(new Uint8Array(0), 50).marks).toBe("");
});

test("a large job of which nothing has begun is drawn without a look at it", () => {
  const { marks, done, cell_tasks } = gridView(
    { count: 1_000_000, states: new Uint8Array(0), grid: null },
    300,
  );
  expect([marks, done, cell_tasks]).toEqual([".".repeat(300), "0".repeat(300), 3_334]);
});

test.each([7, 100, 5_000, 70_000, 1_000_000])("all of %p tasks are in one cell each", (count) => {
  const random = createRandom(count);
  const states = new Uint8Array(count);
  for (let at = 0; at < count; ) {
    const state = nextRandom(random) < 0.5 ? TASK_COMPLETED : TASK_QUEUED;
    const length = 1 + Math.floor((nextRandom(random) * count) / 10);
    for (let end = Math.min(count, at + length); at < end; at++) states[at] = state;
  }
  const failed = Math.floor(nextRandom(random) * count);
  states[failed] = TASK_FAILED;
  for (const cells of [1, 40, 234, 500, 4_096]) {
    const { marks, done, cell_tasks: size } = gridOf(states, cells);
    expect(marks.length).toBe(Math.ceil(count / size));
    expect(marks.length).toBeLessThanOrEqual(cells);
    expect(done.length).toBe(marks.length);
    // A screen is used for the most part.
    if (count >= cells && cells <= 500) expect(marks.length).toBeGreaterThanOrEqual(0.8 * cells);
    expect(marks.indexOf("F")).toBe(Math.floor(failed / size));
    for (let cell = 0; cell < marks.length; cell++) {
      const part = states.subarray(cell * size, (cell + 1) * size);
      const isSettled = (state: number): boolean => state >= TASK_COMPLETED;
      expect(done[cell] === "9").toBe(part.every(isSettled));
      expect(done[cell] === "0").toBe(!part.some(isSettled));
    }
  }
});
