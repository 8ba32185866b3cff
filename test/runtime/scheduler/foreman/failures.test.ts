/** Retries with back-off, permanent failures, limits of failures and the time-out's backstop. */
import { expect, test } from "bun:test";
import { decodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import type { JobId } from "../../../../src/runtime/protocol/ids.ts";
import { planBackoffMs } from "../../../../src/runtime/scheduler/foreman/outcomes/failures.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  beat,
  changesOf,
  complete,
  type EffectOf,
  effectsOf,
  type Foreman,
  fail,
  indexesIn,
  passTime,
  start,
  statesOf,
  submit,
  type TestWorker,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const endedState = (foreman: Foreman, jobId: JobId): string | undefined =>
  foreman.state.ended.get(jobId)?.state;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

/** Ends everything that is assigned, and what follows, with this code (null: completed). */
function endAll(
  foreman: Foreman,
  worker: TestWorker,
  first: readonly Assign[],
  code: string | null,
): void {
  const queue = [...first];
  for (let assign = queue.shift(); assign; assign = queue.shift()) {
    const output =
      code === null ? complete(foreman, worker, assign) : fail(foreman, worker, assign, { code });
    queue.push(...assignmentsIn(output));
  }
}

test("a failed task without retries is failed, and so is its job", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  const output = fail(foreman, worker, only(assignmentsIn(foreman.last)));
  expect(changesOf(output, "settled")).toMatchObject([
    { settlement: { status: "failed", count: 1 } },
  ]);
  expect(endedState(foreman, jobId)).toBe("failed");
});

test("a failed task waits for its back-off and runs again under the next attempt", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { retries: 1, backoff_seconds: 1 });
  const output = fail(foreman, worker, only(assignmentsIn(foreman.last)));
  expect(statesOf(foreman, jobId)).toEqual([0, 0, 1, 0, 0, 0, 0]);
  expect(changesOf(output, "settled")).toEqual([]);
  expect(changesOf(output, "attemptsEnded")).toMatchObject([
    { rows: [{ index: 0, attempt: 1, outcome: "failed", code: "error" }] },
  ]);
  const [exception] = changesOf(output, "taskExceptions");
  expect(exception?.written).toMatchObject([{ index: 0, attempt: 1, failures: 1 }]);
  foreman.wait(1_000);
  const again = only(assignmentsIn(foreman.last));
  expect(again.attempts).toBe(2);
  const last = fail(foreman, worker, again);
  expect(endedState(foreman, jobId)).toBe("failed");
  expect(changesOf(last, "taskExceptions")).toMatchObject([{ written: [], removed: [0] }]);
});

test("without a base the next attempt follows at once", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 1, { retries: 1, backoff_seconds: 0 });
  const output = fail(foreman, worker, only(assignmentsIn(foreman.last)));
  expect(only(assignmentsIn(output)).attempts).toBe(2);
});

test("a permanent failure is never retried", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { retries: 5 });
  fail(foreman, worker, only(assignmentsIn(foreman.last)), { permanent: true });
  expect(endedState(foreman, jobId)).toBe("failed");
});

test("of one report some tasks may be over and others be tried again", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2, { retries: 1, backoff_seconds: 0 });
  const assign = only(assignmentsIn(foreman.last));
  const second = only(assignmentsIn(fail(foreman, worker, assign, { only: [1] })));
  expect(indexesIn(second)).toEqual([1]);
  // Task 0 fails for the first time, task 1 for the second: they are in different assignments.
  fail(foreman, worker, second);
  expect(statesOf(foreman, jobId)).toEqual([0, 0, 0, 1, 0, 1, 0]);
});

test("back-off is full jitter under a doubling ceiling, at most five minutes", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 1, { backoff_seconds: 2 });
  const job = foreman.state.jobs.get(jobId);
  if (!job) throw new Error("no job");
  const sample = (failures: number): number[] =>
    Array.from({ length: 2_000 }, () => planBackoffMs(foreman.state, job, failures));
  for (const [failures, ceilingMs] of [
    [1, 2_000],
    [3, 8_000],
    [50, 300_000],
  ] as const) {
    const delays = sample(failures);
    expect(Math.max(...delays)).toBeLessThan(ceilingMs);
    expect(Math.max(...delays)).toBeGreaterThan(ceilingMs * 0.95);
    expect(Math.min(...delays)).toBeLessThan(ceilingMs * 0.05);
  }
});

test("a job whose first twenty tasks all failed is given up when only one worker is there", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1_000, { max_fails: { kind: "default" } });
  endAll(foreman, worker, assignmentsIn(foreman.last), "error");
  const facts = foreman.state.ended.get(jobId);
  expect(facts?.state).toBe("cancelled");
  expect(facts?.failed).toBeGreaterThanOrEqual(20);
  expect(facts?.failed).toBeLessThan(200);
});

test("with two workers both must have seen failures before a job is given up", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const second = aWorker(foreman, "w2");
  const jobId = submit(foreman, 1_000, { max_fails: { kind: "default" } });
  const mine = assignmentsIn(foreman.last, worker);
  const theirs = only(assignmentsIn(foreman.last, second));
  for (let failed = 0; failed < 30; ) {
    const assign = mine.shift();
    if (!assign) throw new Error("nothing is assigned");
    failed += assign.count;
    mine.push(...assignmentsIn(fail(foreman, worker, assign), worker));
  }
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  fail(foreman, second, theirs);
  expect(endedState(foreman, jobId)).toBe("cancelled");
});

test("one success ends the default's suspicion for good", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 100, { max_fails: { kind: "default" } });
  const assign = only(assignmentsIn(foreman.last));
  const queue = [...assignmentsIn(complete(foreman, worker, assign, { only: [0] }))];
  queue.push(...assignmentsIn(fail(foreman, worker, assign, { only: [1] })));
  endAll(foreman, worker, queue, "error");
  expect(foreman.state.ended.get(jobId)).toMatchObject({
    state: "failed",
    completed: 1,
    failed: 99,
  });
});

test("more failures than --max-fails allows cancel the rest", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 10, { max_fails: { kind: "count", count: 2 } });
  let assign = only(assignmentsIn(foreman.last));
  for (let i = 0; i < 2; i++) {
    const output = fail(foreman, worker, assign, {
      only: [indexesIn(assign)[0] as number],
      runUs: 2e6,
    });
    assign = assignmentsIn(output)[0] ?? assign;
  }
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  fail(foreman, worker, assign, { only: [indexesIn(assign)[0] as number] });
  expect(endedState(foreman, jobId)).toBe("cancelled");
});

test("a share of failures counts against all inputs", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 4, { max_fails: { kind: "percent", percent: 25 } });
  const assign = only(assignmentsIn(foreman.last));
  fail(foreman, worker, assign, { only: [0] });
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  fail(foreman, worker, assign, { only: [1] });
  expect(foreman.state.ended.get(jobId)).toMatchObject({
    state: "cancelled",
    failed: 2,
    cancelled: 2,
  });
});

test("a time-out that the worker does not enforce is enforced ten seconds later", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { timeout_seconds: 5 });
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign);
  passTime(foreman, 14_000, [worker]);
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  const output = passTime(foreman, 1_000, [worker])[0];
  if (!output) throw new Error("no time passed");
  expect(effectsOf(output, "cancelTasks")).toMatchObject([
    { bootId: worker.bootId, assignmentId: assign.assignmentId },
  ]);
  const [settled] = changesOf(output, "settled");
  expect(settled?.settlement.status).toBe("failed");
  const value = settled?.settlement.values.data ?? new Uint8Array();
  expect(decodeFailure(value).failure.code).toBe("timeout");
  expect(endedState(foreman, jobId)).toBe("failed");
  expect(foreman.state.sessions.get(worker.bootId)?.fencedSlots).toBe(1);
});

// Found by the simulator: results that lay in the socket of a suspended foreman were time-outs to it.
test("no time-out is the foreman's to end while the worker could not be heard", () => {
  for (const silence of ["line", "foreman"]) {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    const jobId = submit(foreman, 1, { timeout_seconds: 1 });
    const assign = only(assignmentsIn(foreman.last));
    start(foreman, worker, assign);
    if (silence === "line") passTime(foreman, 14_000, []);
    else foreman.wait(60_000);
    // The heartbeat overtakes what was said before it.
    beat(foreman, worker);
    complete(foreman, worker, assign);
    expect([silence, endedState(foreman, jobId)]).toEqual([silence, "completed"]);
  }
});

test("a time-out that is lifted in time ends nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { timeout_seconds: 5 });
  start(foreman, worker, only(assignmentsIn(foreman.last)));
  foreman.send({ type: "jobPatched", token: 1, jobId, patch: { timeout_seconds: null } });
  passTime(foreman, 30_000, [worker]);
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  foreman.send({ type: "jobPatched", token: 1, jobId, patch: { timeout_seconds: 1 } });
  passTime(foreman, 1_000, [worker]);
  expect(endedState(foreman, jobId)).toBe("failed");
});
