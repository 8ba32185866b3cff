/** What of the logs goes by itself: of forgotten jobs all, over the quota of those that ended first. */
import { afterEach, expect, test } from "bun:test";
import type { MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import type { LogStore } from "../../../../src/runtime/store/logs/log-store.ts";
import { openLogsInMemory } from "../../../../src/runtime/store/logs/open-logs.ts";
import { createMemoryStore } from "../../../../src/runtime/store/memory.ts";
import {
  completion,
  createRig,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
} from "../rig.ts";
import { readLogs, taskLog, textOf } from "./log-messages.ts";

let rig: Rig | null = null;
afterEach(() => rig?.close());

interface World {
  readonly rig: Rig;
  readonly logs: LogStore;
  readonly client: TestPeer;
  readonly worker: TestPeer;
}

async function createWorld(quotaBytes: number | null): Promise<World> {
  const logs = await openLogsInMemory();
  rig = await createRig(createMemoryStore(), { store: logs, quotaBytes });
  const client = rig.connect();
  const worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  return { rig, logs, client, worker };
}

let logSeq = 0;
let reportSeq = 0;

/** A job of one task that prints so much, and ends unless told otherwise. */
async function run(world: World, bytes: number, ends = true): Promise<MessageOf<"assign_task">> {
  const { client, worker } = world;
  client.send(submission(["a"], { submission_id: `s-${logSeq}` }));
  await client.next("job_accepted");
  const assigned = await worker.next("assign_task");
  const pieces = Array.from({ length: bytes / 1_000 }, (_, i) => `${i}\n`.padStart(1_000, "."));
  worker.send(taskLog(assigned, ++logSeq, [{ index: 0, pieces }]));
  await world.rig.pass(1_000);
  await worker.next("task_log_ack");
  if (!ends) return assigned;
  worker.send(completion(assigned, ++reportSeq));
  await worker.next("task_result_ack");
  return assigned;
}

const keptOf = ({ logs }: World): number[] =>
  logs
    .jobs()
    .filter(({ byteCount }) => byteCount > 0)
    .map(({ jobId }) => jobId);

test("the log of a forgotten job goes, and what its worker says late does not come back", async () => {
  const world = await createWorld(null);
  reportSeq = 0;
  const assigned = await run(world, 10_000);
  await run(world, 10_000);
  world.client.send({ type: "remove_job", request: 3, job_id: assigned.job_id });
  await world.client.next("done");
  world.worker.send(
    taskLog(assigned, ++logSeq, [{ index: 0, firstByte: 10_000, pieces: ["late\n"] }]),
  );
  await world.rig.pass(3_000);
  expect(world.logs.jobs().map(({ jobId }) => jobId)).toEqual([2]);
});

test("logs of jobs that the foreman does not know any more go at its start", async () => {
  const logs = await openLogsInMemory();
  logs.write({
    rows: [],
    dropped: [],
    gaps: [],
    jobs: [{ jobId: 99, byteCount: 5, droppedBytes: 0 }],
  });
  rig = await createRig(createMemoryStore(), { store: logs, quotaBytes: null });
  await rig.pass(2_000);
  expect(logs.jobs()).toEqual([]);
});

test("over the quota the jobs that ended first give way, one that runs never", async () => {
  const world = await createWorld(1_000_000);
  reportSeq = 0;
  await run(world, 300_000);
  await run(world, 300_000);
  await run(world, 300_000);
  expect(keptOf(world)).toEqual([1, 2, 3]);
  await run(world, 300_000, false);
  await world.rig.pass(5_000);
  expect(keptOf(world)).toEqual([2, 3, 4]);
  const { client } = world;
  client.send(readLogs(1));
  const answer = await client.next("logs");
  expect([textOf(answer), answer.dropped_bytes]).toEqual([[], 300_000]);
  client.send({ type: "read_events", request: 5, after: 0, bytes_max: 100_000, wait: false });
  const { events } = await client.next("events");
  expect(events.find(({ kind }) => kind === "logs_removed")).toMatchObject({
    job_id: 1,
    bytes: 300_000,
  });
});

test("when only running jobs are left the quota holds all the same: more is dropped and said", async () => {
  const world = await createWorld(400_000);
  reportSeq = 0;
  const assigned = await run(world, 500_000, false);
  await world.rig.pass(5_000);
  const part = { index: 0, firstByte: 500_000, pieces: ["too much\n"] };
  world.worker.send(taskLog(assigned, ++logSeq, [part]));
  await world.rig.pass(2_000);
  world.client.send(readLogs(1, { direction: "backward", bytes_max: 100 }));
  const answer = await world.client.next("logs");
  expect(textOf(answer).join("")).not.toContain("too much");
  expect(answer.dropped_bytes).toBe(9);
});
