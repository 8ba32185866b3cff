/** Leases, reconnects, adoption, loss, and what is held against tasks. */
import { expect, test } from "bun:test";
import { asBootId, asWorkerId, type JobId } from "../../../../src/runtime/protocol/ids.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  beat,
  changesOf,
  complete,
  connect,
  type EffectOf,
  effectsOf,
  effectTypes,
  eventKinds,
  type Foreman,
  indexesIn,
  passTime,
  start,
  statesOf,
  submit,
  type TestWorker,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};
const crashesOf = (foreman: Foreman, jobId: JobId, index = 0): number =>
  foreman.state.jobs.get(jobId)?.tasks.trouble?.crashes[index] ?? 0;
const loseConnection = (foreman: Foreman, worker: TestWorker): void => {
  const { bootId } = worker;
  foreman.send({ type: "connectionLost", bootId, connectionSeq: worker.connectionSeq - 1 });
};
const reboot = (foreman: Foreman, worker: TestWorker, boot: number): TestWorker =>
  aWorker(foreman, worker.workerId, worker.offer, `${worker.workerId}-boot${boot}`);

test("a worker whose heartbeats stay out is lost after its lease, and its task runs elsewhere", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const jobId = submit(foreman, 1);
  start(foreman, worker, only(assignmentsIn(foreman.last)));
  const other = aWorker(foreman, "w2");
  passTime(foreman, 14_000, [other]);
  expect(foreman.state.sessions.size).toBe(2);
  foreman.wait(1_000);
  expect(effectTypes(foreman.last)).toEqual([
    "endSession",
    "notifyWorkerLost",
    "assignTasks",
    "notifyJobChanged",
  ]);
  const again = only(assignmentsIn(foreman.last));
  expect([again.bootId, again.attempts]).toEqual([other.bootId, 2]);
  expect(changesOf(foreman.last, "attemptsEnded")).toMatchObject([
    { rows: [{ index: 0, attempt: 1, outcome: "lost", workerId: "w1" }] },
  ]);
  expect(eventKinds(foreman.last)).toEqual(["attempts_lost", "worker_lost"]);
  expect(crashesOf(foreman, jobId)).toBe(1);
});

test("heartbeats keep a lease, but only new ones of the live connection", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  passTime(foreman, 60_000, [worker]);
  expect(foreman.state.sessions.size).toBe(1);
  worker.connectionSeq++;
  connect(foreman, worker);
  const old = { type: "heartbeatReceived", bootId: worker.bootId, freeSlots: 0 } as const;
  for (let second = 0; second < 15; second++) {
    foreman.wait(1_000);
    const load = { cpuPercent: 0, memoryPercent: 0 };
    foreman.send({ ...old, ...load, connectionSeq: 1, beat: 100 + second });
    foreman.send({ ...old, ...load, connectionSeq: worker.connectionSeq - 1, beat: -1 });
  }
  expect(foreman.state.sessions.size).toBe(0);
});

test("a heartbeat costs neither a change nor an effect", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  foreman.wait(3_000);
  expect(beat(foreman, worker)).toEqual({ changes: [], effects: [] });
});

test("a foreman that stood still gives every lease anew once", () => {
  const foreman = aForeman();
  aWorker(foreman);
  foreman.wait(60_000);
  expect(foreman.state.sessions.size).toBe(1);
  for (let i = 0; i < 4; i++) foreman.wait(4_000);
  expect(foreman.state.sessions.size).toBe(0);
});

test("a worker that comes back within the grace goes on as if nothing had happened", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  loseConnection(foreman, worker);
  foreman.wait(4_900);
  const output = connect(foreman, worker, [assign]);
  expect(output.effects).toEqual([]);
  expect(complete(foreman, worker, assign).changes.length).toBeGreaterThan(0);
  expect(foreman.state.ended.get(jobId)?.state).toBe("completed");
});

test("a worker that stays away beyond the grace is lost", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  loseConnection(foreman, worker);
  foreman.wait(5_000);
  expect(effectTypes(foreman.last)).toEqual(["notifyWorkerLost", "notifyJobChanged"]);
  expect(foreman.state.sessions.size).toBe(0);
  // Nobody knows whether it had started: a loss, and no crash.
  expect(crashesOf(foreman, jobId)).toBe(0);
  expect(foreman.state.jobs.get(jobId)?.tasks.trouble?.losses[0]).toBe(1);
});

test("the close of an older connection ends nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  connect(foreman, worker);
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  for (let i = 0; i < 3; i++) passTime(foreman, 3_000, [worker]);
  expect(foreman.state.sessions.get(worker.bootId)?.isConnected).toBe(true);
});

test("an older connection that presents itself late is ignored", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 1);
  worker.connectionSeq = 1;
  expect(connect(foreman, worker)).toEqual({ changes: [], effects: [] });
});

test("what never arrived is queued again under the same attempt", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 3 });
  submit(foreman, 3);
  const assign = only(assignmentsIn(foreman.last));
  const output = foreman.send({
    type: "sessionReady",
    workerId: "w1" as never,
    bootId: worker.bootId,
    connectionSeq: worker.connectionSeq++,
    offer: worker.offer,
    inventory: [{ assignmentId: assign.assignmentId, indexes: Uint32Array.of(1) }],
  });
  const again = only(assignmentsIn(output));
  expect(indexesIn(again)).toEqual([0, 2]);
  expect(again.attempts).toBe(1);
  expect(changesOf(output, "assignmentShrunk")).toMatchObject([
    {
      assignmentId: assign.assignmentId,
      remaining: { count: 1, indexes: { first: 1 }, attempts: 1 },
    },
  ]);
});

test("what the foreman does not know of is ordered to stop", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const stranger = {
    ...({} as Assign),
    assignmentId: 77 as never,
    indexes: { first: 4 },
    count: 2,
  };
  const output = connect(foreman, worker, [stranger]);
  expect(effectsOf(output, "cancelTasks")).toMatchObject([{ assignmentId: 77 }]);
  expect([...(effectsOf(output, "cancelTasks")[0]?.indexes ?? [])]).toEqual([4, 5]);
});

test("cancelled tasks that a returning worker still holds are ordered to stop again", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  loseConnection(foreman, worker);
  foreman.send({
    type: "cancelRequested",
    token: null,
    jobId,
    indexes: null,
    code: "cancelled",
    reason: "enough",
  });
  expect(effectsOf(foreman.last, "cancelTasks")).toEqual([]);
  const output = connect(foreman, worker, [assign]);
  expect([...(effectsOf(output, "cancelTasks")[0]?.indexes ?? [])]).toEqual([0, 1]);
  const session = foreman.state.sessions.get(worker.bootId);
  expect(session?.fencedSlots).toBe(2);
  connect(foreman, worker, []);
  expect(session?.fencedSlots).toBe(0);
});

test("a worker that leaves in order takes nobody's blame along", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  const output = foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "stopped" });
  expect(effectTypes(output)).toEqual(["notifyJobChanged"]);
  const job = foreman.state.jobs.get(jobId);
  expect([job?.tasks.attempt[0], job?.tasks.attempt[1]]).toEqual([1, 0]);
  expect([crashesOf(foreman, jobId), job?.tasks.trouble?.losses[0]]).toEqual([0, 0]);
  expect(statesOf(foreman, jobId)[0]).toBe(2);
});

test("the worker's next boot replaces the old one at once", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  start(foreman, worker, only(assignmentsIn(foreman.last)));
  const next = reboot(foreman, worker, 2);
  expect(effectTypes(foreman.last)).toEqual([
    "endSession",
    "notifyWorkerLost",
    "assignTasks",
    "notifyJobChanged",
  ]);
  expect(only(assignmentsIn(foreman.last)).bootId).toBe(next.bootId);
  expect(crashesOf(foreman, jobId)).toBe(1);
});

test("the next boot may deliver what the last one had finished", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  const next: TestWorker = { ...worker, bootId: "w1-boot2" as never, connectionSeq: 1, seq: 0 };
  const spooled = { ...assign, indexes: { first: 0 }, count: 1 };
  const output = connect(foreman, next, [spooled]);
  expect(changesOf(output, "assigned")[0]?.assignment).toMatchObject({
    assignmentId: assign.assignmentId,
    bootId: "w1-boot2",
    count: 1,
  });
  const result = complete(foreman, next, assign, { only: [0] });
  expect(changesOf(result, "settled")).toMatchObject([{ settlement: { bootId: "w1-boot2" } }]);
  expect(statesOf(foreman, jobId)[4]).toBe(1);
});

test("three crashes make a task poison, and from the second on it runs alone", () => {
  const foreman = aForeman();
  let worker = aWorker(foreman, "w1", { slots: 4 });
  const jobId = submit(foreman, 3);
  let assign = only(assignmentsIn(foreman.last));
  expect(indexesIn(assign)).toEqual([0, 1, 2]);
  for (const boot of [2, 3]) {
    start(foreman, worker, assign, [0]);
    worker = reboot(foreman, worker, boot);
    assign = only(assignmentsIn(foreman.last));
  }
  // Two crashes: it has the worker to itself, the others wait.
  expect(indexesIn(assign)).toEqual([0]);
  expect(crashesOf(foreman, jobId)).toBe(2);
  start(foreman, worker, assign, [0]);
  worker = reboot(foreman, worker, 4);
  const [settled] = changesOf(foreman.last, "settled");
  expect(settled?.settlement).toMatchObject({ status: "failed", count: 1 });
  expect(statesOf(foreman, jobId)[5]).toBe(1);
  expect(indexesIn(only(assignmentsIn(foreman.last)))).toEqual([1, 2]);
});

test("a task that takes workers down before anybody sees it start ends as poison too", () => {
  const foreman = aForeman();
  let worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  for (let boot = 2; boot < 10 && foreman.state.jobs.size > 0; boot++) {
    worker = reboot(foreman, worker, boot);
  }
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "failed", failed: 1 });
});

test("with one crash allowed a task that may have started is not started again", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { max_crashes: 1 });
  loseConnection(foreman, worker);
  foreman.wait(5_000);
  expect(foreman.state.ended.get(jobId)?.state).toBe("failed");
});

test("the blame is taken back when the lost boot returns after all", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  start(foreman, worker, assign, [0]);
  loseConnection(foreman, worker);
  foreman.wait(5_000);
  expect(crashesOf(foreman, jobId)).toBe(1);
  const output = connect(foreman, worker, [assign]);
  expect(crashesOf(foreman, jobId)).toBe(0);
  expect(effectsOf(output, "cancelTasks")).toMatchObject([{ assignmentId: assign.assignmentId }]);
  // Its old results are stale, the new assignment counts.
  expect(indexesIn(only(assignmentsIn(output)))).toEqual([0, 1]);
});

test("a worker that was not seen for a month is forgotten, unless it is paused or here", () => {
  const foreman = aForeman();
  const days = 86_400_000;
  for (const name of ["gone", "paused", "here"]) aWorker(foreman, name);
  foreman.send({
    type: "workerPaused",
    token: 1,
    workerId: asWorkerId("paused"),
    paused: true,
    now: false,
  });
  for (const name of ["gone", "paused"]) {
    foreman.send({ type: "sessionEnded", bootId: asBootId(`${name}-boot1`), reason: "enough" });
  }
  foreman.wait(30 * days - 1);
  expect(foreman.state.workers.size).toBe(3);
  foreman.wait(1);
  expect(changesOf(foreman.last, "workerForgotten")).toEqual([
    { type: "workerForgotten", workerId: asWorkerId("gone") },
  ]);
  expect([...foreman.state.workers.keys()].sort()).toEqual(["here", "paused"] as never);
});
