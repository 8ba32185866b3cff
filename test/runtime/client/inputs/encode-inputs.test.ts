import { describe, expect, test } from "bun:test";
import {
  type EncodedBatch,
  encodeInputs,
} from "../../../../src/runtime/client/inputs/encode-inputs.ts";
import { createManualClock, systemClock } from "../../../../src/runtime/platform/clock.ts";
import { valueAt } from "../../../../src/runtime/protocol/columns.ts";
import { decodeValue } from "../../../../src/runtime/protocol/value.ts";

function sourceOf(batches: AsyncIterable<readonly unknown[]> | readonly (readonly unknown[])[]) {
  async function* give(): AsyncGenerator<readonly unknown[]> {
    yield* batches;
  }
  return { label: "inputs", productSources: 0, isNone: false, batches: give() };
}

const options = { chunk: 0, head: undefined, clock: systemClock };

async function encode(
  batches: readonly (readonly unknown[])[],
  changes: { chunk?: number; head?: number } = {},
): Promise<EncodedBatch[]> {
  return await Array.fromAsync(encodeInputs(sourceOf(batches), { ...options, ...changes }));
}

const valuesOf = (batches: readonly EncodedBatch[]): unknown[] =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, row) => decodeValue(valueAt(batch.values, row))),
  );

describe("encoded inputs", () => {
  test("a single value is one batch that is known to be the last", async () => {
    const batches = await encode([[42]]);
    expect(batches.map(({ firstIndex, count, isLast }) => ({ firstIndex, count, isLast }))).toEqual(
      [{ firstIndex: 0, count: 1, isLast: true }],
    );
    expect(valuesOf(batches)).toEqual([42]);
  });

  test("a batch ends at a mebibyte or at the limit of tasks, and indexes go on", async () => {
    const text = "x".repeat(100_000);
    const large = await encode([Array.from({ length: 25 }, () => text)]);
    expect(large.map((batch) => batch.count)).toEqual([11, 11, 3]);
    expect(large.map((batch) => batch.firstIndex)).toEqual([0, 11, 22]);
    const many = await encode([Array.from({ length: 20_000 }, (_, i) => i)]);
    expect(many.map((batch) => batch.count)).toEqual([16_384, 3_616]);
    expect(valuesOf(many)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  });

  test("--chunk groups across the source's batches and keeps a shorter last one", async () => {
    expect(
      valuesOf(
        await encode(
          [
            [1, 2],
            [3, 4, 5],
            [6, 7],
          ],
          { chunk: 3 },
        ),
      ),
    ).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  test("--head counts inputs, before they are grouped, and reads no further", async () => {
    async function* endless(): AsyncGenerator<readonly unknown[]> {
      for (let i = 0; ; i += 2) yield [i, i + 1];
    }
    const batches = await Array.fromAsync(
      encodeInputs(sourceOf(endless()), { ...options, head: 5, chunk: 2 }),
    );
    expect(valuesOf(batches)).toEqual([[0, 1], [2, 3], [4]]);
  });

  test("a slow source gives away what there is", async () => {
    const clock = createManualClock();
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<readonly unknown[]> {
      yield ["first"];
      await gate.promise;
      yield ["second"];
    }
    const batches = encodeInputs(sourceOf(slow()), { ...options, clock });
    const first = batches.next();
    while (clock.pendingTimerCount === 0) await Promise.resolve();
    clock.advance(5);
    expect((await first).value).toMatchObject({ firstIndex: 0, count: 1, isLast: false });
    gate.resolve();
    expect((await batches.next()).value).toMatchObject({ firstIndex: 1, count: 1, isLast: true });
    expect((await batches.next()).done).toBe(true);
  });

  test("what cannot be carried is refused with the input and the path inside it", async () => {
    await expect(encode([[1, { rows: [{ f: () => 1 }] }]])).rejects.toThrow(
      /Input 1: The value at .rows\[0\].f is a function/,
    );
  });

  test("an input beyond the limit is refused with its size", async () => {
    await expect(encode([["x".repeat(8 * 1024 * 1024)]])).rejects.toThrow(
      /Input 0 has 8388611 bytes, an input may have at most 8388608/,
    );
  });

  test("no inputs at all are refused", async () => {
    await expect(encode([])).rejects.toThrow(/inputs has no inputs/);
    await expect(encode([[]])).rejects.toThrow(/no inputs/);
  });

  test("an error of the source passes, after what came before it", async () => {
    async function* breaking(): AsyncGenerator<readonly unknown[]> {
      yield Array.from({ length: 16_384 }, (_, i) => i);
      throw new Error("broken generator");
    }
    const batches = encodeInputs(sourceOf(breaking()), options);
    expect((await batches.next()).value).toMatchObject({ count: 16_384 });
    await expect(batches.next()).rejects.toThrow("broken generator");
  });
});
