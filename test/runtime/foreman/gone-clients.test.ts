/** Clients that are gone before they are answered: what they said counts, and nothing waits for them. */
import { afterEach, expect, test } from "bun:test";
import { createSubscriptions } from "../../../src/runtime/foreman/clients/subscriptions.ts";
import { createReaders } from "../../../src/runtime/foreman/reading/readers.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { asJobId } from "../../../src/runtime/protocol/ids.ts";
import type { JobDetailView } from "../../../src/runtime/protocol/views.ts";
import { createMemoryStore } from "../../../src/runtime/store/memory.ts";
import type { CommitOutcome } from "../../../src/runtime/store/store.ts";
import type { Channel } from "../../../src/runtime/transport/channel.ts";
import { commandSpec, completion, createRig, type Rig, readyMessage, submission } from "./rig.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

/** A foreman whose commits wait while `held` is set. */
async function newRig() {
  const memory = createMemoryStore();
  const store = { held: null as Promise<void> | null };
  const rig = await createRig({
    ...memory,
    async commit(changes): Promise<CommitOutcome> {
      if (store.held !== null) await store.held;
      return memory.commit(changes);
    },
  });
  rigs.push(rig);
  return { rig, store };
}

async function submitAndLeave(overrides: Parameters<typeof submission>[1]): Promise<Rig> {
  const { rig, store } = await newRig();
  const { promise, resolve } = Promise.withResolvers<void>();
  store.held = promise;
  const client = rig.connect();
  client.send(submission([1, 2], overrides));
  await rig.pass(500);
  client.channel.close(1000, "gone");
  await rig.pass(500);
  store.held = null;
  resolve();
  return rig;
}

async function jobOf(rig: Rig): Promise<JobDetailView> {
  const client = rig.connect();
  const view = { kind: "job", job_id: 1 } as const;
  client.send({ type: "subscribe", request: 1, view, follow: false });
  return (await client.next("snapshot")).body as JobDetailView;
}

test("a job whose inputs were to follow is cancelled when its submitter left before it was accepted", async () => {
  const rig = await submitAndLeave({ close: false });
  await rig.pass(50_000);
  expect(await jobOf(rig)).toMatchObject({ state: "queued", inputs_open: true });
  await rig.pass(20_000);
  expect(await jobOf(rig)).toMatchObject({ state: "cancelled", inputs_open: false });
});

test("an attached job is cancelled when its submitter left before it was accepted", async () => {
  const rig = await submitAndLeave({ spec: commandSpec({ attached: true }) });
  await rig.pass(10_000);
  expect((await jobOf(rig)).state).toBe("cancelled");
});

test("a job that is all there stays when its submitter left before it was accepted", async () => {
  const rig = await submitAndLeave({});
  await rig.pass(120_000);
  expect((await jobOf(rig)).state).toBe("queued");
  expect(rig.foreman.followerCount()).toBe(0);
  expect(rig.foreman.state.read.size).toBe(0);
});

test("who has gone reads no job any more, so that it can be forgotten", () => {
  const told: unknown[] = [];
  const readers = createReaders((jobId, reading) => told.push([jobId, reading]));
  readers.begin({ isOpen: false } as Channel, asJobId(1));
  expect(told).toEqual([]);
});

test("a job whose inputs were to follow is cancelled when its submitter leaves later, too", async () => {
  const { rig } = await newRig();
  const client = rig.connect();
  client.send(submission([1], { close: false }));
  await client.next("job_accepted");
  client.channel.close(1000, "gone");
  await rig.pass(70_000);
  expect(await jobOf(rig)).toMatchObject({ state: "cancelled", inputs_open: false });
});

test("who submits for days on one connection is not remembered for jobs that are forgotten", async () => {
  const { rig } = await newRig();
  const client = rig.connect();
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  client.send(submission([1]));
  await client.next("job_accepted");
  worker.send(completion(await worker.next("assign_task"), 1));
  await worker.next("task_result_ack");
  expect(rig.foreman.followerCount()).toBe(1);
  client.send({ type: "remove_job", request: 2, job_id: 1 });
  await client.next("done");
  expect(rig.foreman.followerCount()).toBe(0);
});

test("a view that was still being built for who has gone is not followed", async () => {
  const clock = createManualClock();
  const channel = { isOpen: true, peer: { owner: "ann" }, send() {}, queuedBytes: () => 0 };
  let built = 0;
  const subscriptions = createSubscriptions(
    async () => {
      built++;
      channel.isOpen = false;
      subscriptions.drop(channel as unknown as Channel);
      return { body: [] };
    },
    () => 0,
    clock,
  );
  const message = { type: "subscribe", request: 1, view: { kind: "jobs" }, follow: true } as const;
  await subscriptions.open(channel as unknown as Channel, message as never);
  subscriptions.touch();
  clock.advance(10_000);
  expect(built).toBe(1);
  subscriptions.stop();
});
