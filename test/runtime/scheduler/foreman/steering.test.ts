/** What people ask for: cancel, retry, patch, pause, remove. */
import { expect, test } from "bun:test";
import { expandIndexes } from "../../../../src/runtime/protocol/columns.ts";
import { asJobId, asWorkerId, type JobId } from "../../../../src/runtime/protocol/ids.ts";
import type { JobPatch } from "../../../../src/runtime/protocol/job-spec.ts";
import { createMemoryStore } from "../../../../src/runtime/store/memory.ts";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  type EffectOf,
  effectsOf,
  effectTypes,
  eventKinds,
  type Foreman,
  fail,
  giveBack,
  indexesIn,
  start,
  statesOf,
  submit,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

const cancel = (foreman: Foreman, jobId: JobId, indexes: number[] | null = null): void => {
  foreman.send({
    type: "cancelRequested",
    token: 5,
    jobId,
    indexes: indexes === null ? null : Uint32Array.from(indexes),
    code: "cancelled",
    reason: "not needed any more",
  });
};

const patch = (foreman: Foreman, jobId: JobId, fields: JobPatch): void => {
  foreman.send({ type: "jobPatched", token: 6, jobId, patch: fields });
};

const retry = (
  foreman: Foreman,
  jobId: JobId,
  fields: Partial<Extract<Parameters<Foreman["send"]>[0], { type: "retryRequested" }>> = {},
): void => {
  foreman.send({
    type: "retryRequested",
    token: 7,
    jobId,
    indexes: null,
    completedToo: false,
    patch: null,
    stored: null,
    ...fields,
  });
};

test("cancelling a job commits at once, in one row, and orders the worker to stop", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1_000);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  cancel(foreman, jobId);
  expect(answerOf(foreman.last)).toEqual({
    type: "jobStatus",
    jobId,
    affected: 1_000,
    reopenSeq: null,
    note: null,
  });
  expect(foreman.last.changes.map(({ type }) => type)).toEqual([
    "taskExceptions",
    "assignmentShrunk",
    "restCancelled",
    "eventRecorded",
    "jobChanged",
    "eventRecorded",
  ]);
  // What may have started keeps its attempt's number, whether or not anybody has said so yet.
  expect(changesOf(foreman.last, "taskExceptions")[0]?.written).toMatchObject([
    { index: 0, attempt: 1 },
    { index: 1, attempt: 1 },
  ]);
  expect(effectsOf(foreman.last, "cancelTasks")).toMatchObject([{ reason: "not needed any more" }]);
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "cancelled", cancelled: 1_000 });
});

test("cancelling single tasks leaves the others alone", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 5);
  const assign = only(assignmentsIn(foreman.last));
  cancel(foreman, jobId, [1, 4, 4, 99]);
  expect(answerOf(foreman.last)).toMatchObject({ affected: 2 });
  expect(changesOf(foreman.last, "settled")).toMatchObject([
    { settlement: { status: "cancelled", count: 2, workerId: "" } },
  ]);
  expect([...(effectsOf(foreman.last, "cancelTasks")[0]?.indexes ?? [])]).toEqual([1]);
  let assigns = assignmentsIn(complete(foreman, worker, assign, { only: [0] }));
  const ran = [0];
  for (let next = assigns.shift(); next; next = assigns.shift()) {
    ran.push(...indexesIn(next));
    assigns = [...assigns, ...assignmentsIn(complete(foreman, worker, next))];
  }
  expect(ran).toEqual([0, 2, 3]);
  expect(foreman.state.ended.get(jobId)?.state).toBe("cancelled");
});

test("cancelling what has ended is no error and says so", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0);
  cancel(foreman, jobId);
  expect(answerOf(foreman.last)).toMatchObject({
    affected: 0,
    note: `job ${jobId} has already ended (completed)`,
  });
  cancel(foreman, asJobId(99));
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "no_such_job" });
});

test("cancelling an open job ends it and refuses further inputs", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0, {}, { close: false });
  cancel(foreman, jobId);
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "cancelled", inputCount: 0 });
});

test("failed tasks of a live job are queued again with failures at zero", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 3, { retries: 1, backoff_seconds: 0 });
  let assign = only(assignmentsIn(foreman.last));
  for (let attempt = 0; attempt < 2; attempt++) {
    const output = fail(foreman, worker, assign, { only: [0] });
    assign = assignmentsIn(output).find((next) => indexesIn(next).includes(0)) ?? assign;
  }
  expect(statesOf(foreman, jobId)[5]).toBe(1);
  retry(foreman, jobId);
  const answer = answerOf(foreman.last);
  expect(answer).toMatchObject({ type: "jobStatus", affected: 1 });
  const [reopened] = changesOf(foreman.last, "reopened");
  expect(reopened).toMatchObject({ count: 1, indexes: { first: 0 } });
  expect(answer).toMatchObject({ reopenSeq: reopened?.seq });
  expect(foreman.state.jobs.get(jobId)?.tasks.trouble?.failures[0]).toBe(0);
  expect(foreman.state.jobs.get(jobId)?.tasks.attempt[0]).toBe(3);
});

test("an ended job lives again from what is stored, with corrected code", async () => {
  const foreman = aForeman();
  const store = createMemoryStore();
  const worker = aWorker(foreman);
  await store.commit(foreman.last.changes);
  const jobId = submit(foreman, 2);
  await store.commit(foreman.last.changes);
  const assign = only(assignmentsIn(foreman.last));
  await store.commit(complete(foreman, worker, assign, { only: [0] }).changes);
  await store.commit(fail(foreman, worker, assign, { only: [1] }).changes);
  expect(foreman.state.ended.get(jobId)?.state).toBe("failed");

  const work = { kind: "function", bundle_sha256: "1".repeat(64), entry_file: "job.ts" } as const;
  retry(foreman, jobId, { stored: await store.readStoredJob(jobId), patch: { work } });
  expect(answerOf(foreman.last)).toMatchObject({ affected: 1, reopenSeq: 3 });
  const again = only(assignmentsIn(foreman.last));
  expect([indexesIn(again), again.attempts]).toEqual([[1], 2]);
  const [facts] = changesOf(foreman.last, "jobChanged");
  expect(facts?.facts).toMatchObject({
    state: "running",
    specVersion: 2,
    finishedAtMs: null,
    failed: 0,
  });
  await store.commit(foreman.last.changes);
  await store.commit(complete(foreman, worker, again).changes);
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "completed", completed: 2 });
});

test("a retry with nothing to queue is answered with a note", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3);
  retry(foreman, jobId);
  expect(answerOf(foreman.last)).toMatchObject({ affected: 0, reopenSeq: null });
  expect(foreman.last.changes).toEqual([]);
});

test("a retry of a job that is not at hand is asked to come again", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0);
  retry(foreman, jobId);
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "try_again" });
});

test("with `all` completed tasks run again too", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 3);
  complete(foreman, worker, only(assignmentsIn(foreman.last)), { only: [0] });
  retry(foreman, jobId, { indexes: Uint32Array.of(0), completedToo: true });
  expect(answerOf(foreman.last)).toMatchObject({ affected: 1 });
  expect(statesOf(foreman, jobId)[4]).toBe(0);
});

test("a paused job starts nothing and takes back what waits; resumed it goes on", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 10);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  patch(foreman, jobId, { paused: true });
  const [revoke] = effectsOf(foreman.last, "revokeTasks");
  expect([...(revoke?.indexes ?? [])]).toEqual([1]);
  const returned = giveBack(foreman, worker, assign, [1], { revocation: revoke?.revocation ?? 0 });
  expect(assignmentsIn(returned)).toEqual([]);
  expect(changesOf(returned, "assignmentShrunk")).toMatchObject([{ remaining: { count: 1 } }]);
  expect(assignmentsIn(complete(foreman, worker, assign, { only: [0] }))).toEqual([]);
  patch(foreman, jobId, { paused: false });
  expect(only(assignmentsIn(foreman.last)).attempts).toBe(1);
  expect(indexesIn(only(assignmentsIn(foreman.last)))[0]).toBe(1);
});

test("no more tasks run than --max-running allows, also after it was lowered", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 8 });
  const jobId = submit(foreman, 100, { max_running: 3 });
  expect(only(assignmentsIn(foreman.last)).count).toBe(3);
  patch(foreman, jobId, { max_running: 1 });
  expect(effectsOf(foreman.last, "revokeTasks")[0]?.indexes.length).toBe(2);
  patch(foreman, jobId, { max_running: null });
  expect(statesOf(foreman, jobId)[3]).toBe(8);
  expect(worker.offer.slots).toBe(8);
});

test("a patch raises the version of the spec, once for what changes", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 1);
  patch(foreman, jobId, { priority: 20, name: "urgent", keep: true });
  const [facts] = changesOf(foreman.last, "jobChanged");
  expect(facts?.facts).toMatchObject({ specVersion: 2, keep: true });
  expect(facts?.facts.spec).toMatchObject({ priority: 20, name: "urgent" });
  patch(foreman, jobId, { priority: 20 });
  expect(foreman.state.jobs.get(jobId)?.specVersion).toBe(2);
});

test("of an ended job only name, note and keeping change", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0);
  patch(foreman, jobId, { note: "done", keep: true, priority: 5 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "jobStatus" });
  expect((answerOf(foreman.last) as { note: string }).note).toContain("has ended");
  expect(foreman.state.ended.get(jobId)).toMatchObject({
    keep: true,
    spec: { note: "done", priority: 0 },
  });
});

test("a job is forgotten only when it has ended, and its submission with it", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 1, {}, { submissionId: "once" });
  foreman.send({ type: "jobRemoved", token: 8, jobId });
  expect(answerOf(foreman.last)).toMatchObject({
    type: "refused",
    code: "job_unfinished",
    hint: `cc cancel ${jobId}`,
  });
  cancel(foreman, jobId);
  foreman.send({ type: "jobRemoved", token: 8, jobId });
  // The event belongs to no job, or it would be forgotten with this one.
  expect(foreman.last.changes).toMatchObject([
    { type: "jobRemoved", jobId },
    { type: "eventRecorded", event: { kind: "job_removed", jobId: null } },
  ]);
  expect(submit(foreman, 1, {}, { submissionId: "once" })).toBeGreaterThan(jobId);
});

test("a paused worker gets nothing; with `now` its running tasks start elsewhere", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  const other = aWorker(foreman, "w2");
  const pause = { type: "workerPaused", token: 9, workerId: asWorkerId("w1") } as const;
  foreman.send({ ...pause, paused: true, now: true });
  expect(effectTypes(foreman.last)).toEqual([
    "revokeTasks",
    "cancelTasks",
    "reply",
    "assignTasks",
    "notifyJobChanged",
  ]);
  const again = only(assignmentsIn(foreman.last));
  expect([again.bootId, again.attempts, indexesIn(again)]).toEqual([other.bootId, 2, [0]]);
  expect(changesOf(foreman.last, "workerChanged")[0]?.worker.paused).toBe(true);
  expect(statesOf(foreman, jobId)[3]).toBe(2);
  foreman.send({ ...pause, paused: true, now: false });
  expect(answerOf(foreman.last)).toMatchObject({
    type: "done",
    note: "worker w1 was paused already",
  });
  foreman.send({ ...pause, paused: false, now: false });
  expect(eventKinds(foreman.last)).toEqual(["worker_resumed"]);
  foreman.send({ ...pause, workerId: asWorkerId("w9"), paused: true, now: false });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "no_such_worker" });
});

test("what begins while a worker is paused with `now` comes back too, once the worker has answered", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  const workerId = asWorkerId("w1");
  // Neither has said that it started; one of them has.
  foreman.send({ type: "workerPaused", token: 9, workerId, paused: true, now: true });
  const [revoke] = effectsOf(foreman.last, "revokeTasks");
  giveBack(foreman, worker, assign, [1], { revocation: revoke?.revocation ?? 0 });
  expect(effectsOf(foreman.last, "cancelTasks")[0]?.indexes).toEqual(Uint32Array.of(0));
  const other = aWorker(foreman, "w2");
  const again = only(assignmentsIn(foreman.last));
  expect([again.bootId, indexesIn(again), again.attempts]).toEqual([
    other.bootId,
    [0, 1],
    Uint32Array.of(2, 1),
  ]);
});

test("corrected code takes back what waits with the old one", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 10);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  const work = { kind: "function", bundle_sha256: "2".repeat(64), entry_file: "job.ts" } as const;
  patch(foreman, jobId, { work });
  const [revoke] = effectsOf(foreman.last, "revokeTasks");
  expect(revoke && [...expandIndexes(revoke.indexes, 1)]).toEqual([1]);
});

test("a task that was cancelled in its back-off and retried waits for the whole of its next one", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2, { retries: 3, backoff_seconds: 10 });
  fail(foreman, worker, only(assignmentsIn(foreman.last)), { only: [0] });
  const backOffs = () => foreman.state.jobs.get(jobId)?.queue.delayed.atMs ?? [];
  const [firstEndMs = 0] = backOffs();
  cancel(foreman, jobId, [0]);
  retry(foreman, jobId, { indexes: Uint32Array.of(0) });
  // Late, so that it ends after the first one, whatever is drawn.
  const again = only(assignmentsIn(foreman.last));
  foreman.wait(firstEndMs - foreman.state.nowMs - 1);
  fail(foreman, worker, again);
  const [endMs = 0] = backOffs();
  foreman.wait(1);
  expect([endMs > firstEndMs, assignmentsIn(foreman.last)]).toEqual([true, []]);
  foreman.wait(endMs - firstEndMs);
  expect(only(assignmentsIn(foreman.last)).attempts).toBe(3);
});
