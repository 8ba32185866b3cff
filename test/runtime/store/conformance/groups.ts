/** Groups of changes: whole or not at all, in order, kept over a restart, and removal of jobs. */
import assert from "node:assert/strict";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import { BATCH_TASKS_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { Store } from "../../../../src/runtime/store/store.ts";
import {
  assignment,
  attemptEnd,
  exception,
  foldText,
  inputs,
  JOB1,
  jobFacts,
  NOW_MS,
  restCancelled,
  settled,
  settlement,
  W1,
  workerFacts,
} from "../builders.ts";
import type { Suite } from "./suite.ts";

const event = (kind: string, jobId: number): Change => ({
  type: "eventRecorded",
  event: { atMs: NOW_MS, kind, jobId: asJobId(jobId), index: null, workerId: null, body: "{}" },
});

/** One row in every table, for this job. */
function everythingOf(jobId: number): Change[] {
  const id = asJobId(jobId);
  return [
    { type: "jobCreated", facts: jobFacts(jobId, { inputCount: 3 }) },
    inputs(jobId, 0, ["a", "b", "c"]),
    { type: "assigned", assignment: assignment(jobId * 100, { jobId: id }) },
    settled({ jobId: id, seq: 1, indexes: [0, 2], status: "failed" }),
    { type: "taskExceptions", jobId: id, written: [exception(1)], removed: [] },
    { type: "attemptsEnded", jobId: id, rows: [attemptEnd(1, 1)] },
    event("submitted", jobId),
  ];
}

async function everythingRead(store: Store, jobId: number): Promise<unknown> {
  const id = asJobId(jobId);
  return {
    job: await store.readStoredJob(id),
    inputs: await store.readInputChunk(id, 0),
    settlement: await store.readSettlement(id, 1),
    history: await store.readTaskHistory(id, 0),
    attemptEnds: await store.readAttemptEnds(id, null, 10),
    events: await store.readEvents({ jobId: id, workerId: null, afterSeq: 0, limit: 10 }),
  };
}

const NOTHING = {
  job: null,
  inputs: null,
  settlement: null,
  history: [],
  attemptEnds: [],
  events: [],
};

export function suiteOfGroups(suite: Suite): void {
  suite("a group that fails leaves nothing of itself behind", async (store, restart) => {
    await store.commit(everythingOf(1));
    const before = [await store.load(), await everythingRead(store, 1)];
    const doomed: Change[] = [
      { type: "jobChanged", facts: jobFacts(1, { completed: 1, specVersion: 2 }) },
      ...everythingOf(2),
      { type: "workerChanged", worker: workerFacts("w1") },
      { type: "assignmentShrunk", assignmentId: assignment(100).assignmentId, remaining: null },
      { type: "taskExceptions", jobId: JOB1, written: [exception(0)], removed: [1] },
      { type: "jobRemoved", jobId: JOB1 },
      // The key of this row is taken by the same group.
      settled({ jobId: asJobId(2), seq: 1, indexes: [1] }),
    ];
    await assert.rejects(store.commit(doomed), { code: "storage_failed", exitCode: 74 });
    assert.deepEqual([await store.load(), await everythingRead(store, 1)], before);
    const reopened = await restart();
    assert.deepEqual([await reopened.load(), await everythingRead(reopened, 1)], before);
    assert.deepEqual(await everythingRead(reopened, 2), NOTHING);
  });

  suite("a change of a job that does not exist fails its group", async (store) => {
    const group: Change[] = [
      { type: "workerChanged", worker: workerFacts("w1") },
      { type: "jobChanged", facts: jobFacts(7) },
    ];
    await assert.rejects(store.commit(group), { code: "storage_failed" });
    assert.equal(await store.readWorker(W1), null);
  });

  suite("a submission id can be used once by its owner", async (store) => {
    await store.commit([{ type: "jobCreated", facts: jobFacts(1, { submissionId: "s" }) }]);
    const theirs = jobFacts(2, { submissionId: "s", owner: "you" });
    assert.equal(await store.commit([{ type: "jobCreated", facts: theirs }]), "ok");
    const mine = jobFacts(3, { submissionId: "s" });
    await assert.rejects(store.commit([{ type: "jobCreated", facts: mine }]));
  });

  suite("changes of a group take effect in their order", async (store) => {
    const { assignmentId } = assignment(100);
    await store.commit([
      ...everythingOf(1),
      { type: "assignmentShrunk", assignmentId, remaining: null },
      { type: "assigned", assignment: assignment(100, { count: 1 }) },
      ...everythingOf(2),
      { type: "jobRemoved", jobId: asJobId(2) },
      { type: "jobCreated", facts: jobFacts(3, { submissionId: "submission-2" }) },
    ]);
    assert.deepEqual((await store.load()).assignments, [assignment(100, { count: 1 })]);
    assert.deepEqual(await everythingRead(store, 2), NOTHING);
    assert.notEqual(await store.readJob(asJobId(3)), null);
  });

  suite("an empty group is a group", async (store) => {
    assert.equal(await store.commit([]), "ok");
  });

  suite("a restart finds the same facts and begins a new epoch", async (store, restart) => {
    await store.commit([...everythingOf(1), ...everythingOf(2)]);
    await store.commit([
      { type: "workerChanged", worker: workerFacts("w1") },
      restCancelled(2, 3, 1),
      {
        type: "jobChanged",
        facts: jobFacts(2, { inputCount: 3, state: "failed", finishedAtMs: NOW_MS }),
      },
    ]);
    const before = [await store.load(), await everythingRead(store, 1)];
    const { foremanId, epoch } = store.identity;
    const reopened = await restart();
    assert.deepEqual([await reopened.load(), await everythingRead(reopened, 1)], before);
    assert.deepEqual(reopened.identity, { foremanId, epoch: epoch + 1 });
  });

  suite("a removed job leaves nothing and takes nothing of others", async (store) => {
    await store.commit([...everythingOf(1), ...everythingOf(2)]);
    const other = await everythingRead(store, 1);
    await store.commit([{ type: "jobRemoved", jobId: asJobId(2) }]);
    assert.deepEqual(await everythingRead(store, 2), NOTHING);
    assert.deepEqual(await everythingRead(store, 1), other);
    assert.deepEqual((await store.load()).assignments, [assignment(100)]);
    assert.equal(await store.commit([{ type: "jobRemoved", jobId: asJobId(2) }]), "ok");
  });

  suite("numbers of jobs and events are never given twice", async (store, restart) => {
    await store.commit([...everythingOf(1), ...everythingOf(2)]);
    await store.commit([{ type: "jobRemoved", jobId: asJobId(2) }]);
    assert.equal((await store.load()).nextJobId, 3);
    const reopened = await restart();
    assert.equal((await reopened.load()).nextJobId, 3);
    await reopened.commit([event("later", 1)]);
    const events = await reopened.readEvents({
      jobId: null,
      workerId: null,
      afterSeq: 0,
      limit: 10,
    });
    assert.deepEqual(
      events.map(({ seq }) => seq),
      [1, 3],
    );
  });

  suite("what is kept is a copy", async (store) => {
    const facts = jobFacts(1, { inputCount: 3 });
    const row = settlement({ seq: 1, indexes: [0, 2], attempts: Uint32Array.of(1, 2) });
    const chunk = inputs(1, 0, ["a", "b", "c"]);
    await store.commit([
      { type: "jobCreated", facts },
      chunk,
      { type: "settled", settlement: row },
    ]);
    const before = await everythingRead(store, 1);
    const kept = structuredClone(before);
    facts.spec.metadata["changed"] = "yes";
    row.values.data.fill(0);
    if (row.indexes instanceof Uint32Array) row.indexes.fill(1);
    if (chunk.type === "inputsAppended") chunk.values.data.fill(0);
    assert.deepEqual(await everythingRead(store, 1), kept);
  });

  suite("a batch of the largest size is one row", async (store) => {
    const indexes = Array.from({ length: BATCH_TASKS_MAX }, (_, i) => i * 2);
    const runUs = Uint32Array.from(indexes);
    const row = settlement({ seq: 1, indexes, runUs });
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCount: BATCH_TASKS_MAX * 2 }) },
      { type: "settled", settlement: row },
    ]);
    assert.deepEqual(await store.readSettlement(JOB1, 1), { ...row, sharedValue: false });
    const fold = await store.readFold(JOB1, BATCH_TASKS_MAX * 2);
    assert.equal(fold.status.filter((status) => status === 1).length, BATCH_TASKS_MAX);
    assert.equal(foldText({ ...fold, status: fold.status.slice(0, 3) }), "C1@1 -0@0 C1@1");
  });
}
