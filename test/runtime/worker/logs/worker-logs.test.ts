/** Logs between a worker's tasks and its foreman: kept until acknowledged, bounded, and never in the way. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createManualClock, type ManualClock } from "../../../../src/runtime/platform/clock.ts";
import { u32At } from "../../../../src/runtime/protocol/columns.ts";
import { decodeFrame, encodeFrame } from "../../../../src/runtime/protocol/frames.ts";
import { asAssignmentId, asJobId } from "../../../../src/runtime/protocol/ids.ts";
import type { Message, MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import type { BatchOrder } from "../../../../src/runtime/scheduler/agent/events.ts";
import {
  createWorkerLogs,
  type WorkerLogs,
} from "../../../../src/runtime/worker/logs/worker-logs.ts";

type TaskLog = MessageOf<"task_log">;

let clock: ManualClock;
let logs: WorkerLogs;
let said: TaskLog[];
let queuedBytes = 0;
const line = {
  send: (message: Message) => {
    // As a foreman would read it.
    said.push(decodeFrame(encodeFrame(message, "msgpack")) as TaskLog);
  },
  queuedBytes: () => queuedBytes,
};
const connect = (bootId = "boot-1", features = ["logs"]): void =>
  logs.onConnected(line, { bootId, features });

beforeEach(() => {
  clock = createManualClock();
  logs = createWorkerLogs(clock);
  said = [];
  queuedBytes = 0;
  connect();
  begin(1, { first: 10, count: 5 });
});

function begin(batchId: number, of: { first: number; count: number; jobId?: number }): void {
  logs.begin({
    batchId,
    assignmentId: asAssignmentId(1_000 + batchId),
    jobId: asJobId(of.jobId ?? 7),
    count: of.count,
    indexes: { first: of.first },
    attempts: 1,
  } as BatchOrder);
}

function print(row: number, text: string | Uint8Array, droppedBytes = 0, batchId = 1): void {
  const data = Buffer.from(text as string);
  const one = { streams: [2], atMs: [clock.monotonicMs()], lengths: [data.byteLength] };
  logs.print(batchId, row, { droppedBytes, ...one, data });
}

/** `index@first_byte text` of each part. */
const partsOf = (message: TaskLog): string[] => {
  let piece = 0;
  let byte = 0;
  return Array.from({ length: message.part_count }, (_, part) => {
    const from = byte;
    for (const end = piece + u32At(message.pieces, part); piece < end; piece++) {
      byte += u32At(message.length, piece);
    }
    const text = Buffer.from(message.data.subarray(from, byte)).toString("utf8");
    return `${u32At(message.index, part)}@${u32At(message.first_byte, part)} ${text}`;
  });
};

describe("what tasks print", () => {
  test("waits a moment for others of its assignment, and leaves with its place in its own log", () => {
    print(0, "a\n");
    print(1, "b\n");
    print(0, "c\n");
    expect(said).toEqual([]);
    clock.advance(50);
    expect(said.map(partsOf)).toEqual([["10@0 a\n", "11@0 b\n", "10@2 c\n"]]);
    expect(said[0]).toMatchObject({ log_seq: 1, job_id: 7, assignment: 1_001, ago_ms: 50 });
  });

  test("leaves before a result does", () => {
    print(0, "a\n");
    logs.flush();
    expect(said.map(partsOf)).toEqual([["10@0 a\n"]]);
  });

  test("counts what was dropped before it", () => {
    print(0, "a\n");
    print(0, "z\n", 5_000_000_000);
    logs.flush();
    expect(said[0]?.first_byte_high).toEqual(Uint32Array.of(0, 1));
    expect(partsOf(said[0] as TaskLog)[1]).toBe(`10@${5_000_000_002 % 2 ** 32} z\n`);
  });

  test("is sent to a foreman that keeps logs, and to no other", () => {
    connect("boot-1", []);
    print(0, "a\n");
    clock.advance(1_000);
    expect(said).toEqual([]);
  });

  test("of a batch that has just ended is still known, of one long ago not", () => {
    logs.end(1);
    print(0, "late\n");
    for (let batchId = 2; batchId < 100; batchId++) {
      begin(batchId, { first: 0, count: 1 });
      logs.end(batchId);
    }
    print(0, "too late\n");
    print(99, "of a row that there is not\n", 0, 99);
    logs.flush();
    expect(said.flatMap(partsOf)).toEqual(["10@0 late\n"]);
  });
});

describe("until it is acknowledged", () => {
  test("it is sent again on the next connection, and says so; its age has grown", () => {
    print(0, "a\n");
    logs.flush();
    print(0, "b\n");
    logs.flush();
    logs.onAcknowledged(1, 0);
    logs.onDisconnected();
    print(0, "c\n");
    clock.advance(4_000);
    said = [];
    connect();
    expect(said.map(partsOf)).toEqual([["10@2 b\n"], ["10@4 c\n"]]);
    expect(said.map(({ again, log_seq }) => [again, log_seq])).toEqual([
      [true, 2],
      [undefined, 3],
    ]);
    expect(said[0]?.ago_ms).toBe(4_000);
  });

  test("a new session forgets what the old one had to say", () => {
    print(0, "a\n");
    logs.flush();
    logs.onDisconnected();
    said = [];
    connect("boot-2");
    clock.advance(1_000);
    expect(said).toEqual([]);
  });

  test("little is under way, and the foreman hears that more waits", () => {
    for (let i = 0; i < 40; i++) print(0, "x".repeat(100_000));
    logs.flush();
    const underWay = said.reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(underWay).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(said.at(-1)?.more).toBe(true);
    while (said.reduce((sum, { data }) => sum + data.byteLength, 0) < 4_000_000) {
      logs.onAcknowledged(said.length, 0);
    }
    expect(said.at(-1)?.more).toBeUndefined();
  });

  test("nothing leaves while the foreman asks for a pause, or while results fill the line", () => {
    logs.onAcknowledged(0, 1_000);
    print(0, "a\n");
    clock.advance(900);
    expect(said.filter(({ part_count }) => part_count > 0)).toEqual([]);
    // But that there is something is said, for whoever waits for a job's end.
    expect(said.map(({ more, part_count }) => [more, part_count])).toEqual([[true, 0]]);
    queuedBytes = 10_000_000;
    clock.advance(200);
    queuedBytes = 0;
    clock.advance(200);
    expect(said.flatMap(partsOf)).toEqual(["10@0 a\n"]);
  });

  test("no more than 16 MiB wait; of more the middle goes, and what follows tells how much", () => {
    logs.onDisconnected();
    const chunk = "x".repeat(65_536);
    const chunks = 600;
    for (let i = 0; i < chunks; i++) print(i % 5, `${i}`.padEnd(6) + chunk.slice(6));
    connect();
    const seen = new Map<number, number>();
    let bytes = 0;
    let texts = "";
    for (let seq = 0; seq < said.length; seq++) {
      const message = said[seq] as TaskLog;
      bytes += message.data.byteLength;
      for (const part of partsOf(message)) {
        const [, index = 0, first = 0] = /^(\d+)@(\d+) /.exec(part)?.map(Number) ?? [];
        const text = part.slice(part.indexOf(" ") + 1);
        expect(first).toBeGreaterThanOrEqual(seen.get(index) ?? 0);
        seen.set(index, first + text.length);
        texts += text.replaceAll("x", "");
      }
      logs.onAcknowledged(message.log_seq, 0);
    }
    expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(bytes).toBeGreaterThan(8 * 1024 * 1024);
    // Every attempt's log ends where it ended: what is missing can be counted.
    for (const end of seen.values()) expect(end).toBe((chunks / 5) * 65_536);
    expect(texts).toStartWith("0     ");
    expect(texts).toContain(`${chunks - 1}`);
  });
});
