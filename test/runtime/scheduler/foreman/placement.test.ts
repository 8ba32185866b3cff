/** Who gets what: matching, priorities, fairness, batches, amounts, company. */
import { expect, test } from "bun:test";
import type { JobId } from "../../../../src/runtime/protocol/ids.ts";
import { HELD_TASKS_MAX } from "../../../../src/runtime/scheduler/foreman/placement/credit.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  clear,
  complete,
  type EffectOf,
  type Foreman,
  indexesIn,
  someValues,
  submit,
  type TestWorker,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};
const countsByJob = (assigns: readonly Assign[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { jobId, count } of assigns) counts[jobId] = (counts[jobId] ?? 0) + count;
  return counts;
};

/** Runs `rounds` assignments in the order they came; returns what followed and was not run. */
function runSome(
  foreman: Foreman,
  worker: TestWorker,
  assigns: readonly Assign[],
  fields: { readonly rounds: number; readonly runUs: number },
): Assign[] {
  const queue = [...assigns];
  for (let i = 0; i < fields.rounds; i++) {
    const assign = queue.shift();
    if (!assign) return [];
    foreman.nowMs += 1;
    queue.push(...assignmentsIn(complete(foreman, worker, assign, { runUs: fields.runUs })));
  }
  return queue;
}

test("a task goes only where queue, role, labels and amounts match", () => {
  const foreman = aForeman();
  aWorker(foreman, "plain");
  const special = aWorker(foreman, "special", {
    queues: ["math.*", "!math.slow"],
    roles: ["solver"],
    labels: { zone: "a" },
    resources: { gpu: 1 },
  });
  const spec = { role: "solver", worker_labels: { zone: "a" }, resources: { gpu: 1 } };
  submit(foreman, 1, { ...spec, queue: "math.add" });
  expect(only(assignmentsIn(foreman.last)).bootId).toBe(special.bootId);
  for (const other of [
    { ...spec, queue: "math.slow" },
    { ...spec, queue: "math.sub", role: "painter" },
    { ...spec, queue: "math.sub", worker_labels: { zone: "b" } },
    { ...spec, queue: "math.sub", resources: { gpu: 2 } },
    { ...spec, queue: "math.sub", resources: { tpu: 1 } },
    { ...spec, queue: "math.sub", cpus: 3 },
    { ...spec, queue: "math.sub", memory_bytes: 2 ** 40 },
    { ...spec, queue: "math.sub", worker_labels: { constructor: "x" } },
  ]) {
    submit(foreman, 1, other);
    expect(assignmentsIn(foreman.last)).toEqual([]);
  }
});

test("a worker that is unwilling, paused or away gets nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const offer = { type: "offerChanged", bootId: worker.bootId, offer: worker.offer } as const;
  foreman.send({ ...offer, accepting: false, reason: "memory 91 % > 85 %" });
  submit(foreman, 1);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  foreman.send({ ...offer, accepting: true, reason: null });
  expect(assignmentsIn(foreman.last)).toEqual([]);
});

test("a long request goes only to workers with enough time left", () => {
  const foreman = aForeman();
  aWorker(foreman, "short", { time_left_ms: 60_000 });
  submit(foreman, 1, { time_request_seconds: 120 });
  expect(assignmentsIn(foreman.last)).toEqual([]);
  submit(foreman, 1, { time_request_seconds: 60 });
  expect(assignmentsIn(foreman.last).length).toBe(1);
  const long = aWorker(foreman, "long", { time_left_ms: 200_000 });
  expect(assignmentsIn(foreman.last).map(({ bootId }) => bootId)).toEqual([long.bootId]);
});

test("the larger priority goes first, and need not wait for what is assigned below it", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 100);
  const first = only(assignmentsIn(foreman.last));
  const urgent = submit(foreman, 3, { priority: 10 });
  expect(countsByJob(assignmentsIn(foreman.last))).toEqual({ [urgent]: 2 });
  const output = complete(foreman, worker, first, { only: [0], runUs: 5_000_000 });
  expect(countsByJob(assignmentsIn(output))).toEqual({});
});

test("two idle workers share a job", () => {
  const foreman = aForeman();
  aWorker(foreman, "w1");
  aWorker(foreman, "w2");
  submit(foreman, 3);
  expect(assignmentsIn(foreman.last).map(({ count }) => count)).toEqual([2, 1]);
});

test("workers of different size share what is left by their slots", () => {
  const foreman = aForeman();
  const small = aWorker(foreman, "small", { slots: 1 });
  const large = aWorker(foreman, "large", { slots: 3 });
  const jobId = submit(foreman, 400);
  const [first] = assignmentsIn(foreman.last, small);
  const [second] = assignmentsIn(foreman.last, large);
  if (!first || !second) throw new Error("both workers have something");
  const outputs = [complete(foreman, small, first, { runUs: 100 })];
  for (let i = 0; i < 6; i++) {
    for (const output of [...outputs]) {
      outputs.shift();
      for (const assign of assignmentsIn(output)) {
        const worker = assign.bootId === small.bootId ? small : large;
        if (i < 3) outputs.push(complete(foreman, worker, assign, { runUs: 100 }));
      }
    }
  }
  const held = (worker: TestWorker): number =>
    foreman.state.sessions.get(worker.bootId)?.heldTasks ?? 0;
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  expect(held(small) + held(large)).toBeGreaterThan(0);
  complete(foreman, large, second, { runUs: 100 });
  expect(held(large)).toBeGreaterThan(held(small));
});

test("a one-task job is not held up by a million-task job of equal priority", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 16_000);
  const queue = runSome(foreman, worker, assignmentsIn(foreman.last), { rounds: 12, runUs: 100 });
  expect(queue.length).toBeGreaterThan(0);
  const held = foreman.state.sessions.get(worker.bootId)?.heldTasks ?? 0;
  expect(held).toBeGreaterThan(500);
  const single = submit(foreman, 1);
  expect(countsByJob(assignmentsIn(foreman.last))).toEqual({ [single]: 1 });
});

test("where slots are taken for long the one-task job waits for the first free one anywhere", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 100);
  const assign = only(assignmentsIn(foreman.last));
  const single = submit(foreman, 1);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  const output = complete(foreman, worker, assign, { only: [0], runUs: 60_000_000 });
  expect(countsByJob(assignmentsIn(output))).toEqual({ [single]: 1 });
});

test("jobs of equal priority share slot time, whatever their tasks take", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const runUs: Record<number, number> = {};
  const slow = submit(foreman, 10_000);
  let queue = assignmentsIn(foreman.last);
  const fast = submit(foreman, 10_000);
  queue.push(...assignmentsIn(foreman.last));
  runUs[slow] = 20_000;
  runUs[fast] = 2_000;
  const servedUs: Record<number, number> = { [slow]: 0, [fast]: 0 };
  for (let i = 0; i < 400; i++) {
    const assign = queue.shift();
    if (!assign) throw new Error("nothing is assigned");
    const us = runUs[assign.jobId] ?? 0;
    servedUs[assign.jobId] = (servedUs[assign.jobId] ?? 0) + us * assign.count;
    foreman.nowMs += (us * assign.count) / 1_000;
    queue = [...queue, ...assignmentsIn(complete(foreman, worker, assign, { runUs: us }))];
    for (const session of foreman.state.sessions.values())
      session.leaseEndsAtMs = foreman.nowMs + 1e6;
  }
  const ratio = (servedUs[slow] ?? 0) / (servedUs[fast] ?? 1);
  expect(ratio).toBeGreaterThan(0.7);
  expect(ratio).toBeLessThan(1.4);
});

test("a job that was away does not claim the time it missed", () => {
  const foreman = aForeman();
  const early = submit(foreman, 5);
  foreman.send({ type: "jobPatched", token: 1, jobId: early, patch: { paused: true } });
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const busy = submit(foreman, 10_000);
  const queue = runSome(foreman, worker, assignmentsIn(foreman.last), {
    rounds: 50,
    runUs: 10_000,
  });
  expect(queue.length).toBeGreaterThan(0);
  const shareOf = (jobId: JobId): number => foreman.state.jobs.get(jobId)?.share.servedUs ?? 0;
  expect(shareOf(busy)).toBeGreaterThan(1_000_000);
  foreman.send({ type: "jobPatched", token: 1, jobId: early, patch: { paused: false } });
  expect(shareOf(early)).toBeGreaterThan(shareOf(busy) * 0.9);
});

test("long tasks do not queue at a worker, but for one", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 100);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0], runUs: 2_000_000 });
  const session = foreman.state.sessions.get(worker.bootId);
  expect(session?.heldTasks).toBe(3);
  complete(foreman, worker, assign, { only: [1], runUs: 60_000_000 });
  expect(foreman.state.jobs.get(jobId)?.pace.meanUs).toBeGreaterThan(2_000_000);
});

test("what a session holds is bounded, however short the tasks", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 64 });
  const jobId = submit(foreman, 16_384, {}, { close: false });
  let queue = assignmentsIn(foreman.last);
  for (let i = 1; i < 16; i++) {
    foreman.send({
      type: "tasksSubmitted",
      token: 1,
      jobId,
      firstIndex: i * 16_384,
      count: 16_384,
      values: someValues(16_384),
      inputCrc32: 0,
    });
    queue.push(...assignmentsIn(foreman.last));
  }
  queue = runSome(foreman, worker, queue, { rounds: 7, runUs: 1 });
  const held = foreman.state.sessions.get(worker.bootId)?.heldTasks ?? 0;
  expect(held).toBeGreaterThan(16_384);
  expect(held).toBeLessThanOrEqual(HELD_TASKS_MAX);
});

test("a worker's own queue size bounds what waits there, beside what its slots run", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 2, queue_size: 3 });
  submit(foreman, 10_000);
  let queue = assignmentsIn(foreman.last);
  for (let round = 0; round < 30; round++) {
    queue = runSome(foreman, worker, queue, { rounds: 1, runUs: 100 });
    const held = queue.reduce((sum, assign) => sum + assign.count, 0);
    expect(held).toBeLessThanOrEqual(5);
    expect(held).toBeGreaterThan(0);
  }
});

test("an assignment's inputs fit into one message", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0, {}, { close: false });
  const large = 5 * 1024 * 1024;
  for (let i = 0; i < 4; i++) {
    foreman.send({
      type: "tasksSubmitted",
      token: 1,
      jobId,
      firstIndex: i * 2,
      count: 2,
      values: { lengths: large, data: new Uint8Array(2 * large) },
      inputCrc32: 0,
    });
  }
  aWorker(foreman, "w1", { slots: 8 });
  const assigns = assignmentsIn(foreman.last);
  expect(assigns.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  expect(assigns.flatMap(indexesIn)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a worker works ahead also where large inputs bound what it holds", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 0, {}, { close: false });
  const bytes = 100_000;
  foreman.send({
    type: "tasksSubmitted",
    token: 1,
    jobId,
    firstIndex: 0,
    count: 160,
    values: { lengths: bytes, data: new Uint8Array(160 * bytes) },
    inputCrc32: 0,
  });
  runSome(foreman, worker, assignmentsIn(foreman.last), { rounds: 3, runUs: 200 });
  const held = foreman.state.sessions.get(worker.bootId)?.heldTasks ?? 0;
  expect(held).toBeGreaterThan(20);
  expect(held * bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
});

test("memory and amounts are reserved for what runs and not exceeded", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", {
    slots: 8,
    memory_bytes: 8 * 2 ** 30,
    resources: { gpu: 1 },
  });
  submit(foreman, 10, { memory_bytes: 3 * 2 ** 30 });
  const assign = only(assignmentsIn(foreman.last));
  expect(assign.count).toBe(2);
  submit(foreman, 10, { resources: { gpu: 0.25 } });
  expect(only(assignmentsIn(foreman.last)).count).toBe(4);
  const output = complete(foreman, worker, assign, { only: [0] });
  expect(countsByJob(assignmentsIn(output))).toEqual({ [assign.jobId]: 1 });
});

test("a cancelled task's amounts stay reserved until its processes are gone", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { resources: { gpu: 1 } });
  const jobId = submit(foreman, 1, { resources: { gpu: 1 } });
  const assign = only(assignmentsIn(foreman.last));
  foreman.send({
    type: "cancelRequested",
    token: 1,
    jobId,
    indexes: null,
    code: "cancelled",
    reason: "no",
  });
  const next = submit(foreman, 1, { resources: { gpu: 1 } });
  expect(assignmentsIn(foreman.last)).toEqual([]);
  const output = clear(foreman, worker, assign, [0]);
  expect(countsByJob(assignmentsIn(output))).toEqual({ [next]: 1 });
});

test("a task of many slots gets its worker emptied although small ones keep coming", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 4 });
  submit(foreman, 1_000);
  const queue = assignmentsIn(foreman.last);
  const wide = submit(foreman, 1, { cpus: 4 });
  const isPlaced = (): boolean => queue.some(({ jobId }) => jobId === wide);
  for (let i = 0; i < 12 && !isPlaced(); i++) {
    const assign = queue.shift();
    if (!assign) throw new Error("nothing is assigned");
    const [index, ...rest] = indexesIn(assign);
    const output = complete(foreman, worker, assign, {
      only: [index as number],
      runUs: 20_000_000,
    });
    if (rest.length > 0) {
      const left = { ...assign, indexes: Uint32Array.from(rest), count: rest.length };
      queue.unshift(left);
    }
    queue.push(...assignmentsIn(output));
  }
  expect(isPlaced()).toBe(true);
});

test("the assignment is durable before it is sent, with ids that grow", () => {
  const foreman = aForeman();
  aWorker(foreman);
  submit(foreman, 1);
  const [assigned] = changesOf(foreman.last, "assigned");
  const assign = only(assignmentsIn(foreman.last));
  expect(assigned?.assignment).toMatchObject({
    assignmentId: assign.assignmentId,
    bootId: assign.bootId,
    count: 1,
    indexes: { first: 0 },
    attempts: 1,
  });
  submit(foreman, 1);
  expect(only(assignmentsIn(foreman.last)).assignmentId).toBe((assign.assignmentId + 1) as never);
});

test("nothing waits at a worker while tasks of a higher priority are ready for it", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const normal = submit(foreman, 20);
  const queue = [...assignmentsIn(foreman.last)];
  const low = submit(foreman, 2, { priority: -10 });
  const order: JobId[] = [];
  for (let assign = queue.shift(); assign !== undefined; assign = queue.shift()) {
    for (let task = 0; task < assign.count; task++) order.push(assign.jobId);
    foreman.nowMs += 1;
    queue.push(...assignmentsIn(complete(foreman, worker, assign, { runUs: 5_000 })));
  }
  expect(order).toEqual([...Array(20).fill(normal), low, low]);
});
