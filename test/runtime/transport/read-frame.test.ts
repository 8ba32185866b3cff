import { expect, test } from "bun:test";
import { type Encoding, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { FRAME_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import { type FrameReading, readFrame } from "../../../src/runtime/transport/read-frame.ts";

const MUTATIONS_PER_MESSAGE = 4_000;
const SEED = 20_300_102;

const samples: readonly Message[] = [
  { type: "heartbeat_echo", beat: 5 },
  { type: "cancel_task", assignment: 9, index: Uint32Array.of(1, 2, 3), reason: "over" },
  { type: "authenticate", mac: new Uint8Array(32).fill(7) },
  {
    type: "submit_tasks",
    request: 4,
    job_id: 1,
    first_index: 0,
    count: 2,
    input: { lengths: 2, data: Uint8Array.of(1, 49, 1, 50) },
  },
  {
    type: "task_result",
    seq: 1,
    assignment: 2 ** 32 + 1,
    job_id: 1,
    status: "completed",
    first_index: 0,
    count: 1,
    attempt: 1,
    run_us: 10,
    ended_ago_us: 0,
    value: { lengths: 2, data: Uint8Array.of(1, 49) },
  },
];

const read = (bytes: Uint8Array, encoding: Encoding): FrameReading =>
  readFrame({ bytes, isBinary: encoding === "msgpack" }, { encoding, bytesMax: FRAME_BYTES_MAX });

const bytesOf = (message: Message, encoding: Encoding): Uint8Array => {
  const frame = encodeFrame(message, encoding);
  return typeof frame === "string" ? Buffer.from(frame) : frame;
};

/** A small generator (mulberry32), so that a failure can be run again. */
function createGenerator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Changes, cuts, doubles or inserts a few bytes. */
function mutate(bytes: Uint8Array, draw: () => number): Uint8Array {
  const changed = [...bytes];
  for (let step = 0; step <= draw() % 4; step++) {
    const at = draw() % (changed.length + 1);
    const kind = draw() % 4;
    if (kind === 0) changed[at % Math.max(1, changed.length)] = draw() & 255;
    else if (kind === 1) changed.splice(at, draw() % 8);
    else if (kind === 2) changed.splice(at, 0, ...changed.slice(at, at + (draw() % 8)));
    else changed.splice(at, 0, draw() & 255, draw() & 255);
  }
  return Uint8Array.from(changed);
}

for (const encoding of ["msgpack", "json"] as const) {
  test(`whatever a ${encoding} frame holds, reading it gives an answer and never throws`, () => {
    const draw = createGenerator(SEED);
    const counts = { message: 0, unknown: 0, refused: 0 };
    for (const sample of samples) {
      const whole = bytesOf(sample, encoding);
      expect(read(whole, encoding)).toMatchObject({ kind: "message", byteCount: whole.length });
      for (let round = 0; round < MUTATIONS_PER_MESSAGE; round++) {
        const reading = read(mutate(whole, draw), encoding);
        counts[reading.kind]++;
        if (reading.kind === "refused") expect(reading.code).toBe(1007);
      }
    }
    expect(counts.refused).toBeGreaterThan(counts.message);
    expect(counts.unknown).toBeGreaterThan(0);
  });
}

test("a frame over the limit is refused before it is decoded", () => {
  const reading = readFrame(
    { bytes: new Uint8Array(11), isBinary: true },
    { encoding: "msgpack", bytesMax: 10 },
  );
  expect(reading).toMatchObject({
    kind: "refused",
    code: 1009,
    error: { code: "frame_too_large" },
  });
});
