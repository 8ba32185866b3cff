/** The groups of a job's failures are those of the tasks that have failed, whatever happened before. */
import { describe, expect, test } from "bun:test";
import { groupsByCount } from "../../../../src/runtime/foreman/reading/failure-groups.ts";
import {
  createFailureLedger,
  type FailureLedger,
} from "../../../../src/runtime/foreman/reading/failure-ledger.ts";
import { systemClock } from "../../../../src/runtime/platform/clock.ts";
import { encodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { JobFacts, Settlement } from "../../../../src/runtime/scheduler/foreman/facts.ts";
import { createRandom, nextRandom } from "../../../../src/runtime/scheduler/foreman/random.ts";
import { createMemoryStore, type MemoryStore } from "../../../../src/runtime/store/memory.ts";
import { JOB1, jobFacts, NOW_MS, reopened, settlement } from "../../store/builders.ts";

const TASKS = 400;
const MESSAGES = ["disk full", "no such host", "out of luck", "it is Monday"];

/** A job's tasks as a list, with the store and the ledger that are told of all that happens to them. */
interface World {
  readonly store: MemoryStore;
  ledger: FailureLedger;
  /** The message of each failed task. */
  readonly failed: Map<number, string>;
  nextSeq: number;
  nowMs: number;
  /** Of the settlement that holds a task's result. */
  readonly seqs: Uint32Array;
}

async function createWorld(): Promise<World> {
  const store = createMemoryStore();
  await store.commit([{ type: "jobCreated", facts: jobFacts(1, { inputCount: TASKS }) }]);
  const world: World = {
    store,
    ledger: undefined as never,
    failed: new Map(),
    nextSeq: 1,
    nowMs: NOW_MS,
    seqs: new Uint32Array(TASKS),
  };
  world.ledger = restart(world);
  return world;
}

const restart = (world: World): FailureLedger =>
  createFailureLedger({
    store: world.store,
    clock: systemClock,
    nowMs: () => world.nowMs,
    jobs: {
      async resultsSource() {
        const { nextSeq } = world;
        const seqOf = (index: number): number => {
          const seq = world.seqs[index] ?? 0;
          return seq < nextSeq ? seq : 0;
        };
        return {
          inputCount: TASKS,
          inputsClosed: true,
          finished: false,
          nextSettleSeq: nextSeq,
          seqOf,
        };
      },
    },
  });

const factsOf = ({ failed, nextSeq }: World): JobFacts =>
  jobFacts(1, { inputCount: TASKS, failed: failed.size, nextSettleSeq: nextSeq });

async function commit(world: World, change: Change): Promise<void> {
  const changes: Change[] = [change, { type: "jobChanged", facts: factsOf(world) }];
  await world.store.commit(changes);
  world.ledger.onCommitted(changes);
}

async function settle(
  world: World,
  indexes: readonly number[],
  messageOf: ((index: number) => string) | null,
): Promise<void> {
  if (indexes.length === 0) return;
  const seq = world.nextSeq++;
  const plain = settlement({ seq, indexes, status: messageOf === null ? "completed" : "failed" });
  const values = indexes.map((index) =>
    encodeFailure({ code: "error", message: messageOf?.(index) ?? "" }),
  );
  const data = new Uint8Array(values.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const value of values) {
    data.set(value, at);
    at += value.byteLength;
  }
  const lengths = Uint32Array.from(values, ({ byteLength }) => byteLength);
  for (const index of indexes) {
    world.seqs[index] = seq;
    if (messageOf !== null) world.failed.set(index, messageOf(index));
  }
  const told: Settlement =
    messageOf === null ? plain : { ...plain, settledAtMs: world.nowMs, values: { lengths, data } };
  await commit(world, { type: "settled", settlement: told });
}

async function reopen(world: World, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return;
  for (const index of indexes) {
    world.seqs[index] = 0;
    world.failed.delete(index);
  }
  await commit(world, reopened(world.nextSeq++, indexes));
}

function countsOf(ledger: FailureLedger): Record<string, number> {
  const groups = ledger.groupsOf(JOB1);
  const rows = groups === null ? [] : groupsByCount(groups);
  return Object.fromEntries(rows.map(({ message, count }) => [message, count]));
}

function countMessages({ failed }: World): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const message of failed.values()) counts[message] = (counts[message] ?? 0) + 1;
  return counts;
}

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

describe("the ledger", () => {
  test("is current with each commit, without a look at the log", async () => {
    const world = await createWorld();
    await settle(world, range(0, 5), (index) => MESSAGES[index % 2] as string);
    await settle(world, range(5, 3), null);
    await settle(world, range(8, 2), () => "disk full");
    expect(countsOf(world.ledger)).toEqual({ "disk full": 5, "no such host": 2 });
  });

  test("knows after a restart what the log says, once somebody asks", async () => {
    const world = await createWorld();
    await settle(world, range(0, 5), (index) => MESSAGES[index % 2] as string);
    world.ledger = restart(world);
    expect(world.ledger.groupsOf(JOB1)).toBeNull();
    await world.ledger.refresh(factsOf(world));
    expect(countsOf(world.ledger)).toEqual(countMessages(world));
  });

  test("forgets what was queued again, all of it at once and some when asked", async () => {
    const world = await createWorld();
    await settle(world, range(0, 6), (index) => MESSAGES[index % 2] as string);
    await reopen(world, [0, 1]);
    await world.ledger.refresh(factsOf(world));
    expect(countsOf(world.ledger)).toEqual({ "disk full": 2, "no such host": 2 });
    await reopen(world, [2, 3, 4, 5]);
    expect(countsOf(world.ledger)).toEqual({});
  });

  test("takes in what fails while the log is read", async () => {
    const world = await createWorld();
    await settle(world, range(0, 50), () => "disk full");
    world.ledger = restart(world);
    const reading = world.ledger.refresh(factsOf(world));
    await settle(world, range(50, 7), () => "no such host");
    await reading;
    expect(countsOf(world.ledger)).toEqual({ "disk full": 50, "no such host": 7 });
  });

  test("looks into a bounded number a second and into the rest for who asks", async () => {
    const world = await createWorld();
    const word = (index: number): string =>
      String.fromCharCode(97 + (index % 26)).repeat(1 + index / 26);
    await settle(world, range(0, TASKS), word);
    expect(world.ledger.groupsOf(JOB1)).toMatchObject({ count: TASKS, lookedInto: 200 });
    await world.ledger.refresh(factsOf(world));
    expect(world.ledger.groupsOf(JOB1)).toMatchObject({ count: TASKS, lookedInto: TASKS });
  });

  test("gives up the oldest jobs' groups when there are very many", async () => {
    const world = await createWorld();
    const message = "m".repeat(8_000);
    for (let jobId = 1; jobId <= 2_000; jobId++) {
      const value = encodeFailure({ code: "error", message });
      const { settledAtMs: _at, ...fields } = settlement({
        seq: 1,
        indexes: [0],
        status: "failed",
      });
      const values = { lengths: value.byteLength, data: value };
      const settledAtMs = NOW_MS + jobId * 100;
      const told = { ...fields, jobId: jobFacts(jobId).jobId, values, settledAtMs };
      world.ledger.onCommitted([{ type: "settled", settlement: told }]);
    }
    expect(world.ledger.groupsOf(JOB1)).toBeNull();
    expect(world.ledger.groupsOf(jobFacts(2_000).jobId)?.count).toBe(1);
    world.ledger.onCommitted([{ type: "jobRemoved", jobId: jobFacts(2_000).jobId }]);
    expect(world.ledger.groupsOf(jobFacts(2_000).jobId)).toBeNull();
  });
});

test("after random settlements, retries and restarts a refresh tells the truth", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = createRandom(seed);
    const pick = (bound: number): number => Math.floor(nextRandom(random) * bound);
    const world = await createWorld();
    const some = (from: readonly number[]): number[] =>
      from.filter(() => pick(4) === 0).slice(0, 60);
    for (let round = 0; round < 40; round++) {
      world.nowMs += pick(20_000);
      const open = range(0, TASKS).filter((index) => world.seqs[index] === 0);
      const dice = pick(10);
      if (dice < 5)
        await settle(world, some(open), (index) => MESSAGES[(index + seed) % 4] as string);
      else if (dice < 7) await settle(world, some(open), null);
      else if (dice < 9) await reopen(world, some([...world.failed.keys()].sort((a, b) => a - b)));
      else world.ledger = restart(world);
      if (pick(3) > 0) continue;
      // What was read within the last seconds is not read again.
      world.nowMs += 7_000;
      await world.ledger.refresh(factsOf(world));
      expect({ seed, round, ...countsOf(world.ledger) }).toEqual({
        seed,
        round,
        ...countMessages(world),
      });
    }
  }
});
