/** The overview: sums that agree with what was done, lists cut to their windows, reasons when nothing runs. */
import { describe, expect, test } from "bun:test";
import { createMemoryStore } from "../../../../../src/runtime/store/memory.ts";
import { anOffer } from "../../../../support/specs.ts";
import type { Rig } from "../../rig.ts";
import { commandSpec, createRig } from "../../rig.ts";
import {
  beat,
  completeNext,
  connectWorker,
  failTask,
  lookAtOverview,
  rigsOfTests,
  submit,
  WHOLE,
} from "./looking.ts";

const newRig = rigsOfTests();

test("an idle foreman shows nothing that it does not know", async () => {
  const rig = await newRig();
  const view = await lookAtOverview(rig);
  expect(view).toMatchObject({
    rate: { now: null, average: null, peak: null },
    queue: { depth: 0, running: 0, trend: null },
    eta_seconds: null,
    failed_percent: null,
    slots: { busy: 0, total: 0 },
    memory: { used_bytes: 0, total_bytes: 0 },
    run: { count: 0, p50: null },
    jobs: { total: 0, matching: 0, order: [], rows: {} },
    workers: { total: 0, order: [] },
    why: null,
  });
  expect(view.events.map(({ sentence }) => sentence)).toEqual([
    "the foreman started: 0 unfinished jobs",
  ]);
});

test("what was done is counted, charted and told", async () => {
  const rig = await newRig();
  const client = rig.connect();
  const worker = connectWorker(rig, "w1");
  beat(worker, 1, { cpu: 49.6, memory: 25, free_slots: 1, round_trip_us: 700 });
  await submit(client, [1, 2], { spec: commandSpec({ name: "two tasks" }) });
  await completeNext(worker, 1);
  await rig.pass(2_000);
  const view = await lookAtOverview(rig);
  expect(view.throughput.values.filter((value) => value !== null && value > 0)).toEqual([2]);
  expect(view).toMatchObject({
    failed_percent: 0,
    run: { count: 2, max: 0.001, max_task_id: "1/0" },
    slots: { busy: 0, total: 2 },
    memory: { used_bytes: 2e9, total_bytes: 8e9 },
    job_states: { completed: 1, running: 0 },
    worker_states: { up: 1, lost: 0 },
  });
  expect(view.jobs.rows["1"]).toMatchObject({
    name: "two tasks",
    state: "completed",
    tasks: { completed: 2 },
    retries: 0,
    why: null,
  });
  expect(view.workers.rows["w1"]).toMatchObject({
    state: "up",
    host: "h",
    cpu_percent: 50,
    memory_percent: 25,
    completed: 2,
    heartbeat_age_seconds: 2,
    tasks_per_second: 1,
    memory_bytes: 8e9,
  });
  expect(view.events.map(({ sentence }) => sentence).slice(0, 2)).toEqual([
    "job 1 completed: 2 tasks",
    'job 1 "two tasks" submitted by ann: 2 tasks',
  ]);
});

test("after a restart the newest events of before are there, and go on in their order", async () => {
  const store = createMemoryStore();
  const before = await createRig(store);
  const client = before.connect();
  for (let number = 1; number <= 230; number++) {
    await submit(client, [1], { submission_id: `s-${number}` });
  }
  await before.close();
  const after = await newRig(store);
  await submit(after.connect(), [1], { submission_id: "last" });
  const { events } = await lookAtOverview(after, { events: 200 });
  expect(events.slice(0, 4).map(({ kind, job_id }) => [kind, job_id])).toEqual([
    ["job_submitted", 231],
    ["foreman_started", null],
    ["foreman_stopped", null],
    ["job_submitted", 230],
  ]);
  expect(events).toHaveLength(200);
  const { seq: newest = 0 } = events[0] ?? {};
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, at) => newest - at));
  const stored = await store.readEvents({
    jobId: null,
    workerId: null,
    afterSeq: newest - 1,
    limit: 9,
  });
  expect(stored.map(({ seq, kind }) => [seq, kind])).toEqual([[newest, "job_submitted"]]);
});

describe("while work waits and nothing runs", () => {
  test("the overview and the job say why", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [1, 2, 3]);
    const view = await lookAtOverview(rig);
    expect(view.queue).toMatchObject({ depth: 3, running: 0 });
    expect(view.why?.code).toBe("no_workers");
    expect(view.jobs.rows["1"]?.why?.code).toBe("no_workers");
  });

  test("a job that is paused is named where nothing else could run", async () => {
    const rig = await newRig();
    const client = rig.connect();
    await submit(client, [1]);
    client.send({ type: "update_job", request: 2, job_id: 1, patch: { paused: true } });
    await client.next("job_status");
    expect((await lookAtOverview(rig)).why).toMatchObject({ code: "paused" });
  });
});

describe("the list of jobs", () => {
  async function withJobs(count: number): Promise<Rig> {
    const rig = await newRig();
    const client = rig.connect();
    for (let number = 1; number <= count; number++) {
      const spec = commandSpec({ name: `job ${number % 3}`, priority: number });
      await submit(client, [1], { submission_id: `s-${number}`, spec });
    }
    return rig;
  }

  const order = async (rig: Rig, window: Partial<typeof WHOLE>) =>
    (await lookAtOverview(rig, { jobs: { ...WHOLE, ...window } })).jobs;

  test("has the newest first, is sorted by what is asked for, and cut to its window", async () => {
    const rig = await withJobs(6);
    expect((await order(rig, {})).order).toEqual(["6", "5", "4", "3", "2", "1"]);
    expect((await order(rig, { reverse: true })).order).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect((await order(rig, { sort: "priority", rows: 2 })).order).toEqual(["6", "5"]);
    expect((await order(rig, { sort: "priority", reverse: true, rows: 2 })).order).toEqual([
      "1",
      "2",
    ]);
    expect((await order(rig, { sort: "name" })).order).toEqual(["6", "3", "4", "1", "5", "2"]);
    const window = await order(rig, { from: 4, rows: 3 });
    expect(window).toMatchObject({ total: 6, matching: 6, from: 3, order: ["3", "2", "1"] });
    expect(Object.keys(window.rows)).toHaveLength(3);
  });

  test("moves so that the row asked for is inside, and says where it is", async () => {
    const rig = await withJobs(9);
    expect(await order(rig, { anchor: "2", rows: 3 })).toMatchObject({ from: 0, anchor_at: 7 });
    const around = await order(rig, { anchor: "2", around: true, rows: 3 });
    expect(around).toMatchObject({ from: 6, anchor_at: 7, order: ["3", "2", "1"] });
    expect((await order(rig, { anchor: "99", around: true })).anchor_at).toBeNull();
  });

  test("shows what the filter lets through, and says what is wrong with a filter", async () => {
    const rig = await withJobs(6);
    expect(await order(rig, { filter: 'name:"job 1"' })).toMatchObject({
      total: 6,
      matching: 2,
      order: ["4", "1"],
    });
    expect((await order(rig, { filter: "priority>4 state:queued" })).order).toEqual(["6", "5"]);
    await expect(order(rig, { filter: "colour:red" })).rejects.toMatchObject({
      code: "bad_filter",
    });
  });
});

test("workers come by name as people count, and several on one machine have its memory once", async () => {
  const rig = await newRig();
  for (const name of ["w10", "w2", "__proto__"]) {
    const host = name === "w10" ? "other" : "h";
    const worker = connectWorker(rig, name, { offer: anOffer({ host, labels: { gpu: "a100" } }) });
    beat(worker, 1, { memory: 50 });
  }
  await rig.pass(500);
  const view = await lookAtOverview(rig);
  expect(view.workers.order).toEqual(["__proto__", "w2", "w10"]);
  expect(Object.keys(view.workers.rows)).toEqual(["__proto__", "w2", "w10"]);
  expect(view.memory).toEqual({ used_bytes: 8e9, total_bytes: 16e9 });
  const filtered = await lookAtOverview(rig, { workers: { ...WHOLE, filter: "host:other" } });
  expect(filtered.workers).toMatchObject({ total: 3, matching: 1, order: ["w10"] });
});

test("failures are told in the worker's past and in per cent of all", async () => {
  const rig = await newRig();
  const client = rig.connect();
  const worker = connectWorker(rig, "w1");
  await submit(client, [1]);
  const assigned = await worker.next("assign_task");
  await failTask(worker, assigned, 1, { index: 0, code: "exit_status" });
  await rig.pass(1_500);
  const view = await lookAtOverview(rig);
  expect(view.failed_percent).toBe(100);
  expect(view.job_states.failed).toBe(1);
  expect(view.events.slice(0, 2).map(({ sentence, weight }) => [sentence, weight])).toEqual([
    ["job 1 failed: 1 failed", "bad"],
    ["task 1/0 failed (exit_status x1) on w1", "bad"],
  ]);
});
