/** The decoder against nearly right frames: it answers each, in bounded time, and remembers nothing. */
import { describe, expect, test } from "bun:test";
import { decodeFrame, type Encoding, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import { messageSchemas } from "../../../src/runtime/protocol/messages.ts";
import { readFrame } from "../../../src/runtime/transport/read-frame.ts";
import { mutatedFrame } from "../../support/fuzz/mutate.ts";
import { seedOfFrame } from "../../support/fuzz/random.ts";
import { sampleMessages } from "../../support/fuzz/sample-messages.ts";

/** More with `CC_FUZZ_FRAMES=1000000 bun test test/runtime/protocol/fuzz.test.ts`. */
const FRAME_COUNT = Number(process.env["CC_FUZZ_FRAMES"] ?? 30_000);
const SEED = Number(process.env["CC_FUZZ_SEED"] ?? 20_260_101);
const FRAME_BYTES_MAX = 16 * 2 ** 20;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("there is a sample of each type of message", () => {
  const types = new Set(sampleMessages().map(({ type }) => type));
  expect([...messageSchemas.keys()].filter((type) => !types.has(type))).toEqual([]);
});

describe.each(["msgpack", "json"] as const)("mutated frames, %s", (encoding: Encoding) => {
  test("are each answered with a message, a refusal or a question, and never a throw", () => {
    const samples = sampleMessages();
    const seen = { message: 0, unknown: 0, refused: 0 };
    for (let i = 0; i < FRAME_COUNT; i++) {
      const seed = seedOfFrame(SEED, i);
      const frame = mutatedFrame(seed, samples, encoding);
      try {
        const reading = readFrame(frame, { encoding, bytesMax: FRAME_BYTES_MAX });
        seen[reading.kind]++;
        // What got in can be sent on.
        if (reading.kind === "message") decodeFrame(encodeFrame(reading.message, "msgpack"));
      } catch (thrown) {
        throw new Error(`seed ${seed}, frame ${hex(frame.bytes)}: ${thrown}`, { cause: thrown });
      }
    }
    // Mutants that are all refused, or all taken, would show nothing.
    expect(seen.message).toBeGreaterThan(FRAME_COUNT / 100);
    expect(seen.refused).toBeGreaterThan(FRAME_COUNT / 10);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  }, 600_000);
});

describe("a frame that is costly to refuse is refused before it costs anything", () => {
  const MEBIBYTES_MAX = 64;
  const repeated = (unit: readonly number[], count: number): Uint8Array =>
    Uint8Array.from({ length: unit.length * count }, (_, i) => unit[i % unit.length] as number);
  /** A list of so many parts, of one byte each. */
  const listOf = (count: number, part: number, before: readonly number[] = []): Uint8Array => {
    const frame = new Uint8Array(before.length + 5 + count).fill(part);
    frame.set([...before, 0xdd]);
    new DataView(frame.buffer).setUint32(before.length + 1, count);
    return frame;
  };
  const text = (word: string): readonly number[] => [0xa0 + word.length, ...Buffer.from(word)];
  const inventory = [0x82, ...text("type"), ...text("worker_ready"), ...text("inventory")];

  const bombs: readonly (readonly [string, Encoding, Uint8Array, RegExp])[] = [
    ["lists that claim what is not there", "msgpack", repeated([0xdc, 255, 255], 1e6), /64 levels/],
    ["maps that claim four billion", "msgpack", repeated([0xdf, 255, 255, 255, 255], 1e6), /early/],
    ["15 million empty maps", "msgpack", listOf(15e6, 0x80), /1000000 parts/],
    ["15 million empty texts", "msgpack", listOf(15e6, 0xa0), /1000000 parts/],
    ["an inventory of a million", "msgpack", listOf(1e6, 0x80, inventory), /1000000 parts/],
    ["an inventory of 200,000", "msgpack", listOf(2e5, 0x80, inventory), /too many parts/],
    [
      "an inventory of 200,000, as JSON",
      "json",
      Buffer.from(`{"type":"worker_ready","inventory":[${"{},".repeat(200_000)}{}]}`),
      /too many parts/,
    ],
    [
      "a specification with 200,000 variables",
      "json",
      Buffer.from(
        `{"type":"submit_job","spec":{"env":{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join()}}}}`,
      ),
      /too many parts/,
    ],
  ];
  test.each(bombs)("%s", (_name, encoding, bytes, reason) => {
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    const isBinary = encoding === "msgpack";
    const reading = readFrame({ bytes, isBinary }, { encoding, bytesMax: FRAME_BYTES_MAX });
    const grownMebibytes = (process.memoryUsage().rss - before) / 2 ** 20;
    expect(reading).toMatchObject({ kind: "refused", code: 1007 });
    expect(reading.kind === "refused" && reading.error.message).toMatch(reason);
    expect(grownMebibytes).toBeLessThan(MEBIBYTES_MAX);
  });

  const forbidden: readonly (readonly [string, readonly number[]])[] = [
    ["a record with code of its own", [0xd4, 0x72, 0x40, 0x91, ...text("type"), ...text("a")]],
    ["a regular expression", [0xc7, 1, 0x78, 0, 0x92, ...text("(a+)+$"), ...text("")]],
    ["a reference", [0xd6, 0x70, 0, 0, 0, 1]],
    ["an instant", [0xd6, 0xff, 0, 0, 0, 1]],
    ["a type of nobody", [0xd4, 0x55, 0]],
  ];
  test.each(forbidden)("%s is no plain data", (_name, part) => {
    const bytes = Uint8Array.from([0x81, ...text("type"), ...part]);
    const reading = readFrame(
      { bytes, isBinary: true },
      { encoding: "msgpack", bytesMax: FRAME_BYTES_MAX },
    );
    expect(reading.kind === "refused" && reading.error.message).toMatch(/plain data/);
  });
});
