/** The soak's checker finds what it is there for. */
import { expect, test } from "bun:test";
import { checkJob, type SeenJob } from "../../scripts/soak/check-job.ts";
import type { PlannedJob } from "../../scripts/soak/job-kinds.ts";

const PLANNED: PlannedJob = {
  kind: "small",
  taskCount: 2,
  words: [],
  retries: 1,
  meanwhile: "nothing",
  expected: (index) => ({ status: "completed", value: index * 10 }),
};

const SOUND: SeenJob = {
  job: { tasks: { total: 2, completed: 2, failed: 0 } },
  tasks: [0, 1].map((index) => ({ index, state: "completed", attempts: 1 })),
  rows: [0, 1].map((index) => ({ index, status: "completed", value: index * 10 })),
};

const problemsOf = (seen: Partial<SeenJob>): string[] =>
  checkJob(PLANNED, { ...SOUND, ...seen }, 0);

test("what went as planned is no problem", () => {
  expect(problemsOf({})).toEqual([]);
});

test("a lost, doubled, wrong or miscounted task is named", () => {
  const [first = {}, second = {}] = SOUND.rows;
  expect(problemsOf({ rows: [first] })).toEqual(["1 results, not 2"]);
  expect(problemsOf({ rows: [first, first] })).toEqual(["task 0 has two results"]);
  expect(problemsOf({ rows: [first, { ...second, value: 11 }] })).toEqual([
    "task 1 returned 11, not 10",
  ]);
  expect(problemsOf({ rows: [first, { ...second, status: "failed" }] })).toEqual([
    "task 1 is failed, not completed",
  ]);
  expect(problemsOf({ job: { tasks: { total: 2, completed: 1, failed: 1 } } })).toEqual([
    "counts 1 completed and lists 2",
    "counts 1 failed and lists 0",
  ]);
});

test("attempts are explained by retries and kills, or named", () => {
  const tasks = SOUND.tasks.map((task) => ({ ...task, attempts: 3 }));
  expect(problemsOf({ tasks })).toEqual([
    "task 0 had 3 attempts; 2 can be explained",
    "task 1 had 3 attempts; 2 can be explained",
  ]);
  expect(checkJob(PLANNED, { ...SOUND, tasks }, 1)).toEqual([]);
});
