/** One task on a screen: its texts cut to size, what is no text described, and what runs since when. */
import { describe, expect, test } from "bun:test";
import {
  inputText,
  resultText,
  sizeText,
} from "../../../../../src/runtime/foreman/views/monitor/value-text.ts";
import { ValueColumnBuilder } from "../../../../../src/runtime/protocol/columns.ts";
import { encodeCommandOutcome } from "../../../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../../../../src/runtime/protocol/failure.ts";
import type { TaskMonitorView } from "../../../../../src/runtime/protocol/monitor-views.ts";
import { encodeValue } from "../../../../../src/runtime/protocol/value.ts";
import type { Rig } from "../../rig.ts";
import { completeNext, connectWorker, look, rigsOfTests, submit } from "./looking.ts";

const newRig = rigsOfTests();

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function encoded(value: unknown): Uint8Array {
  const builder = new ValueColumnBuilder();
  encodeValue(value, builder);
  return builder.take().data;
}

const outcome = (stdout: Uint8Array, stderr = new Uint8Array(0)): Uint8Array =>
  encodeCommandOutcome({ exitCode: 1, signal: null, stdout, stderr, stderrDroppedBytes: 0 });

describe("a value as text", () => {
  test("is its JSON, and cut where the screen ends", () => {
    expect(inputText(encoded({ frame: 7 }), 100)).toEqual({
      input_text: '{"frame":7}',
      input_bytes: 11,
    });
    expect(inputText(encoded("x".repeat(5_000)), 10)).toEqual({
      input_text: `"${"x".repeat(8)}…`,
      input_bytes: 5_002,
    });
    expect(inputText(encoded("1234567"), 9).input_text).toBe('"1234567"');
  });

  test("is never cut inside a character", () => {
    for (let size = 2; size < 30; size++) {
      const { input_text: text } = inputText(encoded("👍😀🎈é€".repeat(9)), size);
      expect(text.isWellFormed()).toBe(true);
      expect(text.length).toBeLessThanOrEqual(size);
      expect(text.endsWith("…")).toBe(true);
    }
  });

  test("says what it is where it is no text", () => {
    expect(inputText(encoded(undefined), 100)).toEqual({ input_text: "<none>", input_bytes: 0 });
    expect(inputText(encoded(new Uint8Array(12_288)), 100).input_text).toBe("<binary, 12 KiB>");
    expect(resultText(encoded(undefined), 100).result_text).toBe("<undefined>");
    expect(resultText(outcome(Uint8Array.of(0xff, 0xfe)), 100).result_text).toBe("<binary, 2 B>");
    expect(resultText(null, 100)).toEqual({
      result_text: null,
      result_bytes: null,
      stderr_text: null,
      exit_code: null,
      signal: null,
    });
  });

  test("of a command is its stdout, its stderr and its end, also of a failed one", () => {
    const both = outcome(bytesOf("out\n"), bytesOf("err\n"));
    const end = { exit_code: 1, signal: null };
    const texts = { result_text: "out\n", result_bytes: 4, stderr_text: "err\n", ...end };
    expect(resultText(both, 100)).toEqual(texts);
    const failure = { code: "exit_status", message: "exit status 1" };
    expect(resultText(encodeFailure(failure, both), 100)).toEqual(texts);
    expect(resultText(encodeFailure(failure, outcome(bytesOf(""))), 100)).toEqual({
      result_text: null,
      result_bytes: null,
      stderr_text: null,
      ...end,
    });
  });

  test("of a failed function is what it said on its console", () => {
    const failure = { code: "error", message: "boom", console: "about to fail" };
    expect(resultText(encodeFailure(failure), 100)).toMatchObject({
      result_text: null,
      stderr_text: "about to fail",
    });
  });

  test("sizes are as people write them", () => {
    expect([0, 812, 1024, 1536, 12_288, 5 * 2 ** 20, 3 * 2 ** 30].map(sizeText)).toEqual([
      "0 B",
      "812 B",
      "1.0 KiB",
      "1.5 KiB",
      "12 KiB",
      "5.0 MiB",
      "3.0 GiB",
    ]);
  });
});

describe("a task", () => {
  const lookAtTask = (rig: Rig, index: number) =>
    look<TaskMonitorView>(rig, {
      kind: "task_monitor",
      job_id: 1,
      index,
      text_characters: 40,
    });

  test("is shown while it waits, runs and when it has completed", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [{ frame: 1 }]);
    expect(await lookAtTask(rig, 0)).toMatchObject({
      task_id: "1/0",
      state: "queued",
      attempts: 0,
      input_text: '{"frame":1}',
      result_text: null,
      running_seconds: null,
      log: null,
      history: [],
      why: { code: "no_workers" },
    });
    const worker = connectWorker(rig, "w1");
    const assigned = await worker.next("assign_task");
    const index = Uint32Array.of(0);
    const { assignment } = assigned;
    worker.send({ type: "task_started", seq: 1, assignment, index, running_us: 1_000_000 });
    await worker.next("task_result_ack");
    await rig.pass(3_000);
    expect(await lookAtTask(rig, 0)).toMatchObject({
      state: "running",
      worker: "w1",
      running_seconds: 3,
      history: [{ attempt: 1, outcome: "running" }],
    });
    worker.send({
      type: "task_result",
      seq: 2,
      assignment,
      job_id: 1,
      status: "completed",
      first_index: 0,
      count: 1,
      attempt: 1,
      run_us: 4_000_000,
      ended_ago_us: 0,
      value: assigned.input,
    });
    await worker.next("task_result_ack");
    expect(await lookAtTask(rig, 0)).toMatchObject({
      state: "completed",
      running_seconds: null,
      run_seconds: 4,
      result_text: '{"frame":1}',
      result_bytes: 11,
      job: { state: "completed" },
    });
  });

  test("that was queued again shows no result of before", async () => {
    const rig = await newRig();
    const client = rig.connect();
    const worker = connectWorker(rig, "w1");
    await submit(client, ["a"]);
    await completeNext(worker, 1);
    expect((await lookAtTask(rig, 0)).result_text).toBe('"a"');
    client.send({ type: "retry_job", request: 2, job_id: 1, all: true });
    await client.next("job_status");
    const again = await lookAtTask(rig, 0);
    expect(again).toMatchObject({ result_text: null, attempts: 2 });
    expect(again.history[0]).toMatchObject({ attempt: 1, outcome: "completed" });
  });

  test("that does not exist is refused", async () => {
    const rig = await newRig();
    await submit(rig.connect(), ["a"]);
    await expect(lookAtTask(rig, 1)).rejects.toMatchObject({ code: "no_such_task" });
  });
});
