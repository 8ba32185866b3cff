/** One worker on a screen: load over time, lanes as it tells them, what runs, what failed; bounded and fenced. */
import { describe, expect, test } from "bun:test";
import { createWorkerActivity } from "../../../../../src/runtime/foreman/views/monitor/worker-activity.ts";
import { createWorkerHistory } from "../../../../../src/runtime/foreman/views/monitor/worker-history.ts";
import { ValueColumnBuilder } from "../../../../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../../../../src/runtime/protocol/failure.ts";
import { asBootId, asJobId, asWorkerId } from "../../../../../src/runtime/protocol/ids.ts";
import type { ListWindow } from "../../../../../src/runtime/protocol/messages/client.ts";
import type { Message, MessageOf } from "../../../../../src/runtime/protocol/messages.ts";
import type { WorkerMonitorView } from "../../../../../src/runtime/protocol/monitor-views.ts";
import type { Change } from "../../../../../src/runtime/scheduler/foreman/changes.ts";
import { anOffer, commandWork } from "../../../../support/specs.ts";

import { commandSpec, type Rig } from "../../rig.ts";
import { beat, connectWorker, look, rigsOfTests, submit, WHOLE } from "./looking.ts";

const newRig = rigsOfTests();

const lookAtWorker = (rig: Rig, workerId: string, tasks: Partial<ListWindow> = {}) =>
  look<WorkerMonitorView>(rig, {
    kind: "worker_monitor",
    worker_id: workerId,
    window_seconds: 120,
    back_seconds: 0,
    tasks: { ...WHOLE, ...tasks },
  });

const TELLING = anOffer({ slots: 2, features: ["activity"] });

/** Two slots; `lanes` as texts: `.` idle, `!` a failure, a digit the job of that number. */
function activity(
  lanes: readonly [string, string],
  tasks: MessageOf<"activity">["tasks"] = [],
): MessageOf<"activity"> {
  const jobs = [...new Set(lanes.join("").replace(/[.!]/g, ""))].map(Number);
  const bytes = [...lanes.join("")].map((mark) =>
    mark === "." ? 0 : mark === "!" ? 1 : 2 + jobs.indexOf(Number(mark)),
  );
  const seconds = lanes[0].length;
  return { type: "activity", slots: 2, seconds, lanes: Uint8Array.from(bytes), jobs, tasks };
}

const running = (
  slot: number,
  index: number,
  fields: Partial<MessageOf<"activity">["tasks"][number]> = {},
): MessageOf<"activity">["tasks"][number] => ({
  slot,
  job_id: 1,
  index,
  attempt: 1,
  running_ms: 12_345,
  cpu_percent: null,
  memory_bytes: null,
  ...fields,
});

describe("a worker that can tell", () => {
  test("is asked when somebody looks, and shows its lanes and what runs", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [1, 2], {
      spec: commandSpec({ name: "frames", work: commandWork(["blender", "{}"]) }),
    });
    const worker = connectWorker(rig, "w1", { offer: TELLING });
    await worker.next("assign_task");
    beat(worker, 1, { cpu: 80, memory: 40, free_slots: 1, round_trip_us: 350 });
    expect(await lookAtWorker(rig, "w1")).toMatchObject({ lanes: [], round_trip_ms: 0.35 });
    expect((await worker.next("observe")).seconds).toBeGreaterThan(5);
    const tasks = [
      running(2, 1, { cpu_percent: 99.4, memory_bytes: 123_456_789 }),
      running(1, 0, { running_ms: 400 }),
    ];
    worker.send(activity(["11.", "!11"], tasks));
    worker.send(activity(["1", "."], tasks));
    const view = await lookAtWorker(rig, "w1");
    expect(view.lanes).toEqual([
      { slot: 1, lane: "aa.a" },
      { slot: 2, lane: "!aa." },
    ]);
    expect(view.lane_jobs).toEqual({ a: { job_id: 1, name: "frames" } });
    expect(view.tasks.order).toEqual(["1/0", "1/1"]);
    expect(view.tasks.rows["1/1"]).toEqual({
      slot: 2,
      job_id: 1,
      task_id: "1/1",
      attempt: 1,
      running_seconds: 12,
      cpu_percent: 99,
      memory_bytes: 123_000_000,
      what: "blender {}",
    });
    expect(view.cpu.values.at(-1)).toBe(80);
    expect(view.busy.values.at(-1)).toBe(1);
    expect(view.why).toBeNull();
    expect((await lookAtWorker(rig, "w1", { sort: "time" })).tasks.order).toEqual(["1/1", "1/0"]);
    const busy = await lookAtWorker(rig, "w1", { filter: "cpu>50" });
    expect(busy.tasks).toMatchObject({ total: 2, matching: 1, order: ["1/1"] });
  });

  test("is not asked again each time, but again and again while somebody looks on", async () => {
    const rig = await newRig();
    const worker = connectWorker(rig, "w1", { offer: TELLING });
    await rig.pass(500);
    let askedCount = 0;
    const countAsked = (): void => {
      void worker.next("observe").then(() => {
        askedCount++;
        countAsked();
      });
    };
    countAsked();
    for (let second = 0; second < 12; second++) {
      beat(worker, second + 1);
      await lookAtWorker(rig, "w1");
      await rig.pass(1_000);
    }
    expect(askedCount).toBe(3);
  });
});

test("an older worker is left in peace, and shows what it has reported as started", async () => {
  const rig = await newRig();
  await submit(rig.connect(), [1]);
  const worker = connectWorker(rig, "w1");
  const { assignment } = await worker.next("assign_task");
  const index = Uint32Array.of(0);
  worker.send({ type: "task_started", seq: 1, assignment, index, running_us: 60_000 });
  await worker.next("task_result_ack");
  const heard: Message["type"][] = [];
  void worker.next("observe").then(({ type }) => heard.push(type));
  const view = await lookAtWorker(rig, "w1");
  await rig.pass(2_000);
  expect(heard).toEqual([]);
  expect(view).toMatchObject({ lanes: [], lane_jobs: {} });
  expect(view.tasks.rows["1/0"]).toMatchObject({ slot: 0, attempt: 1, cpu_percent: null });
});

test("there is no screen of a worker that nobody knows", async () => {
  const rig = await newRig();
  await expect(lookAtWorker(rig, "w9")).rejects.toMatchObject({ code: "no_such_worker" });
});

describe("what a worker tells", () => {
  const w1 = asWorkerId("w1");
  const boot = asBootId("boot-1");

  function newActivity() {
    let nowMs = 100_000;
    const asked: string[] = [];
    const told = createWorkerActivity({
      nowMs: () => nowMs,
      observe: (workerId) => void asked.push(workerId),
    });
    const lanes = (of = boot) =>
      told
        .of(w1, of)
        ?.lanes(String)
        .lanes.map(({ lane }) => lane);
    return { told, asked, lanes, pass: (ms: number) => (nowMs += ms) };
  }

  test("counts for the boot that told it, and only while somebody looks", () => {
    const { told, lanes, pass } = newActivity();
    told.onActivity(w1, boot, activity(["1", "1"]));
    expect(lanes()).toBeUndefined();
    told.watch(w1);
    told.onActivity(w1, boot, activity(["1", "1"]));
    expect(lanes()).toEqual(["a", "a"]);
    expect(lanes(asBootId("boot-2"))).toBeUndefined();
    pass(6_000);
    expect(lanes()).toBeUndefined();
    pass(30_000);
    told.watch(asWorkerId("w2"));
    told.onActivity(w1, boot, activity(["1", "1"]));
    expect(lanes()).toBeUndefined();
  });

  test("is the last two minutes, whatever it sends", () => {
    const { told, lanes } = newActivity();
    told.watch(w1);
    for (let minute = 0; minute < 5; minute++) {
      told.onActivity(w1, boot, activity(["1".repeat(60), ".".repeat(60)]));
    }
    expect(lanes()?.map((lane) => lane.length)).toEqual([120, 120]);
    told.onActivity(w1, boot, activity(["!", "2"]));
    expect(lanes()?.map((lane) => lane.slice(-2))).toEqual(["a!", ".b"]);
  });

  test("is shown of as many slots as a screen could have rows for", () => {
    const { told, lanes } = newActivity();
    told.watch(w1);
    const slots = 4_096;
    const bytes = new Uint8Array(slots).fill(2);
    told.onActivity(w1, boot, { ...activity(["1", "1"]), slots, lanes: bytes });
    expect(lanes()).toHaveLength(256);
  });

  test("a job keeps its letter while it is to be seen, and then another may have it", () => {
    const { told, lanes } = newActivity();
    told.watch(w1);
    told.onActivity(w1, boot, activity(["5".repeat(60), ".".repeat(60)]));
    expect(lanes()?.[0]?.at(-1)).toBe("a");
    told.onActivity(w1, boot, activity(["1".repeat(60), ".".repeat(60)]));
    expect(lanes()?.[0]?.slice(59, 61)).toBe("ab");
    told.onActivity(w1, boot, activity(["7".repeat(60), ".".repeat(60)]));
    expect(lanes()?.[0]?.slice(59, 61)).toBe("ba");
  });
});

describe("a worker's past", () => {
  const w1 = asWorkerId("w1");

  function settled(count: number, status: "completed" | "failed", atMs: number): Change {
    const values = new ValueColumnBuilder();
    for (let row = 0; row < count; row++) {
      values.pushValue(encodeFailure({ code: "error", message: `row ${row}` }));
    }
    const common = { jobId: asJobId(1), seq: 1, workerId: w1, bootId: asBootId("b") };
    const columns = { indexes: { first: 0 }, attempts: 1, runUs: 1, values: values.take() };
    return {
      type: "settled",
      settlement: { ...common, ...columns, status, settledAtMs: atMs, count },
    };
  }

  test("keeps the newest failures, however many there are, also unreadable ones", () => {
    const history = createWorkerHistory();
    for (let batch = 0; batch < 20; batch++) {
      history.onCommitted([settled(1_000, "failed", batch)], batch);
    }
    const failures = history.of(w1)?.failures ?? [];
    expect(failures).toHaveLength(50);
    expect(failures.at(-1)).toMatchObject({ task_id: "1/999", code: "error", message: "row 999" });
    const broken = settled(1, "failed", 30) as Extract<Change, { type: "settled" }>;
    broken.settlement.values.data.fill(255);
    history.onCommitted([broken], 30);
    expect(history.of(w1)?.failures.at(-1)?.message).toBe("Its failure cannot be read.");
  });

  test("is kept of some ten thousand workers, those that were heard of last", () => {
    const history = createWorkerHistory();
    const load = { cpuPercent: 1, memoryPercent: 2, busySlots: 1 };
    for (let at = 0; at < 10_001; at++) history.onBeat(asWorkerId(`w${at}`), load, 1_000 + at);
    expect(history.of(asWorkerId("w0"))).toBeNull();
    expect(history.of(asWorkerId("w9999"))).not.toBeNull();
    expect(history.of(asWorkerId("w10000"))).not.toBeNull();
  });

  test("is forgotten an hour after it was last heard of", () => {
    const history = createWorkerHistory();
    history.onBeat(w1, { cpuPercent: 1, memoryPercent: 2, busySlots: 1 }, 1_000);
    history.onCommitted([], 3_500_000);
    expect(history.of(w1)?.cpu.latest(1_000)).toBe(1);
    history.onCommitted([], 3_700_000);
    expect(history.of(w1)).toBeNull();
  });
});
