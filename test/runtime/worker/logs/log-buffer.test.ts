/** What comes out of pipes on its way into a log: nothing is lost without being counted. */
import { describe, expect, test } from "bun:test";
import { createLogBuffer } from "../../../../src/runtime/worker/logs/log-buffer.ts";
import type { Printed } from "../../../../src/runtime/worker/logs/printed.ts";
import { createRandom } from "../../../support/fuzz/random.ts";

const MIB = 1024 * 1024;

/** Where each emitted byte belongs in all that was pushed. */
function collect() {
  const parts: { readonly from: number; readonly printed: Printed }[] = [];
  let at = 0;
  const emit = (printed: Printed): void => {
    parts.push({
      from: at + printed.droppedBytes,
      printed: { ...printed, data: printed.data.slice() },
    });
    at += printed.droppedBytes + printed.data.byteLength;
  };
  return { parts, emit, end: () => at };
}

describe("a log's buffer", () => {
  test("lets out every byte at its place, or counts it, under chunks of any size", () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = createRandom(seed);
      const { parts, emit, end } = collect();
      const buffer = createLogBuffer(emit);
      const all: Uint8Array[] = [];
      const total = 3 * MIB;
      for (let pushed = 0; pushed < total; ) {
        const size = 1 + random.below([10, 1_000, 40_000, 600_000][random.below(4)] ?? 10);
        const chunk = new Uint8Array(size).map((_, i) => (pushed + i) % 251);
        buffer.push(random.below(2), chunk);
        all.push(chunk);
        pushed += size;
      }
      buffer.flush();
      const whole = Buffer.concat(all);
      expect(end()).toBe(whole.byteLength);
      for (const { from, printed } of parts) {
        const { data, lengths } = printed;
        expect(Buffer.compare(data, whole.subarray(from, from + data.byteLength))).toBe(0);
        expect(Array.from(lengths).reduce((sum, length) => sum + length, 0)).toBe(data.byteLength);
      }
    }
  });

  test("keeps the head and the tail of a flood, and little of its middle", () => {
    const { parts, emit, end } = collect();
    const buffer = createLogBuffer(emit);
    const chunk = new Uint8Array(64 * 1024).fill(120);
    for (let i = 0; i < 1_600; i++) buffer.push(1, chunk);
    buffer.push(1, Buffer.from("the end\n"));
    buffer.flush();
    expect(end()).toBe(100 * MIB + 8);
    const keptBytes = parts.reduce((sum, { printed }) => sum + printed.data.byteLength, 0);
    expect(parts[0]?.from).toBe(0);
    expect(keptBytes).toBeGreaterThan(MIB);
    expect(keptBytes).toBeLessThan(4 * MIB);
    expect(Buffer.from(parts.at(-1)?.printed.data ?? []).toString()).toEndWith("xthe end\n");
  });

  test("cuts where lines end when it lets go of much", () => {
    const { parts, emit } = collect();
    const buffer = createLogBuffer(emit);
    const line = `${"x".repeat(99)}\n`;
    for (let i = 0; i < 1_000; i++) buffer.push(0, Buffer.from(`${line}half`));
    for (let i = 0; i < parts.length; i++) {
      expect(parts[i]?.printed.data.at(-1)).toBe(0x0a);
    }
    expect(parts.length).toBeGreaterThan(2);
    buffer.flush();
  });

  test("lets go of a line that stays alone, with its stream", async () => {
    const out = Promise.withResolvers<Printed>();
    createLogBuffer(out.resolve).push(1, Buffer.from("a line\n"));
    const { streams, lengths, droppedBytes } = await out.promise;
    expect([Array.from(streams), Array.from(lengths), droppedBytes]).toEqual([[1], [7], 0]);
  });
});
