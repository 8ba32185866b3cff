import { describe, expect, test } from "bun:test";
import { createInputWindow } from "../../../../src/runtime/foreman/reading/input-window.ts";
import {
  type IndexColumn,
  type ValueColumn,
  ValueColumnBuilder,
  valueAt,
} from "../../../../src/runtime/protocol/columns.ts";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import { decodeValue, encodeValue } from "../../../../src/runtime/protocol/value.ts";
import type { InputChunk } from "../../../../src/runtime/store/store.ts";

const JOB = asJobId(7);

function chunkOf(firstIndex: number, count: number): InputChunk {
  const builder = new ValueColumnBuilder();
  for (let i = 0; i < count; i++) encodeValue(`input ${firstIndex + i}`, builder);
  return { firstIndex, count, values: builder.take() };
}

/** A store of chunks of ten inputs that counts how often it is asked. */
function storeOfChunks(): { reads: number[]; readInputChunk: () => Promise<InputChunk | null> } {
  const reads: number[] = [];
  const readInputChunk = async (_job?: unknown, index = 0): Promise<InputChunk | null> => {
    const first = Math.floor(index / 10) * 10;
    reads.push(first);
    return chunkOf(first, 10);
  };
  return { reads, readInputChunk };
}

function textsOf(column: ValueColumn, count: number): unknown[] {
  return Array.from({ length: count }, (_, row) => decodeValue(valueAt(column, row)));
}

async function readTexts(
  window: ReturnType<typeof createInputWindow>,
  indexes: IndexColumn,
  count: number,
): Promise<unknown[]> {
  return textsOf(await window.read(JOB, indexes, count), count);
}

describe("the window over a job's inputs", () => {
  test("a stretch over three chunks is joined in order", async () => {
    const window = createInputWindow(storeOfChunks());
    const texts = await readTexts(window, { first: 8 }, 14);
    expect(texts).toEqual(Array.from({ length: 14 }, (_, i) => `input ${8 + i}`));
  });

  test("any list of indexes comes in its own order", async () => {
    const window = createInputWindow(storeOfChunks());
    const wanted = [33, 2, 1, 30, 2];
    expect(await readTexts(window, Uint32Array.from(wanted), 5)).toEqual(
      wanted.map((index) => `input ${index}`),
    );
  });

  test("an input that is not there is nothing for whoever looks on, not a fault", async () => {
    const window = createInputWindow({ readInputChunk: async () => null });
    expect(await window.readOne(JOB, 3)).toBeNull();
    window.prime(JOB, chunkOf(0, 10));
    const input = window.readOne(JOB, 3);
    expect(input).not.toBeInstanceOf(Promise);
    expect(decodeValue((await input) ?? new Uint8Array(0))).toBe("input 3");
    expect(await window.readOne(JOB, 10)).toBeNull();
    const others = createInputWindow(storeOfChunks());
    expect(decodeValue((await others.readOne(JOB, 27)) ?? new Uint8Array(0))).toBe("input 27");
  });

  test("a chunk that was just committed is not read back", () => {
    const store = storeOfChunks();
    const window = createInputWindow(store);
    window.prime(JOB, chunkOf(0, 10));
    const column = window.read(JOB, { first: 3 }, 2);
    expect(column).not.toBeInstanceOf(Promise);
    expect(textsOf(column as ValueColumn, 2)).toEqual(["input 3", "input 4"]);
    expect(store.reads).toEqual([]);
  });

  test("a chunk is read once for many assignments, and again after the job was forgotten", async () => {
    const store = storeOfChunks();
    const window = createInputWindow(store);
    await window.read(JOB, { first: 0 }, 5);
    await window.read(JOB, { first: 5 }, 5);
    expect(store.reads).toEqual([0]);
    window.forget(JOB);
    await window.read(JOB, { first: 0 }, 1);
    expect(store.reads).toEqual([0, 0]);
  });

  test("memory stays bounded: the chunks used first make room", async () => {
    const store = storeOfChunks();
    const window = createInputWindow(store);
    const large: ValueColumn = { lengths: 1024 * 1024, data: new Uint8Array(8 * 1024 * 1024) };
    for (let i = 0; i < 5; i++)
      window.prime(JOB, { firstIndex: 100 + 8 * i, count: 8, values: large });
    expect(window.read(JOB, { first: 132 }, 1)).not.toBeInstanceOf(Promise);
    await window.read(JOB, { first: 100 }, 1);
    expect(store.reads).toEqual([100]);
  });
});
