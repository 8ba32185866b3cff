import { describe, expect, test } from "bun:test";
import { createInputWindow } from "../../../../src/runtime/foreman/reading/input-window.ts";
import {
  createResultsReader,
  type ReadResults,
  type ResultsSource,
} from "../../../../src/runtime/foreman/reading/results-reader.ts";
import { createSettlementCache } from "../../../../src/runtime/foreman/reading/settlement-cache.ts";
import {
  compactIndexes,
  expandIndexes,
  ValueColumnBuilder,
  valueAt,
} from "../../../../src/runtime/protocol/columns.ts";
import { asBootId, asJobId, asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import { decodeValue, encodeValue } from "../../../../src/runtime/protocol/value.ts";
import type { InputChunk, SettlementChunk } from "../../../../src/runtime/store/store.ts";

const JOB = asJobId(1);

/** A settlement whose results are `index * 10`. */
function settlement(seq: number, indexes: readonly number[]): SettlementChunk {
  const builder = new ValueColumnBuilder();
  for (const index of indexes) encodeValue(index * 10, builder);
  return {
    jobId: JOB,
    seq,
    status: "completed",
    workerId: asWorkerId(`w${seq}`),
    bootId: asBootId("boot-0001"),
    settledAtMs: 0,
    count: indexes.length,
    indexes: compactIndexes(Uint32Array.from(indexes)),
    attempts: 1,
    runUs: 100,
    values: builder.take(),
    sharedValue: false,
  };
}

interface World {
  readonly chunks: readonly SettlementChunk[];
  readonly inputCount: number;
  readonly closed?: boolean;
  readonly finished?: boolean;
  readonly reopened?: Uint32Array;
  /** The chunk that holds an input. */
  readonly input?: (index: number) => InputChunk;
}

function sourceOf(world: World): ResultsSource {
  const seqs = new Map<number, number>();
  for (const chunk of world.chunks) {
    for (const index of expandIndexes(chunk.indexes, chunk.count)) seqs.set(index, chunk.seq);
  }
  return {
    inputCount: world.inputCount,
    inputsClosed: world.closed ?? true,
    finished: world.finished ?? false,
    nextSettleSeq: world.chunks.length + 1,
    seqOf: (index) => seqs.get(index) ?? 0,
  };
}

async function read(world: World, request: Partial<ReadResults>) {
  const readSettlement = async (_job: unknown, seq: number) =>
    world.chunks.find((chunk) => chunk.seq === seq) ?? null;
  const reader = createResultsReader({
    cache: createSettlementCache({ readSettlement }),
    window: createInputWindow({ readInputChunk: async (_, index) => world.input?.(index) ?? null }),
    readReopened: async () => world.reopened ?? null,
  });
  const { answer, complete } = await reader.read(
    {
      type: "read_results",
      request: 1,
      job_id: JOB,
      order: "index",
      after: 0,
      bytes_max: 1_000_000,
      wait: false,
      skip_holes: false,
      ...request,
    },
    sourceOf(world),
  );
  const values = Array.from({ length: answer.count }, (_, row) =>
    decodeValue(valueAt(answer.value, row)),
  );
  return { answer, complete, values, indexes: [...answer.index] };
}

describe("reading by index", () => {
  const outOfOrder = {
    chunks: [settlement(1, [4, 5, 6]), settlement(2, [0, 1]), settlement(3, [9, 2])],
    inputCount: 10,
  };

  test("results that settled out of order come in input order, up to the first hole", async () => {
    const { indexes, values, answer } = await read(outOfOrder, { wait: true });
    expect(indexes).toEqual([0, 1, 2]);
    expect(values).toEqual([0, 10, 20]);
    expect(answer.next_after).toBe(3);
    expect(answer.end).toBe(false);
  });

  test("holes can be skipped, and the end is told", async () => {
    const { indexes, answer } = await read(outOfOrder, { skip_holes: true });
    expect(indexes).toEqual([0, 1, 2, 4, 5, 6, 9]);
    expect(answer.end).toBe(true);
  });

  test("a request that waits is complete only with a result or at the end", async () => {
    expect((await read(outOfOrder, { after: 3, wait: true })).complete).toBe(false);
    const whole = { chunks: [settlement(1, [0, 1])], inputCount: 2 };
    const last = await read(whole, { after: 2, wait: true });
    expect(last.complete).toBe(true);
    expect(last.answer.end).toBe(true);
  });

  test("open inputs are no end even when everything so far is read", async () => {
    const open = { chunks: [settlement(1, [0, 1])], inputCount: 2, closed: false };
    const { answer, complete } = await read(open, { after: 2, wait: true });
    expect([answer.end, complete]).toEqual([false, false]);
  });

  test("the byte limit cuts an answer, and the cursor goes on where it ended", async () => {
    const many = {
      chunks: [
        settlement(
          1,
          Array.from({ length: 100 }, (_, i) => i),
        ),
      ],
      inputCount: 100,
    };
    const seen: number[] = [];
    for (let after = 0, end = false; !end; ) {
      const { answer, indexes } = await read(many, { after, bytes_max: 50, wait: true });
      seen.push(...indexes);
      after = answer.next_after;
      end = answer.end;
      expect(answer.value.data.byteLength).toBeLessThanOrEqual(60);
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("after a retry only the reopened tasks are read", async () => {
    const world = { ...outOfOrder, reopened: Uint32Array.from([9, 2, 5]) };
    const { indexes, answer } = await read(world, { reopened_by: 1 });
    expect(indexes).toEqual([2, 5, 9]);
    expect(answer.end).toBe(true);
  });

  test("a retry that never was is an error", async () => {
    await expect(read(outOfOrder, { reopened_by: 99 })).rejects.toThrow(
      "no retry with the number 99",
    );
  });

  test("each row names its worker", async () => {
    const { answer } = await read(outOfOrder, { skip_holes: true });
    const workers = Array.from({ length: answer.count }, (_, row) => {
      const column = answer.worker;
      return answer.worker_name[typeof column === "number" ? column : (column[row] ?? -1)];
    });
    expect(workers).toEqual(["w2", "w2", "w3", "w1", "w1", "w1", "w3"]);
  });
});

describe("reading by settlement", () => {
  test("results come as they settled, each once, whatever the page size", async () => {
    const world = {
      chunks: [settlement(1, [4, 5, 6]), settlement(2, [0, 1])],
      inputCount: 7,
      finished: true,
    };
    const seen: number[] = [];
    for (let after = 0, end = false; !end; ) {
      const { answer, indexes } = await read(world, { order: "settled", after, bytes_max: 1 });
      seen.push(...indexes);
      after = answer.next_after;
      end = answer.end;
    }
    expect(seen).toEqual([4, 5, 6, 0, 1]);
  });

  test("a result that a retry replaced is not read again", async () => {
    const world = { chunks: [settlement(1, [0, 1]), settlement(2, [1])], inputCount: 2 };
    const { indexes } = await read(world, { order: "settled" });
    expect(indexes).toEqual([0, 1]);
  });

  test("one value that stands for many tasks is told for each", async () => {
    const shared: SettlementChunk = {
      ...settlement(1, [0]),
      status: "cancelled",
      count: 3,
      indexes: Uint32Array.from([0, 1, 2]),
      sharedValue: true,
    };
    const { indexes, answer } = await read(
      { chunks: [shared], inputCount: 3 },
      { order: "settled" },
    );
    expect(indexes).toEqual([0, 1, 2]);
    expect(answer.status).toBe(2);
  });
});

describe("inputs that go along", () => {
  /** Each in a chunk of its own, so many bytes long. */
  const inputsOf =
    (lengthOf: (index: number) => number) =>
    (index: number): InputChunk => ({
      firstIndex: index,
      count: 1,
      values: { lengths: lengthOf(index), data: new Uint8Array(lengthOf(index)).fill(1) },
    });
  const MIB = 1024 * 1024;
  const world = { chunks: [settlement(1, [0, 1, 2, 3, 4, 5])], inputCount: 6, finished: true };

  test("are counted: a page has the rows whose inputs fit", async () => {
    const large = { ...world, input: inputsOf((index) => (index === 3 ? 8 : 1.5) * MIB) };
    const pages: number[][] = [];
    for (let after = 0; after < 6; ) {
      const { answer, indexes } = await read(large, { inputs: true, after });
      expect(answer.input?.data.byteLength).toBeWithin(1, 9 * MIB);
      pages.push(indexes);
      after = answer.next_after;
      expect(answer.end).toBe(after === 6);
    }
    expect(pages).toEqual([[0, 1], [2], [3], [4, 5]]);
  });

  test("stay behind where a single row with its result would not fit a frame", async () => {
    const value = { lengths: 8 * MIB, data: new Uint8Array(8 * MIB) };
    const chunks = [{ ...settlement(1, [0]), values: value }];
    const input = inputsOf(() => 8 * MIB);
    const { answer } = await read({ chunks, inputCount: 1, input }, { inputs: true });
    expect([answer.count, answer.input, answer.end]).toEqual([1, undefined, true]);
  });
});
