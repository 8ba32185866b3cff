/** The settlement log: its fold, its rows, and a task's history. */
import assert from "node:assert/strict";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { SettlementChunk, Store } from "../../../../src/runtime/store/store.ts";
import {
  foldText,
  JOB1,
  jobFacts,
  listOf,
  reopened,
  restCancelled,
  settled,
  settlement,
  textsOf,
} from "../builders.ts";
import type { Suite } from "./suite.ts";

/** A retry, a cancelled rest, and a retry of part of that. */
const STORY: readonly Change[] = [
  settled({ seq: 1, indexes: [0, 1, 2], runUs: 5 }),
  settled({ seq: 2, indexes: [5, 3], status: "failed", attempts: Uint32Array.of(2, 1) }),
  reopened(3, [5, 3]),
  settled({ seq: 4, indexes: [5], attempts: 3, runUs: Uint32Array.of(7) }),
  restCancelled(5, 8, 4),
  reopened(6, [6, 7]),
  settled({ seq: 7, indexes: [7], status: "cancelled", attempts: 0 }),
];

async function tell(store: Store, story: readonly Change[] = STORY): Promise<void> {
  await store.commit([{ type: "jobCreated", facts: jobFacts(1, { inputCount: 8 }) }, ...story]);
}

function summary(chunk: SettlementChunk | null): unknown {
  if (!chunk) return null;
  const { seq, status, count, indexes, attempts, sharedValue, values } = chunk;
  const rows = sharedValue ? 1 : count;
  const texts = textsOf(values, rows);
  return { seq, status, indexes: listOf(indexes, count), attempts, sharedValue, texts };
}

export function suiteOfLog(suite: Suite): void {
  suite("the fold tells what is settled, by which attempt and row", async (store, restart) => {
    await tell(store);
    const expected = "C1@1 C1@1 C1@1 X1@5 X0@5 C3@4 -0@0 X0@7";
    assert.equal(foldText(await store.readFold(JOB1, 8)), expected);
    const reopenedStore = await restart();
    const [job] = (await reopenedStore.load()).jobs;
    assert.ok(job);
    assert.equal(foldText(job.fold), expected);
  });

  suite("a cancelled rest covers only inputs that were there", async (store) => {
    await tell(store, [restCancelled(1, 2, 2)]);
    assert.equal(foldText(await store.readFold(JOB1, 4)), "X0@1 X0@1 -0@0 -0@0");
  });

  suite("a reopened stretch is unsettled and keeps its attempt numbers", async (store) => {
    await tell(store, [
      settled({ seq: 1, indexes: [0, 1, 2, 3], attempts: 4 }),
      reopened(2, [1, 2]),
    ]);
    assert.equal(foldText(await store.readFold(JOB1, 4)), "C4@1 -4@0 -4@0 C4@1");
  });

  suite("attempts beyond sixteen bits stay at the last number", async (store) => {
    const attempts = Uint32Array.of(65_535, 65_536, 1_000_000);
    await tell(store, [settled({ seq: 1, indexes: [0, 1, 2], attempts })]);
    assert.equal(foldText(await store.readFold(JOB1, 3)), "C65535@1 C65535@1 C65535@1");
  });

  suite("a settlement reads back in its shortest columns", async (store) => {
    await tell(store);
    const first = settlement({ seq: 1, indexes: [0, 1, 2], runUs: 5 });
    assert.deepEqual(await store.readSettlement(JOB1, 1), { ...first, sharedValue: false });
    const attempts = Uint32Array.of(2, 1);
    const second = settlement({ seq: 2, indexes: [5, 3], status: "failed", attempts });
    assert.deepEqual(await store.readSettlement(JOB1, 2), { ...second, sharedValue: false });
    const last = settlement({ seq: 4, indexes: [5], attempts: 3, runUs: 7 });
    assert.deepEqual(await store.readSettlement(JOB1, 4), { ...last, sharedValue: false });
  });

  suite("columns that agree in every row are kept as one number", async (store) => {
    const row = settlement({
      seq: 1,
      indexes: [4, 5, 6],
      attempts: Uint32Array.of(2, 2, 2),
      runUs: Uint32Array.of(9, 9, 9),
    });
    await tell(store, [
      { type: "settled", settlement: { ...row, indexes: Uint32Array.of(4, 5, 6) } },
    ]);
    const read = await store.readSettlement(JOB1, 1);
    assert.deepEqual(read?.indexes, { first: 4 });
    assert.equal(read?.attempts, 2);
    assert.equal(read?.runUs, 9);
    assert.equal(read?.values.lengths, 3);
  });

  suite("values of different lengths keep their bounds", async (store) => {
    const texts = ["", "a", "", "bcd", ""];
    await tell(store, [settled({ seq: 1, indexes: [0, 1, 2, 3, 4], texts })]);
    const read = await store.readSettlement(JOB1, 1);
    assert.ok(read);
    assert.deepEqual(textsOf(read.values, read.count), texts);
  });

  suite("values without any byte are values", async (store) => {
    await tell(store, [settled({ seq: 1, indexes: [0, 1], texts: ["", ""] })]);
    const read = await store.readSettlement(JOB1, 1);
    assert.deepEqual(read?.values, { lengths: 0, data: new Uint8Array(0) });
  });

  suite("a cancelled rest reads as one value for the tasks it covered", async (store) => {
    await tell(store);
    assert.deepEqual(summary(await store.readSettlement(JOB1, 5)), {
      seq: 5,
      status: "cancelled",
      indexes: [3, 4, 6, 7],
      attempts: Uint32Array.of(1, 0, 0, 0),
      sharedValue: true,
      texts: ["cancelled"],
    });
  });

  suite("a reopening is no settlement but names its tasks", async (store) => {
    await tell(store);
    assert.equal(await store.readSettlement(JOB1, 3), null);
    assert.deepEqual(await store.readReopened(JOB1, 3), Uint32Array.of(5, 3));
    assert.deepEqual(await store.readReopened(JOB1, 6), Uint32Array.of(6, 7));
    assert.equal(await store.readReopened(JOB1, 4), null);
    assert.equal(await store.readReopened(JOB1, 99), null);
  });

  suite("settlements are read on in order, within limits", async (store) => {
    await tell(store);
    const read = async (from: object): Promise<number[]> => {
      const bounds = { seq: 1, limit: 10, bytesMax: 1_000, ...from };
      return (await store.readSettlements(JOB1, bounds)).map(({ seq }) => seq);
    };
    assert.deepEqual(await read({}), [1, 2, 4, 5, 7]);
    assert.deepEqual(await read({ seq: 3 }), [4, 5, 7]);
    assert.deepEqual(await read({ limit: 2 }), [1, 2]);
    // The first row has nine bytes; a row is never cut.
    assert.deepEqual(await read({ bytesMax: 1 }), [1]);
    assert.deepEqual(await read({ bytesMax: 10 }), [1, 2]);
    assert.deepEqual(await read({ seq: 8 }), []);
  });

  suite("sketches tell of settlements all but what completed", async (store) => {
    await tell(store);
    const read = async (from: object): Promise<unknown[]> => {
      const bounds = { seq: 1, limit: 10, bytesMax: 1_000, ...from };
      return (await store.sketchSettlements(JOB1, bounds)).map(({ seq, status, values, count }) => [
        ...[seq, status],
        values === null ? null : textsOf(values, Math.max(1, count)),
      ]);
    };
    const all = [
      [1, "completed", null],
      [2, "failed", ["2:5", "2:3"]],
      [4, "completed", null],
      [5, "cancelled", ["cancelled"]],
      [7, "cancelled", ["7:7"]],
    ];
    assert.deepEqual(await read({}), all);
    assert.deepEqual(await read({ seq: 3 }), all.slice(2));
    assert.deepEqual(await read({ limit: 2 }), all.slice(0, 2));
    assert.deepEqual(await read({ bytesMax: 6 }), all.slice(0, 2));
    assert.deepEqual(await read({ seq: 8 }), []);
    const [first] = await store.sketchSettlements(JOB1, { seq: 1, limit: 1, bytesMax: 1 });
    const whole = await store.readSettlement(JOB1, 1);
    assert.deepEqual({ ...first, values: whole?.values }, whole);
  });

  suite("a task's history holds every settlement it ever had", async (store) => {
    await tell(store);
    const history = async (index: number): Promise<unknown[]> =>
      (await store.readTaskHistory(JOB1, index)).map(summary);
    const entry = (seq: number, index: number, fields: object): object => ({
      seq,
      status: "completed",
      indexes: [index],
      attempts: 1,
      sharedValue: false,
      texts: [`${seq}:${index}`],
      ...fields,
    });
    const rest = { status: "cancelled", sharedValue: true, texts: ["cancelled"] };
    assert.deepEqual(await history(1), [entry(1, 1, {})]);
    assert.deepEqual(await history(5), [
      entry(2, 5, { status: "failed", attempts: 2 }),
      entry(4, 5, { attempts: 3 }),
    ]);
    assert.deepEqual(await history(3), [entry(2, 3, { status: "failed" }), entry(5, 3, rest)]);
    assert.deepEqual(await history(7), [
      entry(5, 7, { ...rest, attempts: 0 }),
      entry(7, 7, { status: "cancelled", attempts: 0 }),
    ]);
    assert.deepEqual(await history(8), []);
  });

  suite("a log of many rows folds as a short one does", async (store) => {
    const count = 5_000;
    const rows = Array.from({ length: count }, (_, i) => settled({ seq: i + 1, indexes: [i] }));
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCount: count }) },
      ...rows,
    ]);
    const fold = await store.readFold(JOB1, count);
    assert.ok(fold.status.every((status) => status === 1));
    assert.ok(fold.seq.every((seq, index) => seq === index + 1));
    const [entry] = await store.readTaskHistory(JOB1, 4_321);
    assert.equal(entry?.seq, 4_322);
  });
}
