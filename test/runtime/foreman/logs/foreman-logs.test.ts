/** Logs through a whole foreman in memory: in by the worker's door, out by the client's. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import {
  completion,
  createRig,
  type Rig,
  readyMessage,
  submission,
  type TestPeer,
} from "../rig.ts";
import { readLogs, taskLog, textOf } from "./log-messages.ts";

let rig: Rig;
let worker: TestPeer;
let client: TestPeer;
let assigned: MessageOf<"assign_task">;
let jobId: number;

beforeEach(async () => {
  rig = await createRig();
  client = rig.connect();
  client.send(submission(["a", "b"]));
  jobId = (await client.next("job_accepted")).job_id;
  worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  assigned = await worker.next("assign_task");
});
afterEach(() => rig.close());

async function read(overrides: Partial<MessageOf<"read_logs">> = {}): Promise<MessageOf<"logs">> {
  client.send(readLogs(jobId, overrides));
  return await client.next("logs");
}

describe("what workers say", () => {
  test("is acknowledged once it is written, a few times a second", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 4, pieces: ["two\n"] }]));
    await rig.pass(2_000);
    expect(await worker.next("task_log_ack")).toEqual({ type: "task_log_ack", log_seq: 2 });
    expect(textOf(await read())).toEqual(["0/1 log one\n", "0/1 log two\n"]);
  });

  test("is read before it is acknowledged, with the instant at which it was printed", async () => {
    const printed = { index: 1, agoMs: 1_500, pieces: [["stderr", "e\n"]] as const };
    worker.send(taskLog(assigned, 1, [printed]));
    const answer = await read();
    expect(textOf(answer)).toEqual(["1/1 stderr e\n"]);
    expect(answer.base_ms).toBe(rig.clock.nowMs() - 1_500);
    expect(answer.total_bytes).toBe(2);
  });

  test("of many tasks comes in the order in which it arrived", async () => {
    const part = (index: number, text: string, firstByte = 0) => ({
      index,
      firstByte,
      pieces: [text],
    });
    worker.send(taskLog(assigned, 1, [part(1, "c1\n"), part(0, "a1\n")]));
    worker.send(taskLog(assigned, 2, [part(1, "c2\n", 3)]));
    expect(textOf(await read())).toEqual(["1/1 log c1\n", "0/1 log a1\n", "1/1 log c2\n"]);
    expect(textOf(await read({ index: 1 }))).toEqual(["1/1 log c1\n", "1/1 log c2\n"]);
  });

  test("a second time is kept once, also where only a part of it is new", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }], { again: true }));
    worker.send(taskLog(assigned, 2, [{ index: 0, pieces: ["one\n", "two\n"] }], { again: true }));
    expect(textOf(await read())).toEqual(["0/1 log one\n", "0/1 log two\n"]);
  });

  test("with bytes missing in between leaves a gap that counts them", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 5_000_000_004, pieces: ["end\n"] }]));
    const answer = await read();
    expect(textOf(answer)).toEqual(["0/1 log one\n", "0/1 gap 5000000000", "0/1 log end\n"]);
    expect(answer.dropped_bytes).toBe(5_000_000_000);
    expect(textOf(await read({ streams: ["log"] }))).toEqual(["0/1 log one\n", "0/1 log end\n"]);
  });

  test("and what was dropped at the very end is a gap, too", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 10, pieces: [] }]));
    expect(textOf(await read())).toEqual(["0/1 log one\n", "0/1 gap 6"]);
  });
});

describe("the fence", () => {
  test("refuses a session that does not hold the attempt, and acknowledges all the same", async () => {
    const other = rig.connect({ role: "worker" });
    other.send(readyMessage("w2"));
    other.send(taskLog(assigned, 1, [{ index: 0, pieces: ["lie\n"] }]));
    await rig.pass(2_000);
    expect((await other.next("task_log_ack")).log_seq).toBe(1);
    expect(textOf(await read())).toEqual([]);
  });

  test("refuses another attempt and another job", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, attempt: 2, pieces: ["lie\n"] }]));
    worker.send(taskLog({ ...assigned, job_id: 99 }, 2, [{ index: 0, pieces: ["lie\n"] }]));
    expect(textOf(await read())).toEqual([]);
  });

  test("lets in what its session says shortly after the attempt's end", async () => {
    worker.send(completion(assigned, 1));
    await worker.next("task_result_ack");
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["late\n"] }]));
    const other = rig.connect({ role: "worker" });
    other.send(readyMessage("w2"));
    other.send(taskLog(assigned, 1, [{ index: 1, pieces: ["lie\n"] }]));
    expect(textOf(await read())).toEqual(["0/1 log late\n"]);
  });

  test("refuses what a lost worker says late", async () => {
    worker.channel.close(1000, "gone");
    await rig.pass(20_000);
    const back = rig.connect({ role: "worker" });
    back.send(readyMessage("w1", { connection_seq: 2 }));
    back.send(taskLog(assigned, 1, [{ index: 0, pieces: ["late\n"] }], { again: true }));
    expect(textOf(await read())).toEqual([]);
  });
});

describe("a reader", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`);

  test("goes forward page by page, and nothing is lost or doubled", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: lines(100) }]));
    const heard: string[] = [];
    for (let cursor = 0; ; ) {
      const page = await read({ cursor, bytes_max: 50 });
      heard.push(...textOf(page));
      cursor = page.next_cursor;
      if (page.at_end) break;
    }
    expect(heard).toEqual(lines(100).map((line) => `0/1 log ${line}`));
  });

  test("goes backward from the end, and nothing is lost or doubled", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: lines(60) }]));
    await read();
    const rest = lines(100).slice(60);
    const firstByte = lines(60).join("").length;
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte, pieces: rest }]));
    let heard: string[] = [];
    for (let cursor: number | undefined; ; ) {
      const position = cursor === undefined ? {} : { cursor };
      const page = await read({ direction: "backward", bytes_max: 50, ...position });
      heard = [...textOf(page), ...heard];
      cursor = page.first_cursor;
      if (page.at_start) break;
    }
    expect(heard).toEqual(lines(100).map((line) => `0/1 log ${line}`));
  });

  test("follows from the end of a page backward", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n", "two\n"] }]));
    const last = await read({ direction: "backward", bytes_max: 4 });
    expect(textOf(last)).toEqual(["0/1 log two\n"]);
    client.send(readLogs(jobId, { cursor: last.next_cursor, wait: true }));
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 8, pieces: ["three\n"] }]));
    await rig.pass(500);
    expect(textOf(await client.next("logs"))).toEqual(["0/1 log three\n"]);
  });

  test("that waits hears that nothing follows once its task has ended", async () => {
    client.send(readLogs(jobId, { index: 0, wait: true }));
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    await rig.pass(500);
    const first = await client.next("logs");
    expect(first.finished).toBe(false);
    client.send(readLogs(jobId, { index: 0, wait: true, cursor: first.next_cursor }));
    worker.send(completion(assigned, 1));
    await rig.pass(2_000);
    const last = await client.next("logs");
    expect([last.count, last.finished, last.at_end]).toEqual([0, true, true]);
  });

  test("is not told of the end while the worker has more to say", async () => {
    const log = taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }], { more: true });
    worker.send(log);
    worker.send(completion(assigned, 1));
    await worker.next("task_result_ack");
    const page = await read();
    expect(page.finished).toBe(false);
    client.send(readLogs(jobId, { wait: true, cursor: page.next_cursor }));
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 4, pieces: ["two\n"] }]));
    await rig.pass(500);
    const last = await client.next("logs");
    expect(textOf(last)).toEqual(["0/1 log two\n"]);
    expect((await read({ cursor: last.next_cursor })).finished).toBe(true);
  });

  test("is answered after half a minute although nothing is printed", async () => {
    client.send(readLogs(jobId, { wait: true }));
    await rig.pass(31_000);
    expect((await client.next("logs")).count).toBe(0);
  });

  test("asks for a time: only what was printed from then on", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["old\n"] }]));
    await rig.pass(2_000);
    const sinceMs = rig.clock.nowMs();
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 4, agoMs: 10, pieces: ["a\n"] }]));
    worker.send(taskLog(assigned, 3, [{ index: 0, firstByte: 6, pieces: ["new\n"] }]));
    expect(textOf(await read({ since_ms: sinceMs })).slice(-1)).toEqual(["0/1 log new\n"]);
    expect(textOf(await read({ since_ms: sinceMs }))).not.toContain("0/1 log old\n");
    expect(textOf(await read({ since_ms: sinceMs + 60_000 }))).toEqual([]);
  });

  test("of failed tasks gets those that have failed, and of newest attempts the newest", async () => {
    const ends = completion(assigned, 1);
    const all = [0, 1].map((index) => ({ index, pieces: [`task ${index}\n`] }));
    worker.send(taskLog(assigned, 1, all));
    const { value: _value, ...kept } = ends;
    worker.send({
      ...kept,
      status: "failed",
      first_index: 1,
      count: 1,
      code: ["error"],
      value: { lengths: 1, data: Uint8Array.of(0) },
    });
    await worker.next("task_result_ack");
    expect(textOf(await read({ failed: true }))).toEqual(["1/1 log task 1\n"]);
    expect(textOf(await read({ attempt: 0 })).length).toBe(2);
    expect(textOf(await read({ attempt: 2 }))).toEqual([]);
  });

  test("of a job or a task that does not exist is refused", async () => {
    client.send(readLogs(99));
    expect((await client.next("error")).code).toBe("no_such_job");
    client.send(readLogs(jobId, { index: 2 }));
    expect((await client.next("error")).code).toBe("no_such_task");
  });

  test("of a job that is forgotten is told so, and its log is gone", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    worker.send(completion(assigned, 1));
    await worker.next("task_result_ack");
    client.send({ type: "remove_job", request: 3, job_id: jobId });
    await client.next("done");
    client.send(readLogs(jobId));
    expect((await client.next("error")).code).toBe("no_such_job");
  });
});
