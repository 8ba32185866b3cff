/** What of a worker's reports counts: exactly what runs under that assignment of that boot. */
import { expect, test } from "bun:test";
import { asBootId } from "../../../../src/runtime/protocol/ids.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  clear,
  complete,
  connect,
  type EffectOf,
  effectsOf,
  eventKinds,
  fail,
  indexesIn,
  statesOf,
  submit,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

test("a report sent again is acknowledged again and changes nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0] });
  const output = complete(foreman, worker, assign, { only: [0], seq: 1 });
  expect(output).toEqual({
    changes: [],
    effects: [{ type: "acknowledgeReports", bootId: worker.bootId, seq: 1, stale: [] }],
  });
});

test("a report sent again under a new number agrees with the record and is silent", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0] });
  const output = complete(foreman, worker, assign, { only: [0] });
  expect(output.changes).toEqual([]);
  expect(effectsOf(output, "acknowledgeReports")).toMatchObject([{ seq: 2, stale: [] }]);
});

test("of a report that repeats some tasks only the others count", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 4 });
  const jobId = submit(foreman, 4);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [1, 2] });
  const output = complete(foreman, worker, assign, { only: [0, 1, 2] });
  expect(changesOf(output, "settled")).toMatchObject([{ settlement: { count: 1 } }]);
  expect(statesOf(foreman, jobId)[4]).toBe(3);
});

test("one report that names a task twice settles it once", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  complete(foreman, worker, only(assignmentsIn(foreman.last)), { only: [0, 0] });
  expect(statesOf(foreman, jobId)[4]).toBe(1);
});

test("a result that contradicts the record is stale", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0] });
  const output = fail(foreman, worker, assign, { only: [0] });
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
  const [ack] = effectsOf(output, "acknowledgeReports");
  expect(ack?.stale).toEqual([{ assignmentId: assign.assignmentId, indexes: Uint32Array.of(0) }]);
});

test("a late result of a lost worker changes nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  foreman.wait(5_000);
  aWorker(foreman, "w2");
  const output = complete(foreman, worker, assign);
  expect(changesOf(output, "settled")).toEqual([]);
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
  expect(effectsOf(output, "acknowledgeReports")).toMatchObject([
    { bootId: worker.bootId, seq: 1 },
  ]);
  expect(statesOf(foreman, jobId)[3]).toBe(1);
});

// Found by the simulator: it was taken for a resend of a failure that had been recorded.
test("a late failure of a lost attempt is stale while its task still waits", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 1, { retries: 3 });
  const assign = only(assignmentsIn(foreman.last));
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  foreman.wait(5_000);
  const output = fail(foreman, worker, assign);
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
});

test("nobody reports for somebody else's assignment", () => {
  const foreman = aForeman();
  aWorker(foreman, "w1");
  const other = aWorker(foreman, "w2");
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  const impostor =
    assign.bootId === other.bootId ? { ...other, bootId: asBootId("w1-boot1") } : other;
  const output = complete(foreman, impostor, assign);
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
  expect(statesOf(foreman, jobId)[3]).toBe(1);
});

test("an index that the job does not have is stale and harms nothing", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  const output = complete(foreman, worker, { ...assign, indexes: { first: 4_000_000_000 } });
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
});

test("a result for a job that is forgotten is told of under no job, so that it can be forgotten too", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign);
  const [known] = changesOf(complete(foreman, worker, assign), "eventRecorded");
  expect(known?.event).toMatchObject({ kind: "stale_attempt", jobId, index: 0 });
  foreman.send({ type: "jobRemoved", token: 1, jobId });
  const [unknown] = changesOf(complete(foreman, worker, assign), "eventRecorded");
  expect(unknown?.event).toMatchObject({ kind: "stale_attempt", jobId: null, index: null });
  expect(JSON.parse(unknown?.event.body ?? "")).toMatchObject({ job_id: jobId, count: 1 });
});

test("a result for a cancelled task only frees its slot", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  const indexes = Uint32Array.of(0);
  const cancel = { token: 1, jobId, code: "cancelled", reason: "no" } as const;
  foreman.send({ type: "cancelRequested", ...cancel, indexes });
  const session = foreman.state.sessions.get(worker.bootId);
  expect([session?.heldTasks, session?.fencedSlots]).toEqual([1, 1]);
  const output = complete(foreman, worker, assign, { only: [0] });
  expect(changesOf(output, "settled")).toEqual([]);
  expect(eventKinds(output)).toEqual(["stale_attempt"]);
  expect([session?.heldTasks, session?.fencedSlots]).toEqual([1, 0]);
  expect(statesOf(foreman, jobId)[6]).toBe(1);
});

test("a slot is free again when the worker says that the processes are gone", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last));
  foreman.send({
    type: "cancelRequested",
    token: 1,
    jobId,
    indexes: null,
    code: "cancelled",
    reason: "no",
  });
  submit(foreman, 1);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  const output = clear(foreman, worker, assign, [0]);
  expect(indexesIn(only(assignmentsIn(output)))).toEqual([0]);
});

test("after a reconnect the numbers go on and resends are recognised", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0] });
  connect(foreman, worker, [assign]);
  complete(foreman, worker, assign, { only: [0], seq: 1 });
  expect(foreman.last.changes).toEqual([]);
  complete(foreman, worker, assign, { only: [1] });
  expect(foreman.state.ended.get(jobId)?.state).toBe("completed");
});
