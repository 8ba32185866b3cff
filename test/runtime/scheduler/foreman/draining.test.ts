/** `cc drain WORKER` in the foreman: when it is answered, what is repeated, and how it is explained. */
import { describe, expect, test } from "bun:test";
import { asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import { whyJob, whyWorker } from "../../../../src/runtime/scheduler/foreman/explain/explain.ts";
import { sessionSummaries } from "../../../../src/runtime/scheduler/foreman/selectors.ts";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  connect,
  effectsOf,
  type Foreman,
  submit,
  type TestWorker,
  workerEvents,
} from "./builders.ts";

let tokens = 50;
const drain = (foreman: Foreman, workerId: string, undo = false): number => {
  const token = ++tokens;
  foreman.send({ type: "drainRequested", token, workerId: asWorkerId(workerId), undo });
  return token;
};

const announce = (
  foreman: Foreman,
  worker: TestWorker,
  draining: "requested" | "stopping" | null,
): void => {
  const { bootId, offer } = worker;
  const accepting = draining === null;
  const reason = accepting ? null : "draining";
  foreman.send({ type: "offerChanged", bootId, offer, accepting, reason, draining });
};

const orders = (foreman: Foreman) =>
  effectsOf(foreman.last, "drainSession").map(({ connectionSeq, undo }) => ({
    connectionSeq,
    undo,
  }));

describe("cc drain", () => {
  test("is answered when the worker has said that it drains, not before", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    const token = drain(foreman, "w1");
    expect(orders(foreman)).toEqual([{ connectionSeq: 1, undo: false }]);
    expect(effectsOf(foreman.last, "reply")).toEqual([]);
    announce(foreman, worker, "requested");
    expect(effectsOf(foreman.last, "reply")).toEqual([
      { type: "reply", token, answer: { type: "done", note: null } },
    ]);
    expect(workerEvents(foreman.last)).toEqual(["worker_draining"]);
    submit(foreman, 3);
    expect(assignmentsIn(foreman.last)).toEqual([]);
  });

  test("asked twice sends one order and answers both; once it drains, with a note", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    const first = drain(foreman, "w1");
    const second = drain(foreman, "w1");
    expect(orders(foreman)).toEqual([]);
    announce(foreman, worker, "requested");
    expect(effectsOf(foreman.last, "reply").map(({ token }) => token)).toEqual([first, second]);
    drain(foreman, "w1");
    expect(answerOf(foreman.last)).toEqual({
      type: "done",
      note: "worker w1 is draining already",
    });
  });

  test("is repeated on the next connection when the worker may not have heard it", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w1");
    foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
    connect(foreman, worker);
    expect(orders(foreman)).toEqual([{ connectionSeq: 2, undo: false }]);
    announce(foreman, worker, "requested");
    expect(answerOf(foreman.last)).toEqual({ type: "done", note: null });
  });

  test("of an idle worker is answered also by its leaving", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w1");
    foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "draining" });
    expect(answerOf(foreman.last)).toEqual({ type: "done", note: null });
  });

  test("of a worker that is lost before it answers is refused", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w1");
    foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
    foreman.wait(5_000);
    expect(answerOf(foreman.last)).toMatchObject({ code: "worker_not_connected" });
  });

  test("of a worker that is unknown or away says so", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w9");
    expect(answerOf(foreman.last)).toMatchObject({ code: "no_such_worker", hint: "cc workers" });
    foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
    drain(foreman, "w1");
    expect(answerOf(foreman.last)).toEqual({
      type: "refused",
      code: "worker_not_connected",
      message: "Worker w1 is not connected at this moment; it may come back.",
      hint: "cc why w1",
      retryable: false,
    });
  });
});

describe("cc drain --undo", () => {
  test("is answered when the worker stays, and it takes tasks again", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w1");
    announce(foreman, worker, "requested");
    submit(foreman, 1);
    drain(foreman, "w1", true);
    expect(orders(foreman)).toEqual([{ connectionSeq: 1, undo: true }]);
    announce(foreman, worker, null);
    expect(answerOf(foreman.last)).toEqual({ type: "done", note: null });
    expect(workerEvents(foreman.last)).toEqual(["worker_drain_undone"]);
    expect(assignmentsIn(foreman.last)).toHaveLength(1);
  });

  test("without a drain is a note, and of a signalled worker a refusal", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    drain(foreman, "w1", true);
    expect(answerOf(foreman.last)).toEqual({ type: "done", note: "worker w1 is not draining" });
    announce(foreman, worker, "stopping");
    drain(foreman, "w1", true);
    expect(answerOf(foreman.last)).toMatchObject({ code: "worker_stopping" });
  });

  test("that comes too late is refused when the worker has left", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman);
    announce(foreman, worker, "requested");
    drain(foreman, "w1", true);
    foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "draining" });
    expect(answerOf(foreman.last)).toMatchObject({ code: "worker_not_connected" });
  });
});

test("a draining worker is shown, and cc why names it to a job that has nobody else", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 2);
  announce(foreman, worker, "requested");
  expect(sessionSummaries(foreman.state)[0]).toMatchObject({ state: "draining" });
  expect(whyWorker(foreman.state, asWorkerId("w1"))).toEqual({
    code: "draining",
    sentence: "Worker w1 is draining and ends when 1 task there has ended.",
    hint: "cc drain w1 --undo",
  });
  const waiting = submit(foreman, 1);
  expect(whyJob(foreman.state, waiting)).toEqual({
    code: "workers_draining",
    sentence: "The only worker that could run it, w1, is draining.",
    hint: "cc worker, or cc drain w1 --undo",
  });
  expect(whyJob(foreman.state, jobId).code).toBe("workers_draining");
});

test("once it has left, cc why says that it was drained, until it is back", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  announce(foreman, worker, "requested");
  foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "draining" });
  const jobId = submit(foreman, 1);
  expect(whyJob(foreman.state, jobId)).toEqual({
    code: "no_workers",
    sentence: "No workers are connected; the last one, w1, was drained.",
    hint: "cc worker",
  });
  expect(whyWorker(foreman.state, asWorkerId("w1")).sentence).toBe(
    "Worker w1 was drained and has ended.",
  );
  const back = aWorker(foreman, "w1", {}, "w1-boot2");
  foreman.send({ type: "sessionEnded", bootId: back.bootId, reason: "SIGTERM" });
  expect(whyJob(foreman.state, submit(foreman, 1)).sentence).toBe("No workers are connected.");
});
