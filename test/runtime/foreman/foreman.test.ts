import { afterEach, describe, expect, test } from "bun:test";
import { expandIndexes, valueAt } from "../../../src/runtime/protocol/columns.ts";
import type { MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { decodeValue } from "../../../src/runtime/protocol/value.ts";
import type { JobDetailView, JobView } from "../../../src/runtime/protocol/views.ts";
import { createMemoryStore } from "../../../src/runtime/store/memory.ts";
import {
  commandSpec,
  completion,
  createRig,
  OFFER,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
  valuesOf,
} from "./rig.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function newRig(...parts: Parameters<typeof createRig>): Promise<Rig> {
  const rig = await createRig(...parts);
  rigs.push(rig);
  return rig;
}

/** Completes assignments until so many tasks are done. */
async function work(worker: TestPeer, taskCount: number, firstSeq = 1): Promise<void> {
  let seq = firstSeq;
  for (let done = 0; done < taskCount; ) {
    const assigned = await worker.next("assign_task");
    worker.send(completion(assigned, seq++));
    done += assigned.count;
  }
}

async function readAll(client: TestPeer, jobId: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let after = 0, end = false; !end; ) {
    client.send({
      type: "read_results",
      request: 99,
      job_id: jobId,
      order: "index",
      after,
      bytes_max: 1_000_000,
      wait: true,
      skip_holes: false,
    });
    const page = await client.next("results");
    for (let row = 0; row < page.count; row++) values.push(decodeValue(valueAt(page.value, row)));
    after = page.next_after;
    end = page.end;
  }
  return values;
}

async function lookAtJob(client: TestPeer, jobId: number): Promise<JobDetailView> {
  client.send({
    type: "subscribe",
    request: 50,
    view: { kind: "job", job_id: jobId },
    follow: false,
  });
  const answer = await client.next("snapshot");
  return answer.body as JobDetailView;
}

describe("a job's way through the foreman", () => {
  test("is accepted, assigned, settled, and its results are read in input order", async () => {
    const rig = await newRig();
    const client = rig.connect();
    const inputs = Array.from({ length: 100 }, (_, i) => `input ${i}`);
    client.send(submission(inputs));
    const accepted = await client.next("job_accepted");
    expect(accepted).toMatchObject({ request: 1, job_id: 1, next_index: 100, existing: false });

    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    const [values] = await Promise.all([readAll(client, 1), work(worker, 100)]);
    expect(values).toEqual(inputs);
    expect((await lookAtJob(client, 1)).tasks).toMatchObject({
      total: 100,
      completed: 100,
      running: 0,
    });
  });

  test("inputs that come in batches are one sequence, and a resend is not counted twice", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a"], { close: false }));
    await client.next("job_accepted");
    const batch = (firstIndex: number, values: string[], request: number) =>
      client.send({
        type: "submit_tasks",
        request,
        job_id: 1,
        first_index: firstIndex,
        count: values.length,
        input: valuesOf(values),
      });
    batch(1, ["b", "c"], 2);
    expect(await client.next("tasks_accepted")).toMatchObject({ request: 2, next_index: 3 });
    batch(1, ["b", "c"], 3);
    expect(await client.next("tasks_accepted")).toMatchObject({ request: 3, next_index: 3 });
    batch(2, ["c", "d"], 4);
    expect(await client.next("tasks_accepted")).toMatchObject({ request: 4, next_index: 4 });
    batch(9, ["x"], 5);
    expect(await client.next("error")).toMatchObject({ request: 5, code: "input_gap" });
    client.send({ type: "close_job", request: 6, job_id: 1, count: 4 });
    await client.next("job_status");

    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    const [values] = await Promise.all([readAll(client, 1), work(worker, 4)]);
    expect(values).toEqual(["a", "b", "c", "d"]);
  });

  test("the same submission id is the same job, and another job under it is refused", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a", "b"]));
    await client.next("job_accepted");
    client.send(submission(["a", "b"], { request: 2 }));
    expect(await client.next("job_accepted")).toMatchObject({
      job_id: 1,
      existing: true,
      next_index: 2,
    });
    client.send(submission(["a"], { request: 3, spec: commandSpec({ priority: 5 }) }));
    expect(await client.next("error")).toMatchObject({ request: 3, code: "idempotency_conflict" });
  });

  test("results that were waited for go out when they settle", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["only"]));
    await client.next("job_accepted");
    const values = readAll(client, 1);
    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    await work(worker, 1);
    expect(await values).toEqual(["only"]);
  });
});

describe("workers at the door", () => {
  test("the first assignment brings the job's spec, later ones do not repeat it", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a", "b", "c", "d", "e", "f", "g", "h"]));
    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    const first = await worker.next("assign_task");
    expect(first.spec).toMatchObject({ name: "test" });
    worker.send(completion(first, 1));
    expect(await worker.next("task_result_ack")).toMatchObject({ seq: 1 });
    expect((await worker.next("assign_task")).spec).toBeUndefined();
  });

  test("an id that lives on another machine is refused with a hint", async () => {
    const rig = await newRig();
    rig.connect({ role: "worker" }).send(readyMessage("w1"));
    const other = rig.connect({ role: "worker" });
    other.send(
      readyMessage("w1", { boot_id: "another-boot", offer: { ...OFFER, host: "elsewhere" } }),
    );
    expect(await other.next("error")).toMatchObject({ code: "worker_id_taken" });
    expect(await other.closed).toContain('"w1" is held');
  });

  test("a result under an assignment that is not the worker's is stale and changes nothing", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a"]));
    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    const assigned = await worker.next("assign_task");
    const thief = rig.connect({ role: "worker" });
    thief.send(readyMessage("w2"));
    thief.send(completion(assigned, 1));
    const { stale } = await thief.next("task_result_ack");
    expect(stale?.map((held) => held.assignment)).toEqual([assigned.assignment]);
    expect((await lookAtJob(client, 1)).tasks.completed).toBe(0);
  });

  test("a worker that leaves in order hands its tasks to another with the same attempt number", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a"]));
    const first = rig.connect({ role: "worker" });
    first.send(readyMessage("w1"));
    const before = await first.next("assign_task");
    first.send({ type: "announce", offer: OFFER, accepting: false, reason: "drain" });
    first.send({
      type: "tasks_returned",
      seq: 1,
      assignment: before.assignment,
      index: Uint32Array.from([0]),
      reason: "drain",
    });
    first.send({ type: "goodbye", reason: "stopped" });
    const second = rig.connect({ role: "worker" });
    second.send(readyMessage("w2"));
    const after = await second.next("assign_task");
    expect(expandIndexes({ first: after.first_index ?? 0 }, after.count)).toEqual(
      Uint32Array.from([0]),
    );
    expect([before.attempt, after.attempt]).toEqual([1, 1]);
  });
});

describe("rights", () => {
  const cases: [
    string,
    MessageOf<"cancel_job"> | MessageOf<"shutdown"> | MessageOf<"submit_job">,
  ][] = [
    ["submit", submission(["a"])],
    ["cancel", { type: "cancel_job", request: 1, job_id: 1 }],
    ["shut down", { type: "shutdown", request: 1, force: true }],
  ];
  test.each(cases)("a key that may only look may not %s", async (_, message) => {
    const rig = await newRig();
    const viewer = rig.connect({ scopes: ["view"] });
    viewer.send(message);
    expect(await viewer.next("error")).toMatchObject({ request: 1, code: "forbidden" });
  });

  test("a submitter does not steer somebody else's job", async () => {
    const rig = await newRig();
    const ann = rig.connect({ owner: "ann" });
    ann.send(submission(["a"]));
    await ann.next("job_accepted");
    const bob = rig.connect({ owner: "bob" });
    bob.send({ type: "cancel_job", request: 4, job_id: 1 });
    expect(await bob.next("error")).toMatchObject({ request: 4, code: "forbidden" });
  });
});

describe("after a restart", () => {
  test("jobs go on where they stood, and ended ones can be read", async () => {
    const rig = await newRig();
    const client = rig.connect();
    client.send(submission(["a", "b"]));
    client.send(submission(["c"], { submission_id: "s-2", request: 2 }));
    await client.next("job_accepted");
    await client.next("job_accepted");
    const worker = rig.connect({ role: "worker" });
    worker.send(readyMessage("w1"));
    await work(worker, 3);
    await readAll(client, 2);
    client.send(submission(["x", "y"], { submission_id: "s-3", request: 3 }));
    await client.next("job_accepted");
    await rig.close();
    rigs.length = 0;

    const again = await newRig(rig.store.reopen());
    const later = again.connect();
    expect(await readAll(later, 1)).toEqual(["a", "b"]);
    // The worker that held them does not come back: its session had a full lease.
    await again.pass(16_000);
    const next = again.connect({ role: "worker" });
    next.send(readyMessage("w9"));
    const [values] = await Promise.all([readAll(later, 3), work(next, 2)]);
    expect(values).toEqual(["x", "y"]);
    later.send({ type: "subscribe", request: 7, view: { kind: "jobs", limit: 0 }, follow: false });
    const { rows } = (await later.next("snapshot")).body as { rows: JobView[] };
    expect(rows.map((job) => [job.job_id, job.state])).toEqual([
      [3, "completed"],
      [2, "completed"],
      [1, "completed"],
    ]);
  });
});

// Found by the simulator: the cursor went past a settlement whose commit was still being tried.
test("a reader loses no result that is not committed when it reads", async () => {
  const store = createMemoryStore();
  let isBusy = false;
  const commit = store.commit.bind(store);
  store.commit = async (changes) => (isBusy ? "busy" : await commit(changes));
  const rig = await newRig(store);
  const client = rig.connect();
  client.send(submission([1], { close: false }));
  const { job_id: jobId } = await client.next("job_accepted");
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  const assigned = await worker.next("assign_task");
  const read = (after: number): void =>
    client.send({
      type: "read_results",
      request: 1,
      job_id: jobId,
      order: "settled",
      after,
      bytes_max: 1_000_000,
      wait: false,
      skip_holes: false,
    });
  isBusy = true;
  worker.send(completion(assigned, 1));
  await rig.pass(500);
  read(0);
  const before = await client.next("results");
  expect([before.count, before.end, before.finished]).toEqual([0, true, false]);
  isBusy = false;
  await rig.pass(500);
  read(before.next_after);
  const after = await client.next("results");
  expect([after.count, after.end, after.finished]).toEqual([1, true, false]);
});
