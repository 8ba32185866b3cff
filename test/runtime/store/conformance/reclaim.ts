/** Forgetting: gone for readers at once, freed slice by slice, and bounds on what belongs to no job. */
import assert from "node:assert/strict";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { ReclaimLimits, ReclaimOutcome, Store } from "../../../../src/runtime/store/store.ts";
import {
  attemptEnd,
  exception,
  inputs,
  jobFacts,
  NOW_MS,
  reclaimLimits,
  settled,
  W1,
} from "../builders.ts";
import type { Suite } from "./suite.ts";

const SETTLEMENTS = 30;

function bigJob(jobId: number): Change[] {
  const id = asJobId(jobId);
  const each = Array.from({ length: SETTLEMENTS }, (_, index) => index);
  return [
    { type: "jobCreated", facts: jobFacts(jobId, { inputCount: SETTLEMENTS }) },
    ...each.map((index) => inputs(jobId, index, [`input ${index}`])),
    ...each.map((index) => settled({ jobId: id, seq: index + 1, indexes: [index] })),
    { type: "taskExceptions", jobId: id, written: each.map((i) => exception(i)), removed: [] },
    {
      type: "attemptsEnded",
      jobId: id,
      rows: each.flatMap((i) => [attemptEnd(i, 1), attemptEnd(i, 2)]),
    },
    eventOf(jobId, NOW_MS),
  ];
}

const eventOf = (jobId: number | null, atMs: number): Change => ({
  type: "eventRecorded",
  event: {
    atMs,
    kind: "noted",
    jobId: jobId === null ? null : asJobId(jobId),
    index: null,
    workerId: jobId === null ? W1 : null,
    body: "{}",
  },
});

const remove = (jobId: number): Change => ({ type: "jobRemoved", jobId: asJobId(jobId) });

async function isWhole(store: Store, jobId: number): Promise<boolean> {
  const id = asJobId(jobId);
  const fold = await store.readFold(id, SETTLEMENTS);
  const settlements = await store.readSettlements(id, { seq: 1, limit: 100, bytesMax: 2 ** 20 });
  const ends = await store.readAttemptEnds(id, null, 100);
  const input = await store.readInputChunk(id, SETTLEMENTS - 1);
  const found = [fold.status.every((status) => status === 1), settlements.length, ends.length];
  if (input === null) {
    assert.deepEqual(found, [false, 0, 0], "all of it or nothing");
    assert.equal(await store.readJob(id), null);
    return false;
  }
  assert.deepEqual(found, [true, SETTLEMENTS, 2 * SETTLEMENTS], "all of it or nothing");
  return true;
}

const seqsIn = async (store: Store): Promise<number[]> => {
  const filter = { jobId: null, workerId: null, afterSeq: 0, limit: 99 };
  return (await store.readEvents(filter)).map(({ seq }) => seq);
};

async function reclaimAll(store: Store, limits: Partial<ReclaimLimits> = {}): Promise<void> {
  let calls = 0;
  for (let outcome: ReclaimOutcome = "more"; outcome !== "done"; calls++) {
    assert.ok(calls < 10_000, "it comes to an end");
    outcome = await store.reclaim(reclaimLimits(limits));
    assert.notEqual(outcome, "later");
  }
}

export function suiteOfReclaim(suite: Suite): void {
  suite("nothing is reclaimed where nothing is forgotten", async (store) => {
    await store.commit(bigJob(1));
    assert.equal(await store.reclaim(reclaimLimits()), "done");
    assert.equal(await isWhole(store, 1), true);
  });

  suite("a removed job is gone at once, before and between the slices", async (store, restart) => {
    await store.commit([...bigJob(1), ...bigJob(2), ...bigJob(3)]);
    await store.commit([remove(1), remove(3)]);
    assert.deepEqual([await isWhole(store, 1), await isWhole(store, 2)], [false, true]);
    for (let slice = 0; slice < 5; slice++) {
      await store.reclaim(reclaimLimits({ rowsMax: 7 }));
      assert.equal(await isWhole(store, 1), false);
      assert.equal(await isWhole(store, 3), false);
    }
    const reopened = await restart();
    assert.equal((await reopened.load()).nextJobId, 4);
    await reclaimAll(reopened, { rowsMax: 7 });
    assert.deepEqual(
      [await isWhole(reopened, 1), await isWhole(reopened, 2), await isWhole(reopened, 3)],
      [false, true, false],
    );
    assert.deepEqual(await seqsIn(reopened), [2]);
  });

  suite("a slice of few bytes gets to its end, too", async (store) => {
    await store.commit(bigJob(1));
    await store.commit([remove(1)]);
    await reclaimAll(store, { bytesMax: 1 });
    assert.equal(await store.readJobBytes(asJobId(1)), 0);
  });

  suite("a job's size is that of its inputs, results and errors", async (store) => {
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      inputs(1, 0, ["four", "five5"]),
      settled({ seq: 1, indexes: [0], texts: ["abc"] }),
      { type: "attemptsEnded", jobId: asJobId(1), rows: [attemptEnd(1, 1)] },
    ]);
    assert.equal(await store.readJobBytes(asJobId(1)), 4 + 5 + 3 + 4);
    assert.equal(await store.readJobBytes(asJobId(2)), 0);
    await store.commit([remove(1)]);
    assert.equal(await store.readJobBytes(asJobId(1)), 0);
  });

  suite("events of no job are bounded by number, the oldest go first", async (store) => {
    await store.commit([{ type: "jobCreated", facts: jobFacts(1) }, eventOf(1, NOW_MS)]);
    await store.commit(Array.from({ length: 20 }, () => eventOf(null, NOW_MS)));
    await reclaimAll(store, { eventsMax: 5, rowsMax: 4 });
    assert.deepEqual(await seqsIn(store), [1, 17, 18, 19, 20, 21]);
    await store.commit([eventOf(null, NOW_MS)]);
    await reclaimAll(store, { eventsMax: 5 });
    assert.deepEqual(await seqsIn(store), [1, 18, 19, 20, 21, 22]);
  });

  suite("events of no job are bounded by age", async (store) => {
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      eventOf(null, NOW_MS - 100),
      eventOf(1, NOW_MS - 100),
      eventOf(null, NOW_MS - 10),
    ]);
    await reclaimAll(store, { eventAgeMsMax: 50 });
    assert.deepEqual(await seqsIn(store), [2, 3]);
  });
}
