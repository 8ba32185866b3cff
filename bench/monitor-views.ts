/**
 * What it costs to look at a job of a million tasks: a whole foreman in memory, half of the job settled,
 * one task in fifty failed, some running. Run: `bun bench/monitor-views.ts`. `first` is a look at a foreman
 * that nobody has looked at yet; the others are the middle and the slowest of repeated looks, each with the
 * way through the codec and back. The second part is what the failures cost a commit.
 */
import { ValueColumnBuilder } from "../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../src/runtime/protocol/failure.ts";
import type { ListWindow, View } from "../src/runtime/protocol/messages/client.ts";
import type { MessageOf } from "../src/runtime/protocol/messages.ts";
import {
  createRig,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
} from "../test/runtime/foreman/rig.ts";
import { anOffer } from "../test/support/specs.ts";

const TASKS = 1_000_000;
const BATCH = 16_384;
const FAILED_EVERY = 50;
const LOOKS = 40;

const WINDOW: ListWindow = { sort: "", reverse: false, filter: "", from: 0, rows: 60 };

function inputs(first: number, count: number): MessageOf<"submit_job">["input"] {
  const builder = new ValueColumnBuilder();
  for (let at = 0; at < count; at++) {
    builder.pushValue(new TextEncoder().encode(`\u0001${first + at}`));
  }
  return builder.take() as MessageOf<"submit_job">["input"];
}

async function submitAll(client: TestPeer): Promise<void> {
  client.send({ ...submission([]), count: BATCH, input: inputs(0, BATCH), close: false });
  await client.next("job_accepted");
  for (let at = BATCH; at < TASKS; at += BATCH) {
    const count = Math.min(BATCH, TASKS - at);
    const fields = { request: 2, job_id: 1, first_index: at, count, input: inputs(at, count) };
    client.send({ type: "submit_tasks", ...fields });
    await client.next("tasks_accepted");
  }
  client.send({ type: "close_job", request: 3, job_id: 1, count: TASKS });
  await client.next("job_status");
}

/** Answers assignments until so many tasks are settled. @returns milliseconds spent. */
async function work(rig: Rig, worker: TestPeer, count: number): Promise<number> {
  const began = performance.now();
  let seq = 0;
  for (let settled = 0; settled < count; ) {
    const assigned = await worker.next("assign_task");
    const first = assigned.first_index ?? 0;
    const failed: number[] = [];
    const completed: number[] = [];
    for (let row = 0; row < assigned.count; row++) {
      const index = assigned.index instanceof Uint32Array ? assigned.index[row] : first + row;
      ((index ?? 0) % FAILED_EVERY === 7 ? failed : completed).push(index ?? 0);
    }
    for (const status of ["completed", "failed"] as const) {
      const indexes = status === "failed" ? failed : completed;
      if (indexes.length === 0) continue;
      worker.send(report(assigned, ++seq, status, indexes));
    }
    rig.clock.advance(5);
    settled += assigned.count;
    await worker.next("task_result_ack");
  }
  return performance.now() - began;
}

function report(
  assigned: MessageOf<"assign_task">,
  seq: number,
  status: "completed" | "failed",
  indexes: readonly number[],
): MessageOf<"task_result"> {
  const values = new ValueColumnBuilder();
  for (const index of indexes) {
    values.pushValue(
      status === "failed"
        ? encodeFailure({
            code: "error",
            message: `frame ${index} of ${index % 7} is broken`,
            stack: STACK,
          })
        : Uint8Array.of(1, 49),
    );
  }
  return {
    ...{ type: "task_result", seq, assignment: assigned.assignment, job_id: 1, status },
    ...{ index: Uint32Array.from(indexes), count: indexes.length, attempt: assigned.attempt },
    ...{ run_us: 400, ended_ago_us: 0, value: values.take() as MessageOf<"task_result">["value"] },
    ...(status === "failed" ? { code: indexes.map(() => "error") } : {}),
  };
}

const STACK = `Error: broken\n${"    at render (job.ts:12:5)\n".repeat(8)}`;

async function look(client: TestPeer, tasks: Partial<ListWindow>): Promise<number> {
  const view: View = {
    ...{ kind: "job_monitor", job_id: 1, window_seconds: 120, back_seconds: 0, cells: 500 },
    tasks: { ...WINDOW, ...tasks },
  };
  const began = performance.now();
  client.send({ type: "subscribe", request: 9, view, follow: false });
  await client.next("snapshot");
  return performance.now() - began;
}

async function show(name: string, client: TestPeer, tasks: Partial<ListWindow>): Promise<void> {
  const first = await look(client, tasks);
  const times: number[] = [];
  for (let at = 0; at < LOOKS; at++) times.push(await look(client, tasks));
  times.sort((a, b) => a - b);
  const figures = [first, times[LOOKS >> 1] ?? 0, times.at(-1) ?? 0].map((ms) => ms.toFixed(2));
  console.log(
    `${name.padEnd(44)} first ${figures[0]} ms, then p50 ${figures[1]} ms, max ${figures[2]} ms`,
  );
}

const WINDOWS: readonly (readonly [string, Partial<ListWindow>])[] = [
  ["first tasks", {}],
  ["the middle", { from: 300_000 }],
  ["failed ones", { filter: "state:failed" }],
  ["failed ones, from the end", { filter: "state:failed", reverse: true }],
  ["running ones by time", { filter: "state:running", sort: "time" }],
  ["around a task", { anchor: "1/654321", around: true }],
  ["no rows", { rows: 0 }],
  ["500 rows", { rows: 500 }],
  ["text filter: worker:w1", { filter: "worker:w1" }],
];

const rig = await createRig();
const client = rig.connect();
await submitAll(client);
const worker = rig.connect({ role: "worker" });
worker.send(readyMessage("w1", { offer: anOffer({ slots: 64 }) }));
const tookMs = await work(rig, worker, TASKS / 2);
const perTask = (tookMs * 1000) / (TASKS / 2);
console.log(`half a million tasks, one in ${FAILED_EVERY} failed: ${perTask.toFixed(2)} µs a task`);
for (const [name, tasks] of WINDOWS) await show(name, client, tasks);

const again = await createRig(rig.store);
console.log("after a restart of the foreman");
const other = again.connect();
await show("first tasks", other, {});
await again.close();
