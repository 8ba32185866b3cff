/** The n-th task in a state is the n-th of a list that was made by looking at all of them. */
import { expect, test } from "bun:test";
import {
  GRID_TASKS_MIN,
  gridOfStates,
} from "../../../../../src/runtime/scheduler/foreman/aggregates/task-grid.ts";
import {
  countTasks,
  nextTask,
  rankOf,
  type TaskIndex,
  tasksFrom,
} from "../../../../../src/runtime/scheduler/foreman/aggregates/task-index.ts";
import { TASK_STATE_COUNT } from "../../../../../src/runtime/scheduler/foreman/queues/task-table.ts";
import { createRandom, nextRandom } from "../../../../../src/runtime/scheduler/foreman/random.ts";

const ALL = new Array<boolean>(TASK_STATE_COUNT).fill(true);
const only = (...states: number[]): boolean[] => ALL.map((_, state) => states.includes(state));

function expectFound(
  tasks: TaskIndex,
  wanted: readonly boolean[],
  places: readonly number[],
): void {
  const list: number[] = [];
  for (let index = 0; index < tasks.count; index++) {
    if (wanted[tasks.states[index] as number]) list.push(index);
  }
  expect(countTasks(tasks, wanted)).toBe(list.length);
  for (const place of places) {
    const position = place % (list.length + 2);
    const limit = 1 + (place % 70);
    expect(tasksFrom(tasks, wanted, { position, limit })).toEqual(
      list.slice(position, position + limit),
    );
    const index = place % (tasks.count + 3);
    expect(rankOf(index, tasks, wanted)).toBe(list.filter((one) => one < index).length);
    expect(nextTask(tasks, wanted, { index, step: 1 })).toBe(
      list.find((one) => one >= index) ?? -1,
    );
    expect(nextTask(tasks, wanted, { index, step: -1 })).toBe(
      list.findLast((one) => one <= index) ?? -1,
    );
  }
}

test.each([0, 1, 10, 17, 500, 5_000, 40_000])("among %p tasks", (count) => {
  const random = createRandom(count + 1);
  const pick = (bound: number): number => Math.floor(nextRandom(random) * bound);
  for (let round = 0; round < 12; round++) {
    const states = new Uint8Array(count + pick(10));
    // Stretches of one state with single ones of others in between.
    for (let at = 0; at < count; ) {
      const length = 1 + pick(Math.max(1, count / 3));
      const state = pick(TASK_STATE_COUNT);
      for (let end = Math.min(count, at + length); at < end; at++) {
        states[at] = pick(200) === 0 ? pick(TASK_STATE_COUNT) : state;
      }
    }
    const grid = count > GRID_TASKS_MIN ? gridOfStates(states, count) : null;
    const places = Array.from({ length: 8 }, () => pick(1e9));
    expectFound({ count, states, grid }, only(pick(7)), places);
    expectFound({ count, states, grid }, only(pick(7), pick(7), pick(7)), places);
    expectFound({ count, states, grid }, ALL, places);
  }
});

test("of a large job of which nothing has begun", () => {
  const untouched = { count: 3_000, states: new Uint8Array(3_000), grid: null };
  for (const wanted of [ALL, only(0), only(0, 5), only(5)]) {
    expectFound(untouched, wanted, [0, 1, 77, 2_999, 3_000, 3_001]);
  }
});
