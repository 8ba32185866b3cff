/** A foreman's start from its store: assignments stand, workers are adopted, nothing is run again. */
import { expect, test } from "bun:test";
import { firstAssignmentOfEpoch } from "../../../../src/runtime/protocol/ids.ts";
import type { StoredState } from "../../../../src/runtime/scheduler/foreman/facts.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/foreman/invariants.ts";
import {
  createForemanState,
  recover,
  step,
} from "../../../../src/runtime/scheduler/foreman/machine.ts";
import type { StepOutput } from "../../../../src/runtime/scheduler/foreman/machine-interface.ts";
import { createMemoryStore, type MemoryStore } from "../../../../src/runtime/store/memory.ts";
import { aSpec } from "../../../support/specs.ts";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  connect,
  type EffectOf,
  effectTypes,
  type Foreman,
  fail,
  giveBack,
  indexesIn,
  options,
  someValues,
  start,
  statesOf,
  submit,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

/** A foreman whose changes go into a store as they come. */
function storedForeman(): { foreman: Foreman; store: MemoryStore; commits: Promise<unknown>[] } {
  const foreman = aForeman();
  const store = createMemoryStore();
  const commits: Promise<unknown>[] = [];
  const { send } = foreman;
  foreman.send = (event) => {
    const output = send(event);
    commits.push(store.commit(output.changes));
    return output;
  };
  return { foreman, store, commits };
}

/** The next foreman on the same facts. */
async function again(from: {
  store: MemoryStore;
  foreman: Foreman;
  commits: Promise<unknown>[];
}): Promise<{ foreman: Foreman; output: StepOutput }> {
  await Promise.all(from.commits);
  const state = createForemanState(options({ firstAssignmentId: firstAssignmentOfEpoch(2) }));
  const nowMs = from.foreman.nowMs + 1_000;
  const output = recover(state, await from.store.load(), nowMs);
  checkInvariants(state);
  await from.store.commit(output.changes);
  const foreman: Foreman = {
    ...from.foreman,
    state,
    nowMs,
    last: output,
    send(event) {
      foreman.last = step(state, { ...event, atMs: foreman.nowMs } as Parameters<typeof step>[1]);
      checkInvariants(state);
      return foreman.last;
    },
    wait(ms) {
      foreman.nowMs += ms;
      return foreman.send({ type: "clockAdvanced" });
    },
  };
  return { foreman, output };
}

test("running tasks go on under their assignments when their worker returns", async () => {
  const before = storedForeman();
  const worker = aWorker(before.foreman);
  const jobId = submit(before.foreman, 2);
  const assign = only(assignmentsIn(before.foreman.last));
  complete(before.foreman, worker, assign, { only: [0] });

  const { foreman } = await again(before);
  expect(statesOf(foreman, jobId)).toEqual([0, 0, 0, 1, 1, 0, 0]);
  const output = connect(foreman, worker, [{ ...assign, indexes: { first: 1 }, count: 1 }]);
  expect(effectTypes(output)).toEqual([]);
  complete(foreman, worker, assign, { only: [1] });
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "completed", completed: 2 });
});

test("a report whose acknowledgement was lost with the foreman is silent", async () => {
  const before = storedForeman();
  const worker = aWorker(before.foreman);
  submit(before.foreman, 3);
  const assign = only(assignmentsIn(before.foreman.last));
  complete(before.foreman, worker, assign, { only: [0] });
  const { foreman } = await again(before);
  connect(foreman, worker, [assign]);
  const output = complete(foreman, worker, assign, { only: [0] });
  expect(output.changes).toEqual([]);
  expect(output.effects).toEqual([
    { type: "acknowledgeReports", bootId: worker.bootId, seq: 2, stale: [] },
  ]);
});

test("every stored session has a full lease, and is lost only after it", async () => {
  const before = storedForeman();
  aWorker(before.foreman);
  const jobId = submit(before.foreman, 1);
  const { foreman } = await again(before);
  for (let i = 0; i < 3; i++) foreman.wait(4_900);
  expect(statesOf(foreman, jobId)[3]).toBe(1);
  foreman.wait(300);
  expect(statesOf(foreman, jobId)[0]).toBe(1);
  expect(foreman.state.sessions.size).toBe(0);
});

test("a task that was handed back before the restart is queued under its attempt's number", async () => {
  const before = storedForeman();
  const worker = aWorker(before.foreman, "w1", { slots: 2 });
  const jobId = submit(before.foreman, 2);
  const assign = only(assignmentsIn(before.foreman.last));
  before.foreman.send({ type: "jobPatched", token: 1, jobId, patch: { paused: true } });
  giveBack(before.foreman, worker, assign, [1], { revocation: 1 });
  const { foreman } = await again(before);
  expect(statesOf(foreman, jobId)).toEqual([1, 0, 0, 1, 0, 0, 0]);
  expect([...(foreman.state.jobs.get(jobId)?.tasks.attempt.subarray(0, 2) ?? [])]).toEqual([1, 0]);
});

test("back-offs, failures and blocked jobs are as before", async () => {
  const before = storedForeman();
  const worker = aWorker(before.foreman);
  const first = submit(before.foreman, 1, { retries: 2, backoff_seconds: 200 });
  fail(before.foreman, worker, only(assignmentsIn(before.foreman.last)));
  const second = submit(before.foreman, 1, { after: [first] });
  const later = submit(before.foreman, 1, { delay_seconds: 3_600 });
  const { foreman } = await again(before);
  expect(statesOf(foreman, first)[2]).toBe(1);
  expect(foreman.state.jobs.get(first)?.tasks.trouble?.failures[0]).toBe(1);
  expect([...(foreman.state.jobs.get(second)?.waitingFor ?? [])]).toEqual([first]);
  connect(foreman, worker);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  for (let i = 0; i < 3_600; i += 4) foreman.wait(4_000);
  expect(foreman.state.jobs.get(later)?.queue.cursor).toBe(0);
  connect(foreman, { ...worker, bootId: "w1-boot2" as never, connectionSeq: 1 });
  const ran = assignmentsIn(foreman.last).map(({ jobId, attempts }) => [jobId, attempts]);
  expect(ran).toEqual([
    [first, 2],
    [later, 1],
  ]);
});

test("a known submission is still known, and an open one waits for its submitter", async () => {
  const before = storedForeman();
  const jobId = submit(before.foreman, 3, {}, { submissionId: "mine", close: false });
  const { foreman } = await again(before);
  foreman.send({
    type: "jobSubmitted",
    token: 1,
    owner: "me",
    submissionId: "mine",
    resumable: false,
    spec: aSpec(),
    count: 0,
    values: someValues(0),
    inputCrc32: 0,
    close: false,
  });
  expect(answerOf(foreman.last)).toMatchObject({
    jobId,
    nextIndex: 3,
    inputCrc32: 3,
    existing: true,
  });
  foreman.send({ type: "submitterDetached", jobId });
  foreman.wait(60_000);
  expect(foreman.state.ended.get(jobId)?.state).toBe("cancelled");
});

test("an assignment of nobody that is known is dropped and its tasks are queued", () => {
  const foreman = aForeman();
  aWorker(foreman);
  const jobId = submit(foreman, 1);
  const facts = changesOf(foreman.last, "jobChanged")[0]?.facts;
  const [assigned] = changesOf(foreman.last, "assigned");
  if (!facts || !assigned) throw new Error("nothing was assigned");
  const stored: StoredState = {
    jobs: [
      {
        facts,
        fold: { status: new Uint8Array(1), attempt: new Uint16Array(1), seq: new Uint32Array(1) },
        exceptions: [],
        inputChunks: [{ firstIndex: 0, byteCount: 2 }],
      },
    ],
    ended: [],
    assignments: [assigned.assignment],
    workers: [],
    nextJobId: 2,
    lastEventAtMs: null,
  };
  const state = createForemanState(options());
  const output = recover(state, stored, 2_000_000);
  checkInvariants(state);
  expect(changesOf(output, "assignmentShrunk")).toMatchObject([{ remaining: null }]);
  expect(state.jobs.get(jobId)?.counts[0]).toBe(1);
});

// Found by the simulator: a task whose start was not reported yet ran again under the same number.
test("tasks that were at a worker when their job was cancelled go on with the next attempt's number", async () => {
  const before = storedForeman();
  const worker = aWorker(before.foreman);
  const jobId = submit(before.foreman, 2);
  start(before.foreman, worker, only(assignmentsIn(before.foreman.last)), [0]);
  before.foreman.send({
    type: "cancelRequested",
    token: 1,
    jobId,
    indexes: null,
    code: "cancelled",
    reason: "no",
  });
  const { foreman } = await again(before);
  foreman.send({
    type: "retryRequested",
    token: 1,
    jobId,
    indexes: null,
    completedToo: false,
    patch: null,
    stored: await before.store.readStoredJob(jobId),
  });
  const next = connect(foreman, { ...worker, bootId: "w1-boot2" as never, connectionSeq: 1 });
  const assign = only(assignmentsIn(next));
  expect(indexesIn(assign)).toEqual([0, 1]);
  expect(assign.attempts).toEqual(2);
});

// Found by the simulator: the attempt under way was written down as over, and ran again.
test("taking back the blame for one attempt does not end the next one at a restart", async () => {
  const before = storedForeman();
  const { foreman } = before;
  const lost = aWorker(foreman, "w1");
  const jobId = submit(foreman, 1);
  start(foreman, lost, only(assignmentsIn(foreman.last)));
  foreman.send({ type: "connectionLost", bootId: lost.bootId, connectionSeq: 1 });
  foreman.wait(5_000);
  aWorker(foreman, "w2");
  const running = only(assignmentsIn(foreman.last));
  expect(running.attempts).toBe(2);
  connect(foreman, lost);
  const { foreman: next } = await again(before);
  const held = [...next.state.assignments.values()];
  expect(held.map(({ assignmentId }) => assignmentId)).toEqual([running.assignmentId]);
  expect(statesOf(next, jobId)[3]).toBe(1);
});
