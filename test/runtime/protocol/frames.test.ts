import { describe, expect, test } from "bun:test";
import { Packr } from "msgpackr";
import { ValueColumnBuilder, valueAt } from "../../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../../src/runtime/protocol/failure.ts";
import { decodeFrame, type Encoding, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../../src/runtime/protocol/value.ts";

const ENCODINGS: Encoding[] = ["msgpack", "json"];

function result(overrides: Partial<MessageOf<"task_result">> = {}): Message {
  const builder = new ValueColumnBuilder();
  for (const value of [1, "two", { three: 3n }]) encodeValue(value, builder);
  return {
    type: "task_result",
    seq: 5,
    assignment: 3 * 2 ** 32 + 9,
    job_id: 4,
    status: "completed",
    index: Uint32Array.from([7, 9, 4_000_000_000]),
    count: 3,
    attempt: 1,
    run_us: Uint32Array.from([10, 20, 30]),
    ended_ago_us: 0,
    value: builder.take(),
    ...overrides,
  };
}

describe.each(ENCODINGS)("a message as %s", (encoding) => {
  test("columns, large ids and values arrive as they were", () => {
    const decoded = decodeFrame(encodeFrame(result(), encoding)) as MessageOf<"task_result">;
    expect(decoded.assignment).toBe(3 * 2 ** 32 + 9);
    expect([...(decoded.index ?? [])]).toEqual([7, 9, 4_000_000_000]);
    expect(decoded.run_us).toEqual(Uint32Array.from([10, 20, 30]));
    expect(decoded.attempt).toBe(1);
    expect([0, 1, 2].map((row) => decodeValue(valueAt(decoded.value, row)))).toEqual([
      1,
      "two",
      { three: 3n },
    ]);
  });

  test("a failure's value travels whole", () => {
    const builder = new ValueColumnBuilder();
    const failure = new Uint8Array(encodeFailure({ code: "error", message: "boom" }));
    builder.pushValue(failure);
    const message = result({
      status: "failed",
      code: ["error"],
      count: 1,
      index: Uint32Array.from([1]),
      run_us: 5,
      value: builder.take(),
    });
    const decoded = decodeFrame(encodeFrame(message, encoding)) as MessageOf<"task_result">;
    expect(new Uint8Array(valueAt(decoded.value, 0))).toEqual(failure);
  });

  test.each([
    ["fewer indexes than rows", { index: Uint32Array.from([1]) }],
    ["both a first index and a list", { first_index: 3 }],
    ["neither", { index: undefined }],
    ["a failure without codes", { status: "failed" as const }],
    ["a run time for other rows", { run_us: Uint32Array.from([1, 2]) }],
  ])("%s is refused", (_, overrides) => {
    const frame = encodeFrame(result(overrides as Partial<MessageOf<"task_result">>), encoding);
    expect(() => decodeFrame(frame)).toThrow("does not follow the protocol: task_result");
  });

  test("unknown fields are ignored", () => {
    const message = { type: "goodbye", reason: "done", later: { any: 1 } } as unknown as Message;
    expect(decodeFrame(encodeFrame(message, encoding))).toEqual({
      type: "goodbye",
      reason: "done",
    });
  });
});

describe("what a hostile peer sends", () => {
  const pack = (value: unknown): Uint8Array =>
    new Uint8Array(new Packr({ useRecords: false }).pack(value));

  const frames: [string, Uint8Array | string][] = [
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no type", "{}"],
    ["a depth that would end the parser's stack", "[".repeat(100_000)],
    [
      "lengths that disagree with the data",
      pack({
        type: "submit_tasks",
        request: 1,
        job_id: 1,
        first_index: 0,
        count: 2,
        input: { lengths: 3, data: new Uint8Array(7) },
      }),
    ],
    [
      "a column that is no multiple of four",
      pack({
        type: "task_started",
        seq: 1,
        assignment: 1,
        index: new Uint8Array(5),
        running_us: 0,
      }),
    ],
    [
      "a value of no bytes",
      pack({
        type: "submit_tasks",
        request: 1,
        job_id: 1,
        first_index: 0,
        count: 1,
        input: { lengths: 0, data: new Uint8Array(0) },
      }),
    ],
    ["bytes that are no MessagePack", new Uint8Array([0xc1, 0xc1])],
  ];
  test.each(frames)("%s is malformed", (_, frame) => {
    expect(() => decodeFrame(frame)).toThrow("does not follow the protocol");
  });

  test("an unknown type is told apart, so that it can be answered", () => {
    expect(() => decodeFrame('{"type":"from_the_future"}')).toThrow(
      '"from_the_future" is not known',
    );
  });
});
