import { describe, expect, test } from "bun:test";
import {
  type BatchFrame,
  createFrameReader,
  decodeBatchFrame,
  decodeJsonFrame,
  decodeResultsFrame,
  EXECUTOR_FRAME_BYTES_MAX,
  encodeBatchFrame,
  encodeJsonFrame,
  encodeResultsHead,
  FRAME_BATCH,
  FRAME_NOTICE,
  resultsHeadBytes,
} from "../../../src/runtime/executor/frames.ts";

function readAll(chunks: readonly Uint8Array[]) {
  const frames: { type: number; body: Uint8Array }[] = [];
  const reader = createFrameReader((type, body) => frames.push({ type, body: body.slice() }));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const list = (...values: number[]) => Uint32Array.from(values);
const body = (frame: Uint8Array) => frame.subarray(8);

describe("a batch frame", () => {
  const columns: BatchFrame = {
    batchId: 7,
    slot: 1,
    count: 3,
    indexes: list(5, 9, 10),
    attempts: list(1, 2, 1),
    values: { lengths: list(1, 2, 1), data: bytes(0, 1, 0x35, 0) },
  };
  const numbers: BatchFrame = {
    batchId: 0xffffffff,
    slot: 0,
    count: 2,
    indexes: { first: 0xfffffff0 },
    attempts: 3,
    values: { lengths: 2, data: bytes(1, 0x31, 1, 0x32) },
  };

  test.each([
    ["with a list in every column", columns],
    ["with one number for every row", numbers],
    ["with a mixture", { ...columns, attempts: 4 }],
  ])("comes back as it was, %s", (_, batch) => {
    const frame = encodeBatchFrame(batch);
    expect(decodeBatchFrame(body(frame))).toEqual(batch);
    expect(readAll([frame])[0]?.type).toBe(FRAME_BATCH);
  });

  test("is read from memory that is not aligned", () => {
    const frame = encodeBatchFrame(columns);
    const shifted = new Uint8Array(frame.byteLength + 1);
    shifted.set(frame, 1);
    expect(decodeBatchFrame(shifted.subarray(9))).toEqual(columns);
  });
});

describe("a results frame", () => {
  const results = { batchId: 3, firstRow: 10, count: 3, runUs: list(1, 2, 3) };

  function encode(): Uint8Array {
    const head = new Uint8Array(resultsHeadBytes(3));
    const rest = { lengths: list(1, 2, 1), statuses: bytes(0, 1, 2), dataBytes: 4 };
    encodeResultsHead(head, { ...results, ...rest });
    return Buffer.concat([head, bytes(0, 5, 6, 0)]);
  }

  test("comes back as it was", () => {
    expect(decodeResultsFrame(Uint8Array.from(body(encode())))).toEqual({
      ...results,
      statuses: bytes(0, 1, 2),
      values: { lengths: list(1, 2, 1), data: bytes(0, 5, 6, 0) },
    });
  });

  test("that is cut short or claims too many rows is refused", () => {
    const whole = Uint8Array.from(body(encode()));
    for (const length of [0, 11, 20, 30]) {
      expect(() => decodeResultsFrame(whole.subarray(0, length))).toThrow("no frame of ours");
    }
    new Uint32Array(whole.buffer)[2] = 5_000;
    expect(() => decodeResultsFrame(whole)).toThrow("no frame of ours");
  });
});

describe("reading frames", () => {
  const notices = ["one", "", "three".repeat(100)];
  const frames = notices.map((text) => encodeJsonFrame(FRAME_NOTICE, { text }));
  const whole = Uint8Array.from(Buffer.concat(frames));

  test.each([1, 2, 3, 7, 8, 9, 64, 5_000])("works in chunks of %d bytes", (size) => {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < whole.byteLength; at += size) chunks.push(whole.slice(at, at + size));
    const read = readAll(chunks).map(
      ({ body: text }) => decodeJsonFrame<{ text: string }>(text).text,
    );
    expect(read).toEqual(notices);
  });

  test("refuses a length that no frame of ours has", () => {
    const of = (length: number) => new Uint8Array(list(length, FRAME_NOTICE).buffer);
    expect(() => readAll([of(7)])).toThrow("no frame of ours");
    expect(() => readAll([of(EXECUTOR_FRAME_BYTES_MAX + 1)])).toThrow("no frame of ours");
    expect(readAll([of(EXECUTOR_FRAME_BYTES_MAX)])).toEqual([]);
  });
});
