/** What the foreman does about a store of logs that is busy, full or broken: results never notice. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import type { LogOutcome, LogStore } from "../../../../src/runtime/store/logs/log-store.ts";
import { openLogsInMemory } from "../../../../src/runtime/store/logs/open-logs.ts";
import { logsBroken } from "../../../../src/runtime/store/logs/sqlite-log-store.ts";
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

let rig: Rig;
let worker: TestPeer;
let client: TestPeer;
let assigned: MessageOf<"assign_task">;
let outcome: LogOutcome | "broken" = "ok";
let reopened = 0;

beforeEach(async () => {
  outcome = "ok";
  reopened = 0;
  const inner = await openLogsInMemory();
  const store: LogStore = {
    ...inner,
    get nextSeq() {
      return inner.nextSeq;
    },
    write(group) {
      if (outcome === "broken") throw logsBroken("logs.db", "write a log", new Error("torn"));
      return outcome === "ok" ? inner.write(group) : outcome;
    },
  };
  rig = await createRig(createMemoryStore(), {
    store,
    quotaBytes: null,
    async reopen() {
      reopened++;
      outcome = "ok";
      return { store: await openLogsInMemory(), setAside: "logs.db.damaged" };
    },
  });
  client = rig.connect();
  client.send(submission(["a", "b"]));
  await client.next("job_accepted");
  worker = rig.connect({ role: "worker" });
  worker.send(readyMessage("w1"));
  assigned = await worker.next("assign_task");
});
afterEach(() => rig.close());

async function read(): Promise<string[]> {
  client.send(readLogs(1));
  return textOf(await client.next("logs"));
}

async function kindsOfEvents(): Promise<readonly string[]> {
  client.send({ type: "read_events", request: 5, after: 0, bytes_max: 100_000, wait: false });
  return (await client.next("events")).events.map(({ kind }) => kind);
}

describe("a store of logs", () => {
  test("that is busy is tried again, and its worker waits for the acknowledgement", async () => {
    outcome = "busy";
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["one\n"] }]));
    await rig.pass(3_000);
    worker.send(completion(assigned, 1));
    await worker.next("task_result_ack");
    outcome = "ok";
    await rig.pass(2_000);
    expect((await worker.next("task_log_ack")).log_seq).toBe(1);
    expect(await read()).toEqual(["0/1 log one\n"]);
  });

  test("that is full drops what comes, counts it, says so once, and asks workers to pause", async () => {
    outcome = "full";
    for (const seq of [1, 2, 3]) {
      worker.send(
        taskLog(assigned, seq, [{ index: 0, firstByte: 4 * seq - 4, pieces: ["one\n"] }]),
      );
      await rig.pass(1_000);
    }
    expect((await worker.next("task_log_ack")).log_seq).toBe(1);
    outcome = "ok";
    worker.send(taskLog(assigned, 4, [{ index: 0, firstByte: 12, pieces: ["end\n"] }]));
    expect(await read()).toEqual(["0/1 log end\n"]);
    client.send(readLogs(1));
    expect((await client.next("logs")).dropped_bytes).toBe(12);
    expect((await kindsOfEvents()).filter((kind) => kind === "logs_dropped").length).toBe(1);
  });

  test("that is broken is set aside; the foreman goes on with another", async () => {
    worker.send(taskLog(assigned, 1, [{ index: 0, pieces: ["lost\n"] }]));
    await read();
    outcome = "broken";
    worker.send(taskLog(assigned, 2, [{ index: 0, firstByte: 5, pieces: ["gone\n"] }]));
    await rig.pass(2_000);
    expect(reopened).toBe(1);
    worker.send(taskLog(assigned, 3, [{ index: 0, firstByte: 10, pieces: ["kept\n"] }]));
    expect(await read()).toEqual(["0/1 log kept\n"]);
    expect(await kindsOfEvents()).toContain("logs_set_aside");
    worker.send(completion(assigned, 1));
    await worker.next("task_result_ack");
  });
});
