import { describe, expect, test } from "bun:test";
import {
  createTailOutput,
  createWholeOutput,
} from "../../../../src/runtime/worker/commands/bounded-output.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (kept: Uint8Array) => new TextDecoder().decode(kept);

describe("output kept whole", () => {
  test("is what was pushed, up to the limit itself", () => {
    const output = createWholeOutput(5);
    expect([output.push(bytes("abc")), output.push(bytes("de"))]).toEqual([true, true]);
    expect(text(output.take())).toBe("abcde");
  });

  test("refuses what goes one byte beyond", () => {
    const output = createWholeOutput(5);
    expect([output.push(bytes("abc")), output.push(bytes("def"))]).toEqual([true, false]);
    expect(text(output.take())).toBe("abc");
  });
});

describe("the tail of an output", () => {
  test("is everything up to the limit", () => {
    const output = createTailOutput(4);
    output.push(bytes("ab"));
    output.push(bytes("cd"));
    const { bytes: kept, droppedBytes } = output.take();
    expect([text(kept), droppedBytes]).toEqual(["abcd", 0]);
  });

  test("is the last bytes, and the others are counted", () => {
    const output = createTailOutput(4);
    for (let i = 0; i < 1000; i++) output.push(bytes(`${i % 10}`));
    output.push(bytes("a very long chunk: wxyz"));
    const { bytes: kept, droppedBytes } = output.take();
    expect([text(kept), droppedBytes]).toEqual(["wxyz", 1019]);
  });
});
