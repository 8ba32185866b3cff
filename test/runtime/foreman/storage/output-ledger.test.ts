import { describe, expect, test } from "bun:test";
import {
  createOutputLedger,
  type OutputLedger,
  type StoredOutputFile,
  sortOutputs,
} from "../../../../src/runtime/foreman/storage/output-ledger.ts";
import { asBootId, asJobId, asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { OutputFile, OutputName } from "../../../../src/runtime/store/output-files.ts";

const MIB = 1024 * 1024;
const name = (changes: Partial<OutputName> = {}): OutputName => ({
  jobId: 1,
  index: 0,
  attempt: 1,
  assignment: 7,
  ...changes,
});
const pathOf = ({ jobId, index, attempt }: OutputName) => `${jobId}/${index}#${attempt}`;

/** A ledger over files in memory; `held` are the attempts that run. */
function createWorld(found: readonly (OutputFile & { readonly isRecorded: boolean })[] = []) {
  const disk = new Map<string, number>(found.map((file) => [pathOf(file), file.byteCount]));
  const held = new Set<string>();
  let gate: Promise<void> = Promise.resolve();
  const ledger = createOutputLedger({
    found,
    isHeld: (each) => held.has(pathOf(each)),
    onFault(thrown) {
      throw thrown;
    },
    files: {
      async write(each, firstByte, parts) {
        await gate;
        const end = parts.reduce((sum, part) => sum + part.byteLength, firstByte);
        disk.set(pathOf(each), Math.max(end, disk.get(pathOf(each)) ?? 0));
        return "ok";
      },
      async remove(each) {
        disk.delete(pathOf(each));
      },
      async removeJob(jobId) {
        for (const path of [...disk.keys()]) if (path.startsWith(`${jobId}/`)) disk.delete(path);
      },
    },
  });
  return {
    ledger,
    held,
    onDisk: async () => {
      await ledger.removed();
      return [...disk.keys()].sort();
    },
    /** Nothing is written until the answer is called. */
    holdWrites() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

async function arrive(
  { ledger, held }: { ledger: OutputLedger; held: Set<string> },
  of: OutputName,
  { whole = true }: { whole?: boolean } = {},
): Promise<StoredOutputFile> {
  held.add(pathOf(of));
  const output = ledger.begin(of);
  await ledger.append(output, [new Uint8Array(9 * MIB)]);
  output.isWhole = whole;
  return output;
}

function settled(
  of: OutputName,
  status: "completed" | "failed" | "cancelled" = "completed",
): Change {
  return {
    type: "settled",
    settlement: {
      jobId: asJobId(of.jobId),
      seq: 1,
      settledAtMs: 0,
      status,
      workerId: asWorkerId("w"),
      bootId: asBootId("boot-boot"),
      count: 1,
      indexes: { first: of.index },
      attempts: of.attempt,
      runUs: 1,
      values: { lengths: 1, data: new Uint8Array(1) },
    },
  };
}

const attemptEnded = ({ jobId }: OutputName): Change => ({
  type: "attemptsEnded",
  jobId: asJobId(jobId),
  rows: [],
});
const reopened = ({ jobId, index }: OutputName): Change => ({
  type: "reopened",
  jobId: asJobId(jobId),
  seq: 2,
  atMs: 0,
  count: 1,
  indexes: { first: index },
});

describe("an output", () => {
  test("is recorded by the end of its own attempt, and counts until then and after", async () => {
    const world = createWorld();
    const output = await arrive(world, name());
    expect([output.state, world.ledger.byteCount]).toEqual(["arriving", 9 * MIB]);
    world.held.clear();
    world.ledger.onCommitted([settled(name(), "failed")]);
    expect([output.state, world.ledger.bytesOf(1)]).toEqual(["recorded", 9 * MIB]);
    expect(await world.onDisk()).toEqual(["1/0#1"]);
  });

  test("goes with an attempt that another one, a cancellation or nobody ended", async () => {
    for (const end of [
      settled(name({ attempt: 2 })),
      settled(name(), "cancelled"),
      attemptEnded(name()),
    ]) {
      const world = createWorld();
      const output = await arrive(world, name());
      world.held.clear();
      world.ledger.onCommitted([end]);
      expect([output.state, world.ledger.byteCount]).toEqual(["gone", 0]);
      expect(await world.onDisk()).toEqual([]);
    }
  });

  test("that was not whole when its task was settled is no result's", async () => {
    const world = createWorld();
    await arrive(world, name(), { whole: false });
    world.held.clear();
    world.ledger.onCommitted([settled(name(), "failed")]);
    expect(await world.onDisk()).toEqual([]);
  });

  test("goes when its assignment is over, and stays while another boot has taken that over", async () => {
    const world = createWorld();
    await arrive(world, name());
    const shrunk: Change = {
      type: "assignmentShrunk",
      assignmentId: 7 as never,
      remaining: null,
    };
    world.ledger.onCommitted([shrunk]);
    expect(await world.onDisk()).toEqual(["1/0#1"]);
    world.held.clear();
    world.ledger.onCommitted([shrunk]);
    expect(await world.onDisk()).toEqual([]);
  });

  test("goes when its task is queued again, and leaves others of the job alone", async () => {
    const world = createWorld();
    for (const index of [0, 1]) await arrive(world, name({ index }));
    world.ledger.onCommitted([settled(name()), settled(name({ index: 1 }))]);
    world.held.clear();
    world.ledger.onCommitted([reopened(name())]);
    expect(await world.onDisk()).toEqual(["1/1#1"]);
    expect(world.ledger.find(1, 0, 7)).toBeNull();
  });

  test("goes with its job, also one that is being written just then", async () => {
    const world = createWorld();
    await arrive(world, name());
    await arrive(world, name({ jobId: 2 }));
    const output = await arrive(world, name({ index: 1, assignment: 8 }), { whole: false });
    const release = world.holdWrites();
    const writing = world.ledger.append(output, [new Uint8Array(MIB)]);
    world.ledger.onCommitted([{ type: "jobRemoved", jobId: asJobId(1) }]);
    release();
    expect(await writing).toBe("ok");
    expect(await world.onDisk()).toEqual(["2/0#1"]);
    expect(world.ledger.byteCount).toBe(9 * MIB);
  });

  test("counts less after a rewind, and is written on from there", async () => {
    const world = createWorld();
    const output = await arrive(world, name());
    await world.ledger.rewind(output, 3 * MIB);
    expect([output.byteCount, output.isWhole, world.ledger.byteCount]).toEqual([
      3 * MIB,
      false,
      3 * MIB,
    ]);
    await world.ledger.append(output, [new Uint8Array(MIB)]);
    expect(world.ledger.bytesOf(1)).toBe(4 * MIB);
  });
});

describe("after a start", () => {
  const file = (changes: Partial<OutputFile>): OutputFile => ({
    ...name(),
    byteCount: 9 * MIB,
    ...changes,
  });

  test("what runs and what a result has stays; the rest is removed", async () => {
    const removed: OutputName[] = [];
    const files = [
      file({ index: 0 }),
      file({ index: 1, attempt: 2 }),
      file({ index: 1, attempt: 1 }),
      file({ index: 2 }),
      file({ jobId: 5 }),
    ];
    const kept = await sortOutputs(
      {
        list: async () => files,
        remove: async (each) => void removed.push(each),
        removeEmptyFolders: async () => {},
      },
      {
        isHeld: ({ jobId, index }) => jobId === 1 && index === 0,
        settledBy: async (jobId, index) => (jobId === 1 && index === 1 ? 2 : null),
      },
    );
    expect(kept.map(({ index, isRecorded }) => [index, isRecorded])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(removed).toEqual(files.slice(2));
  });

  test("a file whose worker was told that it is whole is recorded with its result", async () => {
    const world = createWorld([{ ...file({}), isRecorded: false }]);
    world.ledger.onCommitted([settled(name())]);
    expect(await world.onDisk()).toEqual(["1/0#1"]);
    expect(world.ledger.find(1, 0, 7)?.state).toBe("recorded");
  });
});
