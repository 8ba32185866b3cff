import { describe, expect, test } from "bun:test";
import { primeBatches } from "../../../../src/runtime/client/inputs/prime-batches.ts";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";

async function* numbers(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

async function all<Batch>(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const taken: Batch[] = [];
  for await (const batch of batches) taken.push(batch);
  return taken;
}

describe("batches that are asked for early", () => {
  test("come all, in their order", async () => {
    expect(await all(await primeBatches(numbers(), createManualClock()))).toEqual([1, 2]);
  });

  test("fail before anything else when the source fails at once", async () => {
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.reject(new Error("no file"));
    }
    await expect(primeBatches(failing(), createManualClock())).rejects.toThrow("no file");
  });

  test("let a slow source go on, whose failure comes with its first batch", async () => {
    const clock = createManualClock();
    const gate = Promise.withResolvers<number>();
    async function* slow(): AsyncGenerator<number> {
      yield await gate.promise;
    }
    const priming = primeBatches(slow(), clock);
    clock.advance(100);
    const batches = await priming;
    gate.reject(new Error("late"));
    await expect(all(batches)).rejects.toThrow("late");
  });

  test("close their source when nobody wants more", async () => {
    let isClosed = false;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield 1;
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of await primeBatches(endless(), createManualClock())) break;
    expect(isClosed).toBe(true);
  });
});
