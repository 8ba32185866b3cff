/** The event log as readers see it: in pages, about one subject, from any number on, and when it grows. */
import { afterEach, expect, test } from "bun:test";
import { readEventsPage } from "../../../src/runtime/foreman/reading/events-reader.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { asJobId, asWorkerId } from "../../../src/runtime/protocol/ids.ts";
import type { MessageOf } from "../../../src/runtime/protocol/messages.ts";
import type { Change } from "../../../src/runtime/scheduler/foreman/changes.ts";
import { createMemoryStore } from "../../../src/runtime/store/memory.ts";
import { createRig, type Rig, readyMessage, submission } from "./rig.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function newRig(): Promise<Rig> {
  const rig = await createRig();
  rigs.push(rig);
  return rig;
}

const ask = (fields: Partial<MessageOf<"read_events">> = {}): MessageOf<"read_events"> => ({
  type: "read_events",
  request: 9,
  after: 0,
  bytes_max: 1_000_000,
  wait: false,
  ...fields,
});

function event(kind: string, body: object, about: { job?: number; worker?: string } = {}): Change {
  return {
    type: "eventRecorded",
    event: {
      atMs: 1_000,
      kind,
      jobId: about.job === undefined ? null : asJobId(about.job),
      index: null,
      workerId: about.worker === undefined ? null : asWorkerId(about.worker),
      body: JSON.stringify(body),
    },
  };
}

const seqsOf = (answer: MessageOf<"events">): number[] => answer.events.map(({ seq }) => seq);

test("pages follow each other without a gap, whatever fits into one", async () => {
  const store = createMemoryStore();
  const lines = Array.from({ length: 1_200 }, (_, at) => event("worker_left", { reason: `${at}` }));
  await store.commit(lines);
  const seen: number[] = [];
  let answerCount = 0;
  for (let after = 0; ; ) {
    const answer = await readEventsPage(
      { store, clock: systemClock },
      ask({ after, bytes_max: 20_000 }),
    );
    seen.push(...seqsOf(answer));
    after = answer.next_after;
    answerCount++;
    if (answer.end) break;
  }
  expect(seen).toEqual(lines.map((_, at) => at + 1));
  expect(answerCount).toBeGreaterThan(5);
  expect(
    seqsOf(await readEventsPage({ store, clock: systemClock }, ask({ bytes_max: 0 }))),
  ).toEqual([1]);
});

test("a task's story has the batches it was in, and what concerns its whole job", async () => {
  const store = createMemoryStore();
  await store.commit([
    event("job_submitted", { task_count: 9 }, { job: 1 }),
    event(
      "attempts_failed",
      {
        tasks: [
          [0, 3],
          [7, 7],
        ],
      },
      { job: 1 },
    ),
    event("tasks_failed", { tasks: [[4, 6]] }, { job: 1 }),
    event("attempts_lost", { tasks: [[0, 1]], tasks_left_out: 5 }, { job: 1 }),
    event("job_submitted", { task_count: 9 }, { job: 2 }),
  ]);
  const storyOf = async (index: number) =>
    seqsOf(await readEventsPage({ store, clock: systemClock }, ask({ job_id: 1, index })));
  expect(await storyOf(0)).toEqual([1, 2, 4]);
  expect(await storyOf(5)).toEqual([1, 3, 4]);
  expect(await storyOf(7)).toEqual([1, 2, 4]);
  const ofKind = await readEventsPage(
    { store, clock: systemClock },
    ask({ kinds: ["tasks_failed"] }),
  );
  expect(ofKind).toMatchObject({ next_after: 5, end: true });
  expect(seqsOf(ofKind)).toEqual([3]);
});

test("the oldest number that is kept is told, so that a reader knows of its gap", async () => {
  const store = createMemoryStore();
  await store.commit([event("a", {}, { job: 1 }), event("b", {}), event("c", {})]);
  expect(await readEventsPage({ store, clock: systemClock }, ask())).toMatchObject({
    oldest_seq: 2,
    last_seq: 3,
    next_after: 3,
  });
});

test("who waits is answered with the next event it asked for, and with no other", async () => {
  const rig = await newRig();
  const client = rig.connect();
  client.send(submission([1]));
  await client.next("job_accepted");
  client.send(ask({ after: 100, wait: true, request: 1 }));
  client.send(ask({ wait: true, request: 2, kinds: ["worker_connected"] }));
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  const answer = await client.next("events");
  expect(answer).toMatchObject({
    request: 2,
    events: [{ kind: "worker_connected", worker: "w1" }],
  });
  client.send(ask({ after: answer.next_after, wait: true, request: 3, worker_id: "w1" }));
  worker.send({ type: "goodbye", reason: "it was told to" });
  const left = await client.next("events");
  expect(left.request).toBe(3);
  expect(left.events).toMatchObject([{ kind: "worker_left", reason: "it was told to" }]);
});

test("who waits in vain is answered after half a minute, with its cursor moved on", async () => {
  const rig = await newRig();
  const client = rig.connect();
  client.send(ask({ wait: true, kinds: ["worker_lost"] }));
  await rig.pass(30_500);
  const answer = await client.next("events");
  expect(answer).toMatchObject({ events: [], end: true });
  expect(answer.next_after).toBeGreaterThan(0);
});

test("what does not exist is refused, and so is a hundred and first question at a time", async () => {
  const rig = await newRig();
  const client = rig.connect();
  client.send(ask({ job_id: 9 }));
  expect(await client.next("error")).toMatchObject({ code: "no_such_job" });
  client.send(submission([1]));
  const { job_id } = await client.next("job_accepted");
  client.send(ask({ job_id, index: 1 }));
  expect(await client.next("error")).toMatchObject({ code: "no_such_task" });
  client.send(ask({ worker_id: "nobody" }));
  expect(await client.next("error")).toMatchObject({ code: "no_such_worker" });
  for (let request = 1; request <= 101; request++) {
    client.send(ask({ after: 1_000, wait: true, request }));
  }
  expect(await client.next("error")).toMatchObject({ code: "too_many_readers" });
  const stranger = rig.connect({ scopes: [] });
  stranger.send(ask());
  expect(await stranger.next("error")).toMatchObject({ code: "forbidden" });
});

test("a worker that is turned away is told of once a minute, however often it tries", async () => {
  const rig = await newRig();
  const first = rig.connect({ role: "worker" });
  first.send(readyMessage("w1"));
  const client = rig.connect();
  client.send(ask({ wait: true, kinds: ["worker_connected"] }));
  await client.next("events");
  for (let tries = 0; tries < 3; tries++) {
    const other = rig.connect({ role: "worker" });
    const { offer } = readyMessage("w1");
    other.send(readyMessage("w1", { boot_id: "elsewhere", offer: { ...offer, host: "far" } }));
    expect(await other.next("error")).toMatchObject({ code: "worker_id_taken" });
  }
  client.send(ask({ wait: true, kinds: ["worker_refused"] }));
  expect((await client.next("events")).events).toMatchObject([
    { kind: "worker_refused", worker: "w1", code: "worker_id_taken" },
  ]);
});
