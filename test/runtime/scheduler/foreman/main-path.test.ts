/** The ordinary way of a job: submitted, assigned, reported, ended. */
import { expect, test } from "bun:test";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  effectTypes,
  indexesIn,
  submit,
} from "./builders.ts";

test("a job runs through a worker and ends as completed", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  expect(answerOf(foreman.last)).toEqual({
    type: "jobAccepted",
    jobId,
    nextIndex: 1,
    inputCrc32: 1,
    existing: false,
  });
  expect(effectTypes(foreman.last)).toEqual(["reply", "assignTasks", "notifyJobChanged"]);
  const [assign] = assignmentsIn(foreman.last);
  if (!assign) throw new Error("nothing was assigned");
  expect(indexesIn(assign)).toEqual([0]);
  expect(assign.attempts).toBe(1);

  const output = complete(foreman, worker, assign);
  expect(effectTypes(output)).toEqual([
    "acknowledgeReports",
    "notifySettled",
    "notifyJobChanged",
    "notifyJobEnded",
  ]);
  expect(output.changes.map(({ type }) => type)).toEqual([
    "settled",
    "assignmentShrunk",
    "jobChanged",
    "eventRecorded",
  ]);
  const [facts] = changesOf(output, "jobChanged");
  expect(facts?.facts).toMatchObject({ state: "completed", completed: 1, nextSettleSeq: 2 });
  expect(foreman.state.jobs.size).toBe(0);
  expect(foreman.state.assignments.size).toBe(0);
});

test("batches grow once durations are known, and stay consecutive", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 5_000);
  let assigns = assignmentsIn(foreman.last);
  expect(assigns.map(({ count }) => count)).toEqual([2]);
  let settled = 0;
  let largest = 0;
  for (let round = 0; round < 200 && assigns.length > 0; round++) {
    const [assign, ...rest] = assigns;
    if (!assign) break;
    const output = complete(foreman, worker, assign, { runUs: 10 });
    settled += assign.count;
    largest = Math.max(largest, assign.count);
    expect(assign.indexes).not.toBeInstanceOf(Uint32Array);
    assigns = [...rest, ...assignmentsIn(output)];
  }
  expect(settled).toBe(5_000);
  expect(largest).toBeGreaterThan(500);
  expect(foreman.state.jobs.size).toBe(0);
});
