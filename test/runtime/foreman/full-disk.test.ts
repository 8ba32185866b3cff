/** A foreman whose disk fills up and empties again, over a memory store with a disk of the test's. */
import { afterEach, expect, test } from "bun:test";
import { asJobId } from "../../../src/runtime/protocol/ids.ts";
import type { WhyView } from "../../../src/runtime/protocol/views.ts";
import { createMemoryStore } from "../../../src/runtime/store/memory.ts";
import type { StoreSpace } from "../../../src/runtime/store/reserve.ts";
import type { CommitOutcome } from "../../../src/runtime/store/store.ts";
import {
  completion,
  createRig,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
  valuesOf,
} from "./rig.ts";

const MIB = 1024 ** 2;
const RESERVE_BYTES = 4 * MIB;

interface Disk extends StoreSpace {
  /** What others leave free. */
  free: number;
  hasReserve: boolean;
  /** How often the reserve was given up. */
  releaseCount: number;
}

function createDisk(free: number): Disk {
  return {
    folder: "/store",
    free,
    hasReserve: false,
    releaseCount: 0,
    freeBytes() {
      return this.free;
    },
    releaseReserve() {
      if (!this.hasReserve) return false;
      this.hasReserve = false;
      this.releaseCount++;
      this.free += RESERVE_BYTES;
      return true;
    },
    restoreReserve() {
      if (this.hasReserve) return this.free >= RESERVE_BYTES;
      if (this.free < 2 * RESERVE_BYTES) return false;
      this.hasReserve = true;
      this.free -= RESERVE_BYTES;
      return true;
    },
  };
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

/** Commits have room while a byte is free. */
async function newRig(disk: Disk): Promise<Rig> {
  const memory = createMemoryStore();
  const rig = await createRig({
    ...memory,
    space: disk,
    commit: async (changes): Promise<CommitOutcome> =>
      disk.free > 0 ? memory.commit(changes) : "full",
  });
  rigs.push(rig);
  return rig;
}

async function why(client: TestPeer, jobId: number): Promise<WhyView> {
  const view = { kind: "why", job_id: jobId } as const;
  client.send({ type: "subscribe", request: 50, view, follow: false });
  return (await client.next("snapshot")).body as WhyView;
}

async function kinds(client: TestPeer): Promise<string[]> {
  client.send({ type: "read_events", request: 60, after: 0, bytes_max: 100_000, wait: false });
  return (await client.next("events")).events.map(({ kind }) => kind);
}

test("a full disk takes results, and neither new work nor a retry until it has room", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  expect(disk.hasReserve).toBe(true);
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  const client = rig.connect();
  client.send(submission([1]));
  await client.next("job_accepted");
  const running = await worker.next("assign_task");
  disk.free = 0;

  // A result meets the full disk: the reserve serves it, and the worker hears that it is recorded.
  worker.send(completion(running, 1));
  await worker.next("task_result_ack");
  expect(disk.hasReserve).toBe(false);
  client.send(submission([2], { submission_id: "s-2", request: 2 }));
  const refusal = await client.next("error");
  expect(refusal).toMatchObject({ request: 2, code: "storage_full", retryable: true });
  expect(refusal.message).toContain("/store");
  expect(refusal.hint).toContain("df -h /store");

  // What is known already is no new work, and a retry is.
  client.send(submission([1], { request: 3 }));
  expect(await client.next("job_accepted")).toMatchObject({ request: 3, existing: true });
  client.send({ type: "retry_job", request: 4, job_id: 1, all: true });
  expect(await client.next("error")).toMatchObject({ request: 4, code: "storage_full" });

  // Room again: without a restart, and with the reserve first.
  disk.free = 100 * MIB;
  await rig.pass(1_500);
  expect(disk.hasReserve).toBe(true);
  client.send(submission([2], { submission_id: "s-2", request: 5 }));
  expect(await client.next("job_accepted")).toMatchObject({ request: 5, existing: false });
  await worker.next("assign_task");
  const story = await kinds(client);
  expect(story.filter((kind) => kind.startsWith("storage"))).toEqual([
    "storage_full",
    "storage_recovered",
  ]);
});

test("the reserve is begun a second after the start and made bit by bit, while jobs come in", async () => {
  let calls = 0;
  const disk = Object.assign(createDisk(100 * MIB), {
    restoreReserve: () => (++calls < 6 ? "more" : true) as boolean | "more",
  });
  const rig = await newRig(disk);
  const client = rig.connect();
  await rig.pass(500);
  expect(calls).toBe(1);
  client.send(submission([1]));
  await client.next("job_accepted");
  await rig.pass(1_000);
  expect(calls).toBe(6);
  await rig.pass(60_000);
  expect(calls).toBe(6);
  expect(await kinds(client)).not.toContain("storage_full");
});

test("queued tasks wait for room, can be cancelled meanwhile, and `why` names the disk", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  const client = rig.connect();
  client.send(submission([1, 2, 3]));
  await client.next("job_accepted");
  disk.free = 0;
  client.send({ type: "update_job", request: 2, job_id: 1, patch: { note: "n" } });
  await client.next("job_status");
  expect(disk.releaseCount).toBe(1);
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  await rig.pass(2_000);
  expect(await why(client, 1)).toEqual({
    code: "storage_full",
    sentence: "The foreman's disk is full (/store): nothing new starts until there is room.",
    hint: "df -h /store",
  });
  client.send({ type: "cancel_job", request: 3, job_id: 1, index: Uint32Array.of(2) });
  expect(await client.next("job_status")).toMatchObject({ request: 3, affected: 1 });
  disk.free = 100 * MIB;
  const assigned = worker.next("assign_task");
  await rig.pass(2_000);
  expect((await assigned).count).toBeGreaterThan(0);
});

test("work that would not fit is refused while the reserve is still whole", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  const client = rig.connect();
  disk.free = 3 * MIB;
  await rig.pass(500);
  client.send(submission(["x".repeat(2 * MIB)]));
  expect(await client.next("error")).toMatchObject({ request: 1, code: "storage_full" });
  // A small one still fits: the disk is not full.
  client.send(submission([1], { request: 2 }));
  expect(await client.next("job_accepted")).toMatchObject({ request: 2, job_id: 1 });
  expect(disk.releaseCount).toBe(0);
});

test("inputs that are refused on the way are taken later from where the foreman stands", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  const client = rig.connect();
  client.send(submission([0, 1], { close: false }));
  await client.next("job_accepted");
  const batch = (request: number, inputs: readonly number[]) =>
    client.send({
      type: "submit_tasks",
      request,
      job_id: 1,
      first_index: 2,
      count: inputs.length,
      input: valuesOf(inputs),
    });
  disk.free = 1;
  await rig.pass(500);
  batch(2, [2, 3]);
  expect(await client.next("error")).toMatchObject({ request: 2, code: "storage_full" });
  disk.free = 100 * MIB;
  await rig.pass(1_500);
  batch(3, [2, 3, 4]);
  expect(await client.next("tasks_accepted")).toMatchObject({ request: 3, next_index: 5 });
  client.send(submission([0, 1, 2, 3, 4], { request: 4 }));
  const known = await client.next("job_accepted");
  const whole = rig.connect();
  whole.send(submission([0, 1, 2, 3, 4], { request: 5, submission_id: "s-2" }));
  expect(known.input_crc32).toBe((await whole.next("job_accepted")).input_crc32);
});

test("with even the reserve used up nothing is acknowledged, and all of it is once there is room", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  const client = rig.connect();
  client.send(submission([1]));
  const running = await worker.next("assign_task");
  disk.hasReserve = false;
  disk.free = 0;
  worker.send(completion(running, 1));
  let isAcknowledged = false;
  const acknowledged = worker.next("task_result_ack").then(() => {
    isAcknowledged = true;
  });
  await rig.pass(3_000);
  expect(isAcknowledged).toBe(false);
  // New work is answered meanwhile, though a commit waits.
  client.send(submission([2], { submission_id: "s-2", request: 2 }));
  expect(await client.next("error")).toMatchObject({ request: 2, code: "storage_full" });
  disk.free = 100 * MIB;
  await rig.pass(2_000);
  await acknowledged;
  expect((await rig.store.readJob(asJobId(running.job_id)))?.completed).toBe(1);
});

test("a long hold keeps one beat a worker, and loses nobody", async () => {
  const disk = createDisk(100 * MIB);
  const rig = await newRig(disk);
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  const client = rig.connect();
  client.send(submission([1]));
  const running = await worker.next("assign_task");
  Object.assign(disk, { hasReserve: false, free: 0 });
  worker.send(completion(running, 1));
  for (let beat = 1; beat <= 40; beat++) {
    worker.send({
      type: "heartbeat",
      connection_seq: 1,
      beat,
      running: [],
      free_slots: 1,
      cpu: 1,
      memory: 1,
    });
    // Answered at once, so that the worker does not take us for gone.
    expect(await worker.next("heartbeat_echo")).toMatchObject({ beat });
    await rig.pass(1_000);
  }
  disk.free = 100 * MIB;
  await rig.pass(2_000);
  await worker.next("task_result_ack");
  client.send({ type: "read_events", request: 60, after: 0, bytes_max: 100_000, wait: false });
  const kinds = (await client.next("events")).events.map(({ kind }) => kind);
  expect(kinds).not.toContain("worker_lost");
});
