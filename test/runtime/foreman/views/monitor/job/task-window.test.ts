/** A window of a job's task list is a part of the list that one makes by looking at all tasks. */
import { describe, expect, test } from "bun:test";
import type { JobTasks } from "../../../../../../src/runtime/foreman/views/monitor/job/job-tasks.ts";
import {
  createTaskRows,
  type TaskRows,
} from "../../../../../../src/runtime/foreman/views/monitor/job/task-rows.ts";
import { createTaskSearch } from "../../../../../../src/runtime/foreman/views/monitor/job/task-search.ts";
import { taskWindow } from "../../../../../../src/runtime/foreman/views/monitor/job/task-window.ts";
import { systemClock } from "../../../../../../src/runtime/platform/clock.ts";
import { encodeFailure } from "../../../../../../src/runtime/protocol/failure.ts";
import {
  asAssignmentId,
  asBootId,
  asWorkerId,
} from "../../../../../../src/runtime/protocol/ids.ts";
import type { ListWindow } from "../../../../../../src/runtime/protocol/messages/client.ts";
import { TASK_STATES, type TaskState } from "../../../../../../src/runtime/protocol/views.ts";
import {
  GRID_TASKS_MIN,
  gridOfStates,
} from "../../../../../../src/runtime/scheduler/foreman/aggregates/task-grid.ts";
import {
  TASK_COMPLETED,
  TASK_FAILED,
  TASK_RUNNING,
} from "../../../../../../src/runtime/scheduler/foreman/queues/task-table.ts";
import {
  createRandom,
  nextRandom,
} from "../../../../../../src/runtime/scheduler/foreman/random.ts";
import {
  type Assignment,
  type LiveJob,
  ROW_STARTED,
} from "../../../../../../src/runtime/scheduler/foreman/state.ts";
import { jobFacts, NOW_MS, settlement, valuesOf } from "../../../../store/builders.ts";

const NAMES: readonly TaskState[] = [
  ...(["queued", "queued", "delayed", "running"] as const),
  ...(["completed", "failed", "cancelled"] as const),
];
const WINDOW: ListWindow = { sort: "", reverse: false, filter: "", from: 0, rows: 20 };
const JOB = jobFacts(1);

type Dice = (bound: number) => number;

/** Each task settled by itself: task i by settlement i + 1, on worker `w<i % 5>`. */
function randomTasks(count: number, pick: Dice): JobTasks {
  const states = new Uint8Array(count);
  for (let at = 0; at < count; ) {
    const state = pick(7);
    for (let end = Math.min(count, at + 1 + pick(40)); at < end; at++) states[at] = state;
  }
  const seqs = new Uint32Array(count);
  const attempts = new Uint16Array(count);
  for (let index = 0; index < count; index++) {
    attempts[index] = pick(4);
    if ((states[index] as number) >= TASK_COMPLETED) seqs[index] = index + 1;
  }
  const grid = count > GRID_TASKS_MIN ? gridOfStates(states, count) : null;
  // Of a live job only its assignments are looked at.
  const live = { assignments: new Set(assignmentsOf(states, pick)) } as unknown as LiveJob;
  return { count, states, grid, names: NAMES, attempts, seqs, retries: 0, live };
}

/** Running tasks in assignments of a few, half of them known to have started. */
function assignmentsOf(states: Uint8Array, pick: Dice): Assignment[] {
  const running = [...states.keys()].filter((index) => states[index] === TASK_RUNNING);
  const assignments: Assignment[] = [];
  while (running.length > 0) {
    const indexes = Uint32Array.from(running.splice(0, 1 + pick(7)));
    const startedAtMs = new Map<number, number>();
    indexes.forEach((_index, row) => {
      if (pick(2) === 0) startedAtMs.set(row, NOW_MS - pick(100_000));
    });
    const worker = { workerId: asWorkerId(`w${pick(5)}`) };
    const fields = { assignmentId: asAssignmentId(1), count: indexes.length, first: -1, indexes };
    const rows = new Uint8Array(indexes.length).fill(ROW_STARTED);
    const session = { worker, bootId: asBootId("b") };
    assignments.push({ ...fields, rows, startedAtMs, session } as unknown as Assignment);
  }
  return assignments;
}

function rowsOf(tasks: JobTasks): TaskRows {
  return createTaskRows({
    nowMs: () => NOW_MS,
    window: { readOne: () => valuesOf(["\u00011"]).data },
    sketches: {
      get(_jobId, seq) {
        const index = seq - 1;
        const failed = tasks.states[index] === TASK_FAILED;
        const plain = settlement({ seq, indexes: [index], runUs: 1_000_000 * (index % 60) });
        const sketch = { ...plain, workerId: asWorkerId(`w${index % 5}`) };
        const code = index % 3 === 0 ? "timeout" : "error";
        const value = encodeFailure({ code, message: `no ${index % 4}` });
        return {
          sketch: { ...sketch, sharedValue: false, values: null },
          rowOf: () => 0,
          failureOf: () => (failed ? value : null),
          bytes: 1,
        };
      },
    },
  });
}

interface Listed {
  readonly index: number;
  readonly state: TaskState;
  readonly worker: string | null;
  readonly code: string | null;
  readonly seconds: number | null;
  readonly attempts: number;
  readonly startedAtMs: number | null;
}

/** All tasks as one would list them by hand. */
function listOf(tasks: JobTasks): Listed[] {
  const running = new Map<
    number,
    { readonly worker: string; readonly startedAtMs: number | null }
  >();
  for (const { indexes, startedAtMs, session } of tasks.live?.assignments ?? []) {
    indexes?.forEach((index, row) => {
      const worker = session.worker.workerId;
      running.set(index, { worker, startedAtMs: startedAtMs.get(row) ?? null });
    });
  }
  return Array.from({ length: tasks.count }, (_, index) => {
    const state = NAMES[tasks.states[index] as number] as TaskState;
    const isSettled = tasks.seqs[index] !== 0;
    const startedAtMs = running.get(index)?.startedAtMs ?? null;
    return {
      index,
      state,
      worker: isSettled ? `w${index % 5}` : (running.get(index)?.worker ?? null),
      code: state === "failed" ? (index % 3 === 0 ? "timeout" : "error") : null,
      seconds: isSettled ? index % 60 : startedAtMs === null ? null : (NOW_MS - startedAtMs) / 1000,
      attempts: tasks.attempts[index] as number,
      startedAtMs,
    };
  });
}

const FILTERS: readonly (readonly [string, (task: Listed) => boolean])[] = [
  ["", () => true],
  ["state:failed", ({ state }) => state === "failed"],
  ["state:running,delayed", ({ state }) => state === "running" || state === "delayed"],
  ["state:active", ({ state }) => !["completed", "failed", "cancelled"].includes(state)],
  ["!state:completed", ({ state }) => state !== "completed"],
  ["worker:w3", ({ worker }) => worker === "w3"],
  ["code:timeout", ({ code }) => code === "timeout"],
  ["!code:timeout state:failed", ({ code, state }) => state === "failed" && code !== "timeout"],
  ["attempts>1 state:running", ({ attempts, state }) => attempts > 1 && state === "running"],
  [">50s", ({ seconds }) => seconds !== null && seconds > 50],
  ['"no 2"', ({ index, code }) => code !== null && index % 4 === 2],
];

const sortings: readonly Partial<ListWindow>[] = [
  {},
  { sort: "index", reverse: true },
  { sort: "time" },
  { sort: "time", reverse: true },
];

function sorted(list: readonly Listed[], { sort, reverse }: Partial<ListWindow>): Listed[] {
  const started = list.filter(({ startedAtMs }) => startedAtMs !== null);
  started.sort((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0) || a.index - b.index);
  const others = list.filter(({ startedAtMs }) => startedAtMs === null);
  const all = sort === "time" ? [...started, ...others] : [...list];
  return reverse ? all.reverse() : all;
}

describe.each([0, 12, 300, 6_000])("of %p tasks", (count) => {
  test("every window is what one would cut out by hand", async () => {
    const random = createRandom(count + 3);
    const pick: Dice = (bound) => Math.floor(nextRandom(random) * bound);
    for (let round = 0; round < (count > 1_000 ? 2 : 6); round++) {
      const tasks = randomTasks(count, pick);
      const rows = rowsOf(tasks);
      const search = createTaskSearch({ rows, clock: systemClock, nowMs: () => NOW_MS });
      for (const [filter, passes] of FILTERS) {
        for (const sorting of sortings) {
          const list = sorted(listOf(tasks).filter(passes), sorting);
          const anchorIndex = pick(count + 5);
          const window: ListWindow = {
            ...{ ...WINDOW, ...sorting, filter },
            from: pick(list.length + 3),
            rows: pick(40),
            anchor: `1/${anchorIndex}`,
            around: pick(2) === 0,
          };
          const shown = await taskWindow({ rows, search }, JOB, tasks, window);
          const at = list.findIndex(({ index }) => index === anchorIndex);
          const ids = list.map(({ index }) => `1/${index}`);
          const told = JSON.stringify(window);
          expect([told, shown.matching, shown.anchor_at]).toEqual([
            told,
            list.length,
            at < 0 ? null : at,
          ]);
          expect(shown.order).toEqual(ids.slice(shown.from, shown.from + window.rows));
          expect(shown.order.length).toBe(Math.min(window.rows, list.length));
          if (window.around && at >= 0 && window.rows > 0)
            expect(shown.order).toContain(`1/${anchorIndex}`);
          for (const [id, row] of Object.entries(shown.rows)) {
            const task = list.find(({ index }) => `1/${index}` === id) as Listed;
            const { state, worker, attempts } = task;
            expect(row).toMatchObject({ task_id: id, state, worker, attempts });
            expect(row.error?.code ?? null).toBe(task.code);
          }
        }
      }
    }
  });
});

test("a filter that cannot be read is refused with what could stand there", async () => {
  const tasks = randomTasks(5, () => 0);
  const rows = rowsOf(tasks);
  const search = createTaskSearch({ rows, clock: systemClock, nowMs: () => NOW_MS });
  const asked = { ...WINDOW, filter: "owner:ann" };
  const refused = taskWindow({ rows, search }, JOB, tasks, asked);
  expect(refused).rejects.toMatchObject({ code: "bad_filter", exitCode: 2 });
  expect(TASK_STATES).toContain("delayed");
});

describe("a search in very many tasks", () => {
  const many = (count = 35_000): JobTasks => {
    const states = new Uint8Array(count).fill(TASK_COMPLETED);
    const seqs = Uint32Array.from({ length: count }, (_, index) => index + 1);
    const live = { assignments: new Set() } as unknown as LiveJob;
    const grid = gridOfStates(states, count);
    const attempts = new Uint16Array(count).fill(1);
    return { count, states, grid, names: NAMES, attempts, seqs, retries: 0, live };
  };

  test("looks at a bounded number a time, says how far it is, and comes to its end", async () => {
    const tasks = many();
    const rows = rowsOf(tasks);
    const search = createTaskSearch({ rows, clock: systemClock, nowMs: () => NOW_MS });
    const window = { ...WINDOW, filter: "worker:w3" };
    const look = () => taskWindow({ rows, search }, JOB, tasks, window);
    const looks = [await look(), await look(), await look(), await look()];
    expect(looks.map(({ tried }) => tried)).toEqual([10_000, 20_000, 30_000, undefined]);
    expect(looks.map(({ matching }) => matching)).toEqual([2_000, 4_000, 6_000, 7_000]);
  });

  test("ends with so many found, says on how many tasks, and is begun anew after a while, too", async () => {
    const tasks = many(60_000);
    const rows = rowsOf(tasks);
    let nowMs = NOW_MS;
    const search = createTaskSearch({ rows, clock: systemClock, nowMs: () => nowMs });
    const window = { ...WINDOW, filter: "attempts:1" };
    const look = () => taskWindow({ rows, search }, JOB, tasks, window);
    for (let round = 0; round < 6; round++) await look();
    const full = await look();
    expect([full.matching, full.tried, full.order[0]]).toEqual([50_000, 50_000, "1/0"]);
    tasks.attempts[0] = 2;
    nowMs += 60_000;
    for (let round = 0; round < 6; round++) await look();
    const anew = await look();
    // Tasks are tried a thousand at a time.
    expect([anew.matching, anew.tried, anew.order[0]]).toEqual([50_999, 51_000, "1/1"]);
  });

  test("is begun anew after a while, with the last result shown meanwhile", async () => {
    const tasks = many();
    const rows = rowsOf(tasks);
    let nowMs = NOW_MS;
    const search = createTaskSearch({ rows, clock: systemClock, nowMs: () => nowMs });
    const look = () =>
      taskWindow({ rows, search }, JOB, tasks, { ...WINDOW, filter: "attempts>1" });
    for (let round = 0; round < 4; round++) await look();
    tasks.attempts[34_000] = 2;
    nowMs += 60_000;
    expect((await look()).matching).toBe(0);
    const looks = [await look(), await look(), await look()];
    expect(looks.map(({ matching, tried }) => [matching, tried])).toEqual([
      ...new Array(2).fill([0, undefined]),
      [1, undefined],
    ]);
  });
});
