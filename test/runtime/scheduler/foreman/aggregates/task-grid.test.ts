/** Whatever moves, a job's counters and its grid say what a count of all its tasks would say. */
import { describe, expect, test } from "bun:test";
import { compactIndexes } from "../../../../../src/runtime/protocol/columns.ts";
import { asJobId } from "../../../../../src/runtime/protocol/ids.ts";
import {
  countInRange,
  createTaskGrid,
  GRID_TASKS_MIN,
  rangeCount,
  rangeSize,
} from "../../../../../src/runtime/scheduler/foreman/aggregates/task-grid.ts";
import { createLiveJob } from "../../../../../src/runtime/scheduler/foreman/jobs/live-job.ts";
import {
  cancelUnsettled,
  moveTask,
  moveTasks,
  noteAdded,
  noteMoved,
  recountTasks,
} from "../../../../../src/runtime/scheduler/foreman/jobs/moves.ts";
import {
  addTasks,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_QUEUED,
  TASK_RUNNING,
  TASK_STATE_COUNT,
} from "../../../../../src/runtime/scheduler/foreman/queues/task-table.ts";
import { createRandom, nextRandom } from "../../../../../src/runtime/scheduler/foreman/random.ts";
import { createState, type LiveJob } from "../../../../../src/runtime/scheduler/foreman/state.ts";
import { aSpec } from "../../../../support/specs.ts";
import { options } from "../builders.ts";

function aJob(taskCount: number): LiveJob {
  return createLiveJob(createState(options()), {
    jobId: asJobId(1),
    owner: "me",
    submissionId: "s",
    resumable: false,
    createdAtMs: 0,
    notBeforeMs: null,
    spec: aSpec(),
    taskCount,
  });
}

/** Counts every task anew and compares. */
function expectTrue(job: LiveJob): void {
  const { tasks, grid, counts } = job;
  const all = new Array<number>(TASK_STATE_COUNT).fill(0);
  const byRange = new Map<string, number>();
  for (let index = 0; index < tasks.count; index++) {
    const state = tasks.state[index] as number;
    all[state] = (all[state] as number) + 1;
    if (grid === null) continue;
    const key = `${state} in ${index >> grid.shift}`;
    byRange.set(key, (byRange.get(key) ?? 0) + 1);
  }
  expect(counts).toEqual(all);
  if (grid === null) {
    expect(tasks.count <= GRID_TASKS_MIN || all[TASK_QUEUED] === tasks.count).toBe(true);
    return;
  }
  expect(rangeCount(grid, tasks.count)).toBeLessThanOrEqual(4_096);
  const held = new Map<string, number>();
  for (let range = 0; range < rangeCount(grid, tasks.count); range++) {
    for (let state = 0; state < TASK_STATE_COUNT; state++) {
      const count = countInRange(grid, state, range, tasks.count);
      if (count > 0) held.set(`${state} in ${range}`, count);
    }
  }
  expect(held).toEqual(byRange);
}

describe("the grid", () => {
  test("of a hundred million tasks has 4,096 ranges at most", () => {
    const grid = createTaskGrid(100_000_000);
    expect(rangeCount(grid, 100_000_000)).toBe(3_052);
    expect(grid.counts.byteLength).toBeLessThan(100 * 1024);
    expect(rangeSize(grid, 3_051, 100_000_000)).toBe(100_000_000 - 3_051 * 32_768);
  });

  test("is not there while nothing of a job has begun", () => {
    const job = aJob(1_000_000);
    addTasks(job.tasks, 5);
    noteAdded(job, 5);
    expect(job.grid).toBeNull();
    moveTask(job, 999_999, TASK_RUNNING);
    expect(job.grid?.counts.byteLength).toBeLessThan(100 * 1024);
    expectTrue(job);
  });

  test("of a small job is not there either, until inputs make it large", () => {
    const job = aJob(GRID_TASKS_MIN);
    moveTasks(job, { first: 3 }, 20, TASK_COMPLETED);
    expect(job.grid).toBeNull();
    addTasks(job.tasks, 3_000);
    noteAdded(job, 3_000);
    expect(job.grid).not.toBeNull();
    expectTrue(job);
  });
});

describe("random moves leave counters and grid true", () => {
  test.each([40, 100, 1_000, 16_384, 70_000])("of %p tasks and more", (taskCount) => {
    const random = createRandom(taskCount);
    const pick = (bound: number): number => Math.floor(nextRandom(random) * bound);
    const job = aJob(taskCount);
    const operations = [
      () => moveTask(job, pick(job.tasks.count), pick(TASK_STATE_COUNT)),
      () => {
        const first = pick(job.tasks.count);
        const count = 1 + pick(Math.min(job.tasks.count - first, 3_000));
        moveTasks(job, { first }, count, pick(TASK_STATE_COUNT));
      },
      () => {
        const step = 1 + pick(3);
        const count = pick(Math.floor(job.tasks.count / step)) % 500;
        const indexes = Uint32Array.from({ length: count }, (_, at) => at * step);
        const moved = moveTasks(job, indexes, count, pick(TASK_STATE_COUNT));
        expect(moved.reduce((sum, some) => sum + some, 0)).toBe(count);
      },
      () => {
        const taken: number[] = [];
        for (let index = pick(job.tasks.count); index < job.tasks.count; index++) {
          if (job.tasks.state[index] !== TASK_QUEUED || taken.length === 200) continue;
          job.tasks.state[index] = TASK_RUNNING;
          taken.push(index);
        }
        const column = compactIndexes(Uint32Array.from(taken));
        noteMoved(job, column, taken.length, { from: TASK_QUEUED, to: TASK_RUNNING });
      },
      () => {
        const added = 1 + pick(taskCount);
        addTasks(job.tasks, added);
        noteAdded(job, added);
      },
      () => recountTasks(job),
    ];
    for (let round = 0; round < 30; round++) {
      operations[pick(operations.length)]?.();
      if (pick(15) === 0) cancelUnsettled(job, round + 1);
      expectTrue(job);
    }
    cancelUnsettled(job, 99);
    expectTrue(job);
    const unsettled = job.tasks.count - (job.counts[TASK_CANCELLED] as number);
    expect(job.counts.slice(TASK_COMPLETED).reduce((a, b) => a + b)).toBe(job.tasks.count);
    expect(unsettled).toBeGreaterThan(0);
  });
});
