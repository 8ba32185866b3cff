/** Jobs, inputs, assignments, exceptions, workers, events, keys: what is written reads back. */
import assert from "node:assert/strict";
import {
  asAssignmentId,
  asJobId,
  asWorkerId,
  firstAssignmentOfEpoch,
} from "../../../../src/runtime/protocol/ids.ts";
import { ATTEMPT_ENDS_PER_JOB_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { Change, EventFacts } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import {
  assignment,
  attemptEnd,
  BOOT1,
  commandSpec,
  exception,
  inputs,
  JOB1,
  jobFacts,
  NOW_MS,
  textsOf,
  W1,
  workerFacts,
} from "../builders.ts";
import type { Suite } from "./suite.ts";

export function suiteOfFacts(suite: Suite): void {
  suite("an empty store has no jobs and begins with job 1", async (store) => {
    assert.deepEqual(await store.load(), {
      jobs: [],
      ended: [],
      assignments: [],
      workers: [],
      nextJobId: 1,
      lastEventAtMs: null,
    });
    assert.equal(await store.readJob(JOB1), null);
    assert.equal(await store.readStoredJob(JOB1), null);
    assert.equal(await store.readInputChunk(JOB1, 0), null);
    assert.equal(await store.readSettlement(JOB1, 1), null);
    assert.equal(await store.readWorker(W1), null);
    assert.equal(await store.readBlob("00".repeat(32)), null);
    assert.equal(await store.hasBlob("00".repeat(32)), false);
  });

  suite("a job reads back as it was created", async (store) => {
    const facts = jobFacts(1, {
      resumable: true,
      inputCount: 3,
      inputsClosedAtMs: NOW_MS + 1,
      notBeforeMs: NOW_MS + 2,
      paused: true,
      keep: true,
      runUs: 2 ** 40,
      spec: commandSpec({ note: "naïve ☃", priority: -100 }),
    });
    await store.commit([{ type: "jobCreated", facts }]);
    assert.deepEqual(await store.readJob(JOB1), facts);
    assert.equal((await store.load()).nextJobId, 2);
  });

  suite("a job's row follows its changes, and its options when their version grows", async (store) => {
    await store.commit([{ type: "jobCreated", facts: jobFacts(1) }]);
    const counted = jobFacts(1, { completed: 4, nextSettleSeq: 3, inputCount: 9 });
    await store.commit([{ type: "jobChanged", facts: counted }]);
    assert.deepEqual(await store.readJob(JOB1), counted);

    const patched = {
      ...counted,
      spec: commandSpec({ name: "other", priority: 9 }),
      specVersion: 2,
    };
    await store.commit([{ type: "jobChanged", facts: patched }]);
    assert.deepEqual(await store.readJob(JOB1), patched);
  });

  suite("of several rows of a job in one group the last one counts", async (store) => {
    const last = jobFacts(1, { completed: 3, state: "completed", finishedAtMs: NOW_MS });
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      { type: "jobChanged", facts: jobFacts(1, { completed: 1 }) },
      { type: "jobChanged", facts: jobFacts(1, { completed: 2 }) },
      { type: "jobChanged", facts: last },
    ]);
    assert.deepEqual(await store.readJob(JOB1), last);
  });

  suite("instants are kept to the millisecond, whatever fraction they came with", async (store) => {
    const facts = jobFacts(1, { createdAtMs: NOW_MS + 0.4, notBeforeMs: NOW_MS + 0.6 });
    await store.commit([{ type: "jobCreated", facts }]);
    const read = await store.readJob(JOB1);
    assert.equal(Math.round(read?.createdAtMs ?? 0), NOW_MS);
    assert.equal(Math.round(read?.notBeforeMs ?? 0), NOW_MS + 1);
  });

  suite("finished jobs are listed newest first, filtered and limited", async (store) => {
    const ended = [1, 2, 3, 4].map((id) =>
      jobFacts(id, {
        owner: id === 2 ? "you" : "me",
        state: id === 3 ? "failed" : "completed",
        finishedAtMs: NOW_MS,
      }),
    );
    const created = [...ended, jobFacts(5)].map((facts): Change => ({ type: "jobCreated", facts }));
    await store.commit(created);
    const list = async (filter: object): Promise<number[]> => {
      const all = { states: null, owner: null, before: null, limit: 10, ...filter };
      return (await store.listEndedJobs(all)).map((job) => job.jobId);
    };
    assert.deepEqual(await list({}), [4, 3, 2, 1]);
    assert.deepEqual(await list({ limit: 2 }), [4, 3]);
    assert.deepEqual(await list({ before: asJobId(3) }), [2, 1]);
    assert.deepEqual(await list({ owner: "you" }), [2]);
    assert.deepEqual(await list({ states: ["failed", "cancelled"] }), [3]);
    assert.deepEqual(await list({ states: [] }), []);
    const count = (filter: object): Promise<number> =>
      store.countEndedJobs({ states: null, owner: null, before: null, limit: 1, ...filter });
    assert.equal(await count({}), 4);
    assert.equal(await count({ before: asJobId(3) }), 2);
    assert.equal(await count({ owner: "you" }), 1);
    assert.equal(await count({ states: ["failed", "cancelled"] }), 1);
    const { jobs, ended: loaded } = await store.load();
    assert.deepEqual(
      jobs.map(({ facts }) => facts.jobId),
      [5],
    );
    assert.deepEqual(loaded, ended);
  });

  suite("inputs come back in the chunk that holds the index", async (store) => {
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCount: 5 }) },
      inputs(1, 0, ["a", "bb", "ccc"]),
      inputs(1, 3, ["dd", "ee"]),
    ]);
    for (const [index, first] of [0, 0, 0, 3, 3].entries()) {
      const chunk = await store.readInputChunk(JOB1, index);
      assert.equal(chunk?.firstIndex, first);
    }
    assert.deepEqual((await store.readStoredJob(JOB1))?.inputChunks, [
      { firstIndex: 0, byteCount: 6 },
      { firstIndex: 3, byteCount: 4 },
    ]);
    const chunk = await store.readInputChunk(JOB1, 1);
    assert.ok(chunk);
    assert.deepEqual(textsOf(chunk.values, chunk.count), ["a", "bb", "ccc"]);
    assert.deepEqual(chunk.values.lengths, Uint32Array.of(1, 2, 3));
    assert.equal((await store.readInputChunk(JOB1, 4))?.values.lengths, 2);
    assert.equal(await store.readInputChunk(JOB1, 5), null);
    assert.equal(await store.readInputChunk(asJobId(2), 0), null);
  });

  suite("assignments are loaded as they stand after they shrank", async (store) => {
    const last = firstAssignmentOfEpoch(2 ** 20 - 1);
    const scattered = Uint32Array.of(9, 4, 7);
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      { type: "assigned", assignment: assignment(5) },
      { type: "assigned", assignment: assignment(6) },
      {
        type: "assigned",
        assignment: assignment(last, { indexes: scattered, attempts: Uint32Array.of(1, 2, 3) }),
      },
    ]);
    const remaining = { count: 2, indexes: { first: 1 }, attempts: 2 };
    await store.commit([
      { type: "assignmentShrunk", assignmentId: asAssignmentId(5), remaining },
      { type: "assignmentShrunk", assignmentId: asAssignmentId(6), remaining: null },
      { type: "assignmentShrunk", assignmentId: asAssignmentId(99), remaining },
      { type: "assignmentShrunk", assignmentId: asAssignmentId(98), remaining: null },
    ]);
    assert.deepEqual((await store.load()).assignments, [
      assignment(5, remaining),
      assignment(last, { indexes: scattered, attempts: Uint32Array.of(1, 2, 3) }),
    ]);
  });

  suite("exceptions are written, replaced and removed by task", async (store) => {
    const written = [exception(3), exception(1, { notBeforeMs: NOW_MS, crashes: 2, losses: 1 })];
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCount: 4 }) },
      { type: "taskExceptions", jobId: JOB1, written, removed: [] },
    ]);
    const again = exception(3, { failures: 2, attempt: 2 });
    await store.commit([
      { type: "taskExceptions", jobId: JOB1, written: [again, exception(0)], removed: [1, 77] },
    ]);
    assert.deepEqual((await store.readStoredJob(JOB1))?.exceptions, [exception(0), again]);
  });

  suite("ended attempts are listed by task and attempt, limited", async (store) => {
    const lost = attemptEnd(2, 1, { outcome: "lost", code: null, runUs: null, error: null });
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      { type: "attemptsEnded", jobId: JOB1, rows: [attemptEnd(7, 2), lost, attemptEnd(7, 1)] },
    ]);
    const row = (facts: object): object => ({ jobId: JOB1, ...facts });
    assert.deepEqual(await store.readAttemptEnds(JOB1, null, 10), [
      row(lost),
      row(attemptEnd(7, 1)),
      row(attemptEnd(7, 2)),
    ]);
    assert.deepEqual(await store.readAttemptEnds(JOB1, 7, 1), [row(attemptEnd(7, 1))]);
    assert.deepEqual(await store.readAttemptEnds(JOB1, 3, 10), []);
  });

  suite("ended attempts beyond the bound of a job are not kept", async (store, restart) => {
    const rows = Array.from({ length: ATTEMPT_ENDS_PER_JOB_MAX - 1 }, (_, index) =>
      attemptEnd(index, 1, { error: null }),
    );
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1) },
      { type: "attemptsEnded", jobId: JOB1, rows },
    ]);
    const reopened = await restart();
    const further = [attemptEnd(500_000, 1), attemptEnd(500_001, 1)];
    await reopened.commit([{ type: "attemptsEnded", jobId: JOB1, rows: further }]);
    await reopened.commit([{ type: "attemptsEnded", jobId: JOB1, rows: [attemptEnd(600_000, 1)] }]);
    const kept = await reopened.readAttemptEnds(JOB1, null, 2 * ATTEMPT_ENDS_PER_JOB_MAX);
    assert.equal(kept.length, ATTEMPT_ENDS_PER_JOB_MAX);
    assert.equal(kept.at(-1)?.index, 500_000);
  });

  suite("a worker's row is the last one written, until it is forgotten", async (store) => {
    const paused = workerFacts("w2", { paused: true, setAsideUntilMs: NOW_MS + 30_000 });
    await store.commit([
      { type: "workerChanged", worker: workerFacts("w2") },
      { type: "workerChanged", worker: workerFacts("w1") },
      { type: "workerChanged", worker: paused },
    ]);
    assert.deepEqual(await store.readWorker(asWorkerId("w2")), paused);
    assert.deepEqual((await store.load()).workers, [workerFacts("w1"), paused]);
    await store.commit([{ type: "workerForgotten", workerId: asWorkerId("w2") }]);
    assert.equal(await store.readWorker(asWorkerId("w2")), null);
    assert.deepEqual((await store.load()).workers, [workerFacts("w1")]);
  });

  suite("the range of events says what is kept and what was the last", async (store) => {
    assert.deepEqual(await store.readEventRange(), { oldestSeq: 1, lastSeq: 0 });
    assert.equal((await store.load()).lastEventAtMs, null);
    const event = (jobId: number | null, atMs: number): Change => ({
      type: "eventRecorded",
      event: {
        atMs,
        kind: "a",
        jobId: jobId === null ? null : asJobId(jobId),
        index: null,
        workerId: null,
        body: "{}",
      },
    });
    await store.commit([event(1, NOW_MS)]);
    assert.deepEqual(await store.readEventRange(), { oldestSeq: 2, lastSeq: 1 });
    await store.commit([event(null, NOW_MS + 9), event(2, NOW_MS + 5)]);
    assert.deepEqual(await store.readEventRange(), { oldestSeq: 2, lastSeq: 3 });
    assert.equal((await store.load()).lastEventAtMs, NOW_MS + 5);
  });

  suite("events are read on from a number, of one job or of all", async (store) => {
    const event = (kind: string, jobId: number | null): EventFacts => ({
      atMs: NOW_MS,
      kind,
      jobId: jobId === null ? null : asJobId(jobId),
      index: jobId === null ? null : 4,
      workerId: jobId === null ? W1 : null,
      body: `{"boot":"${BOOT1}"}`,
    });
    const events = [event("a", 1), event("b", null), event("c", 2), event("d", 1)];
    await store.commit(events.map((each): Change => ({ type: "eventRecorded", event: each })));
    const read = (filter: object) =>
      store.readEvents({ jobId: null, workerId: null, afterSeq: 0, limit: 10, ...filter });
    const all = await read({});
    assert.deepEqual(
      all,
      events.map((each, i) => ({ ...each, seq: i + 1 })),
    );
    assert.deepEqual(await read({ afterSeq: 1, limit: 2 }), all.slice(1, 3));
    assert.deepEqual(
      (await read({ jobId: JOB1 })).map(({ kind }) => kind),
      ["a", "d"],
    );
    assert.deepEqual(
      (await read({ jobId: JOB1, afterSeq: 1 })).map(({ kind }) => kind),
      ["d"],
    );
    assert.deepEqual(
      (await read({ workerId: W1 })).map(({ kind }) => kind),
      ["b"],
    );
    assert.deepEqual(await read({ workerId: W1, afterSeq: 2 }), []);
    assert.deepEqual(await read({ workerId: W1, jobId: JOB1 }), []);
    assert.deepEqual(await read({ workerId: asWorkerId("w9") }), []);
  });

  suite("keys are listed by id, the last version of each", async (store, restart) => {
    const key = (keyId: string, revokedAtMs: number | null) => ({
      keyId,
      owner: "me",
      role: "worker" as const,
      scopes: ["work", "view:logs"],
      verifier: Uint8Array.from({ length: 64 }, (_, i) => i),
      createdAtMs: NOW_MS,
      revokedAtMs,
    });
    await store.putKey(key("b", null));
    await store.putKey(key("a", null));
    await store.putKey(key("b", NOW_MS));
    assert.deepEqual(await (await restart()).listKeys(), [key("a", null), key("b", NOW_MS)]);
  });
}
