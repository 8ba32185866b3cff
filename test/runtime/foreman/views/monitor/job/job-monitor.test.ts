/** A job on the monitor's screen, by a whole foreman in memory: while it runs, after a restart, at its end. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  type ValueColumn,
  ValueColumnBuilder,
} from "../../../../../../src/runtime/protocol/columns.ts";
import { encodeCommandOutcome } from "../../../../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure, VALUE_FAILURE } from "../../../../../../src/runtime/protocol/failure.ts";
import type { View } from "../../../../../../src/runtime/protocol/messages/client.ts";
import type { MessageOf } from "../../../../../../src/runtime/protocol/messages.ts";
import type {
  JobMonitorView,
  TaskMonitorView,
  WorkerMonitorView,
} from "../../../../../../src/runtime/protocol/monitor-views.ts";
import { commandWork } from "../../../../../support/specs.ts";
import { commandSpec, completion, createRig, type Rig, type TestPeer } from "../../../rig.ts";
import { beat, completeNext, connectWorker, look, submit, WHOLE } from "../looking.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function newRig(...store: Parameters<typeof createRig>): Promise<Rig> {
  const rig = await createRig(...store);
  rigs.push(rig);
  return rig;
}

type JobRequest = Extract<View, { kind: "job_monitor" }>;

const lookAtJob = (rig: Rig, asked: Partial<JobRequest> = {}): Promise<JobMonitorView> =>
  look<JobMonitorView>(rig, {
    ...{ kind: "job_monitor", job_id: 1, window_seconds: 120, back_seconds: 0 },
    ...{ cells: 100, tasks: WHOLE },
    ...asked,
  });

/** Fails all that the worker gets next. */
async function failNext(worker: TestPeer, seq: number, failure: Uint8Array): Promise<void> {
  const assigned = await worker.next("assign_task");
  const values = new ValueColumnBuilder();
  for (let row = 0; row < assigned.count; row++) values.pushValue(failure);
  worker.send({
    ...completion(assigned, seq),
    status: "failed",
    code: new Array(assigned.count).fill("exit_status"),
    value: values.take() as ValueColumn as MessageOf<"task_result">["value"],
  });
  await worker.next("task_result_ack");
}

function exited(status: number): Uint8Array {
  const none = new Uint8Array(0);
  const end = { exitCode: status, signal: null, stdout: none, stderr: none, stderrDroppedBytes: 0 };
  const message = `disk ${status} is full`;
  return encodeFailure({ code: "exit_status", message }, encodeCommandOutcome(end));
}

describe("a job that runs", () => {
  test("shows its tasks in cells and rows, its charts, its times", async () => {
    const rig = await newRig();
    const spec = commandSpec({
      name: "render",
      work: commandWork(["blender", "-f", "{} x"]),
      retries: 2,
    });
    await submit(rig.connect(), [1, 2, 3, 4, 5, 6], { spec });
    await rig.pass(3_000);
    const worker = connectWorker(rig, "w1");
    await completeNext(worker, 1);
    await rig.pass(1_000);
    const view = await lookAtJob(rig, { cells: 3 });
    expect(view).toMatchObject({
      job: { job_id: 1, name: "render", state: "running", retries: 0 },
      what: "blender -f '{} x'",
      submitted_from: "u@h:/",
      counts: { total: 6, completed: 2, running: 4 },
      run: { count: 2, max: 0.001, max_task_id: "1/0" },
      wait: { count: 2, max: 3 },
      slots: { busy: 2, total: 2 },
      grid: { cell_tasks: 2, marks: ".RR", done: "900" },
      errors: [],
      advice: null,
    });
    expect(view.throughput.values.filter((value) => value !== null && value > 0)).toEqual([2]);
    expect(view.tasks.order).toEqual(["1/0", "1/1", "1/2", "1/3", "1/4", "1/5"]);
    expect(view.tasks.rows["1/1"]).toEqual({
      ...{ task_id: "1/1", index: 1, state: "completed", attempts: 1, attempts_allowed: 3 },
      ...{ worker: "w1", run_seconds: 0.001, running_seconds: null, error: null, input: "2" },
    });
    expect(view.tasks.rows["1/2"]).toMatchObject({ state: "running", worker: "w1" });
  });

  test("says since when a task runs that its worker has told of", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [1, 2]);
    const worker = connectWorker(rig, "w1");
    const { assignment } = await worker.next("assign_task");
    await rig.pass(500);
    worker.send({
      type: "task_started",
      seq: 1,
      assignment,
      index: Uint32Array.of(1),
      running_us: 500_000,
    });
    await worker.next("task_result_ack");
    await rig.pass(2_000);
    const { tasks } = await lookAtJob(rig, { tasks: { ...WHOLE, sort: "time" } });
    expect(tasks.order).toEqual(["1/1", "1/0"]);
    expect(tasks.rows["1/1"]?.running_seconds).toBe(2.5);
    expect(tasks.rows["1/0"]?.running_seconds).toBeNull();
  });

  test("shows no secret of its command line", async () => {
    const rig = await newRig();
    const env = { TOKEN: { value: "hunter22", secret: true } };
    const work = commandWork(["curl -H hunter22 {}"], { shell: true });
    await submit(rig.connect(), [1], { spec: commandSpec({ env, work }) });
    expect((await lookAtJob(rig)).what).toBe("curl -H *** {}");
  });

  test("is refused when there is none, and its list with a filter that cannot be read", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [1]);
    expect(lookAtJob(rig, { job_id: 7 })).rejects.toMatchObject({ code: "no_such_job" });
    const tasks = { ...WHOLE, filter: "owner:ann" };
    expect(lookAtJob(rig, { tasks })).rejects.toMatchObject({ code: "bad_filter" });
  });
});

/** A failure as no worker of ours writes it. */
function failureWithText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const value = new Uint8Array(5 + bytes.byteLength);
  value[0] = VALUE_FAILURE;
  new DataView(value.buffer).setUint32(1, bytes.byteLength, true);
  value.set(bytes, 5);
  return value;
}

describe("what failed", () => {
  test.each(["", "null", "{}", "[]", '{"code":7,"message":{}}', '{"code":"error","message":null}'])(
    "may be told as %p: it is shown as a failure, and the foreman goes on",
    async (text) => {
      const rig = await newRig();
      const client = rig.connect();
      const spec = commandSpec({ retries: 0 });
      await submit(client, [1], { spec });
      const worker = connectWorker(rig, "w1");
      await failNext(worker, 1, failureWithText(text));
      await submit(client, [1], { spec, submission_id: "s-2" });
      await completeNext(worker, 2);
      const view = await lookAtJob(rig);
      expect(view.job.state).toBe("failed");
      const error = { code: "error", message: "Its failure cannot be read." };
      expect(view.errors).toMatchObject([{ ...error, count: 1 }]);
      expect(view.tasks.rows["1/0"]?.error).toEqual(error);
      const task = await look<TaskMonitorView>(rig, {
        ...{ kind: "task_monitor", job_id: 1, index: 0, text_characters: 100 },
      });
      expect(task).toMatchObject({ state: "failed", error, result_text: null });
      const shown = await look<WorkerMonitorView>(rig, {
        ...{ kind: "worker_monitor", worker_id: "w1", tasks: WHOLE },
        ...{ window_seconds: 60, back_seconds: 0 },
      });
      expect(shown.recent_failures).toMatchObject([error]);
    },
  );

  test("is grouped with its workers, its newest tasks and what to do about it", async () => {
    const rig = await newRig();
    const spec = commandSpec({ name: "render" });
    await submit(rig.connect(), new Array(40).fill(0), { spec });
    const good = connectWorker(rig, "w1");
    const bad = connectWorker(rig, "w2");
    await failNext(good, 1, exited(3));
    await failNext(bad, 1, exited(137));
    await failNext(bad, 2, exited(137));
    beat(bad, 1, { memory: 88 });
    await rig.pass(1_000);
    const view = await lookAtJob(rig);
    const failed = view.counts.failed;
    expect(view.errors.map(({ exit_code, count }) => [exit_code, count])).toEqual([
      [137, failed - 2],
      [3, 2],
    ]);
    expect(view.errors[0]).toMatchObject({
      code: "exit_status",
      message: "disk 137 is full",
      by_worker: [{ worker: "w2", count: failed - 2 }],
      workers: ["w2"],
    });
    expect(view.errors[0]?.task_ids[0]).toMatch(/^1\/\d+$/);
    expect(view.failures_grouped).toBe(failed);
    expect(view.advice).toEqual({
      code: "failures_on_one_worker",
      sentence: `${failed - 2} of ${failed} failures are on w2, whose memory is at 88 %.`,
      hint: "cc drain w2",
    });
    expect(view.failures.values.at(-1)).toBe(failed);
    expect(view.grid.marks.startsWith("F")).toBe(true);
  });

  test("is known again after the foreman's restart, as are times and charts", async () => {
    const first = await newRig();
    await submit(first.connect(), new Array(40).fill(0));
    const worker = connectWorker(first, "w1");
    await failNext(worker, 1, exited(3));
    await completeNext(worker, 2);
    await first.pass(2_000);
    const before = await lookAtJob(first);
    await rigs.pop()?.close();
    const again = await newRig(first.store.reopen());
    again.clock.advance(2_000);
    const after = await lookAtJob(again);
    expect(after.errors).toEqual(before.errors);
    expect([after.run.count, after.run.max_task_id]).toEqual([
      before.run.count,
      before.run.max_task_id,
    ]);
    const sum = (view: JobMonitorView): number =>
      view.throughput.values.reduce<number>((all, value) => all + (value ?? 0), 0);
    expect(sum(after)).toBe(sum(before));
    expect(after.wait.count).toBe(0);
    expect(after.counts.failed).toBe(before.counts.failed);
  });
});

describe("a job that has ended", () => {
  async function endedJob(): Promise<Rig> {
    const rig = await newRig();
    const client = rig.connect();
    await submit(client, [1, 2, 3, 4, 5, 6]);
    const worker = connectWorker(rig, "w1");
    await completeNext(worker, 1);
    await rig.pass(1_000);
    client.send({ type: "cancel_job", request: 2, job_id: 1, reason: "enough" });
    await client.next("job_status");
    await rig.pass(60_000);
    return rig;
  }

  test("keeps its figures, and its charts end with it", async () => {
    const rig = await endedJob();
    const view = await lookAtJob(rig, { cells: 6 });
    expect(view).toMatchObject({
      job: { state: "cancelled", retries: 0 },
      rate: { now: null, average: 2, peak: 2 },
      run: { count: 2 },
      slots: { busy: 0, total: 0 },
      grid: { marks: "..XXXX", done: "999999" },
    });
    expect(view.throughput.values.filter((value) => value !== null && value > 0)).toEqual([2]);
  });

  test("lists and filters its tasks", async () => {
    const rig = await endedJob();
    const listed = async (filter: string) =>
      (await lookAtJob(rig, { tasks: { ...WHOLE, filter } })).tasks.order;
    expect(await listed("state:completed")).toEqual(["1/0", "1/1"]);
    expect(await listed("worker:w1")).toEqual(["1/0", "1/1"]);
    expect(await listed("code:cancelled")).toEqual(["1/2", "1/3", "1/4", "1/5"]);
    expect(await listed("enough !1/3")).toEqual(["1/2", "1/4", "1/5"]);
    const { tasks } = await lookAtJob(rig);
    expect(tasks.rows["1/5"]).toMatchObject({
      state: "cancelled",
      error: { code: "cancelled", message: "enough" },
      worker: null,
    });
  });
});
