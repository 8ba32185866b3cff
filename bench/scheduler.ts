/**
 * What the foreman's machine costs by itself: no store, no sockets. Run: `bun bench/scheduler.ts`.
 * Each line is one figure; the step times are those of the slowest and the middle event.
 */

import type { ValueColumn } from "../src/runtime/protocol/columns.ts";
import {
  asBootId,
  asJobId,
  asWorkerId,
  firstAssignmentOfEpoch,
} from "../src/runtime/protocol/ids.ts";
import type { JobSpec } from "../src/runtime/protocol/job-spec.ts";
import type { ForemanEffect, ForemanEvent } from "../src/runtime/scheduler/foreman/events.ts";
import {
  createForemanState,
  type ForemanState,
  step,
} from "../src/runtime/scheduler/foreman/machine.ts";
import { DEFAULT_FOREMAN_OPTIONS } from "../src/runtime/scheduler/foreman/machine-interface.ts";
import { anOffer, aSpec } from "../test/support/specs.ts";

const SPEC = aSpec({ name: "bench", max_fails: { kind: "default" } });

const OFFER = anOffer();

const SUBMIT_TASKS = 16_384;
type Assign = Extract<ForemanEffect, { type: "assignTasks" }>;

interface Rig {
  readonly state: ForemanState;
  readonly stepMs: number[];
  readonly seqs: Map<string, number>;
  nowMs: number;
  busyMs: number;
}

function createRig(): Rig {
  const state = createForemanState({
    ...DEFAULT_FOREMAN_OPTIONS,
    seed: 1,
    firstAssignmentId: firstAssignmentOfEpoch(1),
    onlyFollowed: false,
  });
  return { state, stepMs: [], seqs: new Map(), nowMs: 1_000, busyMs: 0 };
}

type Unstamped = ForemanEvent extends infer Event
  ? Event extends ForemanEvent
    ? Omit<Event, "atMs">
    : never
  : never;

function send(rig: Rig, event: Unstamped): Assign[] {
  const stamped = { ...event, atMs: rig.nowMs } as ForemanEvent;
  const began = performance.now();
  const { effects } = step(rig.state, stamped);
  const tookMs = performance.now() - began;
  rig.stepMs.push(tookMs);
  rig.busyMs += tookMs;
  return effects.filter((effect): effect is Assign => effect.type === "assignTasks");
}

const values = (count: number): ValueColumn => ({ lengths: 2, data: new Uint8Array(2 * count) });

function submit(rig: Rig, count: number, name: string, spec: Partial<JobSpec> = {}): Assign[] {
  const first = Math.min(count, SUBMIT_TASKS);
  const assigns = send(rig, {
    type: "jobSubmitted",
    token: 0,
    owner: "me",
    submissionId: name,
    resumable: false,
    spec: { ...SPEC, ...spec },
    count: first,
    values: values(first),
    inputCrc32: 0,
    close: first === count,
  });
  if (first === count) return assigns;
  const jobId = asJobId(rig.state.nextJobId - 1);
  for (let at = first; at < count; at += SUBMIT_TASKS) {
    const size = Math.min(SUBMIT_TASKS, count - at);
    assigns.push(
      ...send(rig, {
        type: "tasksSubmitted",
        token: 0,
        jobId,
        firstIndex: at,
        count: size,
        values: values(size),
        inputCrc32: 0,
      }),
    );
  }
  assigns.push(...send(rig, { type: "inputsClosed", token: 0, jobId, count }));
  return assigns;
}

function addWorker(rig: Rig, name: string): Assign[] {
  rig.seqs.set(name, 0);
  return send(rig, {
    type: "sessionReady",
    workerId: asWorkerId(name),
    bootId: asBootId(name),
    connectionSeq: 1,
    offer: OFFER,
    inventory: [],
  });
}

/** Reports assignments in pieces of `rows` until nothing is left; tasks took `runUs`. */
function run(rig: Rig, queue: Assign[], rows: number, runUs: number): number {
  let settled = 0;
  for (let assign = queue.shift(); assign; assign = queue.shift()) {
    const { indexes, attempts } = assign;
    for (let at = 0; at < assign.count; at += rows) {
      const count = Math.min(rows, assign.count - at);
      const seq = (rig.seqs.get(assign.bootId) ?? 0) + 1;
      rig.seqs.set(assign.bootId, seq);
      rig.nowMs += 0.01;
      queue.push(
        ...send(rig, {
          type: "attemptsReported",
          bootId: assign.bootId,
          seq,
          assignmentId: assign.assignmentId,
          jobId: assign.jobId,
          status: "completed",
          count,
          indexes:
            indexes instanceof Uint32Array
              ? indexes.subarray(at, at + count)
              : { first: indexes.first + at },
          attempts: typeof attempts === "number" ? attempts : attempts.subarray(at, at + count),
          runUs,
          codes: null,
          permanent: 0,
          values: values(count),
        }),
      );
      settled += count;
    }
  }
  return settled;
}

function show(name: string, rig: Rig, tasks: number): void {
  const sorted = [...rig.stepMs].sort((a, b) => a - b);
  const perTask = (rig.busyMs * 1000) / tasks;
  const middle = sorted[sorted.length >> 1] ?? 0;
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  console.log(
    `${name.padEnd(58)} ${perTask.toFixed(3)} µs a task, ${sorted.length} events: p50 ${middle.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, max ${(sorted.at(-1) ?? 0).toFixed(2)} ms`,
  );
}

function millionTasks(rows: number): void {
  const rig = createRig();
  const queue = addWorker(rig, "w1");
  queue.push(...submit(rig, 1_000_000, "million"));
  const settled = run(rig, queue, rows, 4);
  show(`1,000,000 no-op tasks, reports of ${rows} rows`, rig, settled);
}

function queuedMemory(): void {
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  const rig = createRig();
  submit(rig, 1_000_000, "queued");
  Bun.gc(true);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  const table = rig.state.jobs.get(asJobId(1))?.tasks;
  const bytes =
    (table?.state.byteLength ?? 0) +
    (table?.attempt.byteLength ?? 0) +
    (table?.seq.byteLength ?? 0);
  show("1,000,000 tasks submitted", rig, 1_000_000);
  console.log(
    `  their table ${(bytes / 2 ** 20).toFixed(1)} MiB; the process grew by ${grown.toFixed(1)} MiB`,
  );
}

function manyJobsAndWorkers(): void {
  const rig = createRig();
  const queue: Assign[] = [];
  for (let i = 0; i < 1_000; i++) queue.push(...submit(rig, 200, `job${i}`));
  for (let i = 0; i < 1_000; i++) queue.push(...addWorker(rig, `w${i}`));
  const settled = run(rig, queue, 16, 5_000);
  show("1,000 jobs of 200 tasks (5 ms) on 1,000 workers", rig, settled);
}

function manyJobsOneWorker(): void {
  const rig = createRig();
  const queue: Assign[] = [];
  for (let i = 0; i < 1_000; i++) queue.push(...submit(rig, 20, `job${i}`));
  queue.push(...addWorker(rig, "w1"));
  const settled = run(rig, queue, 16, 20_000);
  show("1,000 jobs of 20 tasks (20 ms) on 1 worker", rig, settled);
}

function oneByOne(): void {
  const rig = createRig();
  addWorker(rig, "w1");
  for (let i = 0; i < 2_000; i++) run(rig, submit(rig, 1, `single${i}`), 1, 100);
  show("2,000 jobs of one task, one after the other", rig, 2_000);
}

queuedMemory();
millionTasks(4_096);
millionTasks(256);
oneByOne();
manyJobsOneWorker();
manyJobsAndWorkers();
