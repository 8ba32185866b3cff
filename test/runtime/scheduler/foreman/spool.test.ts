/** What a worker's next boot delivers for the one before it: taken over, in part, late, and twice. */
import { describe, expect, test } from "bun:test";
import { asBootId, asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import type { HeldTasks } from "../../../../src/runtime/scheduler/foreman/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/foreman/invariants.ts";
import {
  createForemanState,
  recover,
  step,
} from "../../../../src/runtime/scheduler/foreman/machine.ts";
import type { StepOutput } from "../../../../src/runtime/scheduler/foreman/machine-interface.ts";
import { createMemoryStore } from "../../../../src/runtime/store/memory.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  type EffectOf,
  effectsOf,
  eventKinds,
  type Foreman,
  indexesIn,
  options,
  start,
  statesOf,
  submit,
  type TestWorker,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;

/** Four slots with an assignment each or together; the job's tasks are long. */
function runningFour(foreman: Foreman): { worker: TestWorker; assigns: readonly Assign[] } {
  const worker = aWorker(foreman, "w1", { slots: 4, queue_size: 0 });
  submit(foreman, 4);
  const assigns = assignmentsIn(foreman.last);
  expect(assigns.flatMap(indexesIn).sort()).toEqual([0, 1, 2, 3]);
  for (const assign of assigns) start(foreman, worker, assign);
  return { worker, assigns };
}

/** The worker's next start, with what it found in its spool. */
function reboot(
  foreman: Foreman,
  boot: string,
  inventory: readonly HeldTasks[],
  worker: TestWorker,
): TestWorker {
  const next: TestWorker = { ...worker, bootId: asBootId(boot), connectionSeq: 2, beat: 0, seq: 0 };
  foreman.send({
    type: "sessionReady",
    workerId: asWorkerId("w1"),
    bootId: next.bootId,
    connectionSeq: 1,
    offer: { ...worker.offer, queues: ["none"] },
    inventory,
  });
  return next;
}

/** Of the assignment that holds the task. */
function held(assigns: readonly Assign[], index: number): { assign: Assign; held: HeldTasks } {
  const assign = assigns.find((each) => indexesIn(each).includes(index));
  if (!assign) throw new Error(`task ${index} is not assigned`);
  const { assignmentId } = assign;
  return { assign, held: { assignmentId, indexes: Uint32Array.of(index) } };
}

const RUNNING = 3;
const COMPLETED = 4;

describe("the next boot of a worker", () => {
  test("keeps the tasks whose results it has, under their attempt; the others are queued again", () => {
    const foreman = aForeman();
    const { worker, assigns } = runningFour(foreman);
    const { assign, held: spooled } = held(assigns, 1);
    const next = reboot(foreman, "w1-boot2", [spooled], worker);
    const jobId = assign.jobId;
    expect(statesOf(foreman, jobId)[RUNNING]).toBe(1);
    expect(effectsOf(foreman.last, "cancelTasks")).toEqual([]);
    const output = complete(foreman, next, assign, { only: [1], runUs: 6_000_000 });
    expect(changesOf(output, "settled")).toMatchObject([
      { settlement: { status: "completed", bootId: "w1-boot2", count: 1 } },
    ]);
    expect(statesOf(foreman, jobId)[COMPLETED]).toBe(1);
    expect(foreman.state.jobs.get(jobId)?.tasks.attempt[1]).toBe(1);
  });

  test("may name one assignment twice, one file each", () => {
    const foreman = aForeman();
    const { worker, assigns } = runningFour(foreman);
    const twice = [held(assigns, 0).held, held(assigns, 2).held, held(assigns, 0).held];
    const next = reboot(foreman, "w1-boot2", twice, worker);
    const jobId = held(assigns, 0).assign.jobId;
    expect(statesOf(foreman, jobId)[RUNNING]).toBe(2);
    complete(foreman, next, held(assigns, 2).assign, { only: [2] });
    complete(foreman, next, held(assigns, 0).assign, { only: [0] });
    // The second file of the same task agrees with the record: silent.
    const repeated = complete(foreman, next, held(assigns, 0).assign, { only: [0] });
    expect(eventKinds(repeated)).toEqual([]);
    expect(statesOf(foreman, jobId)[COMPLETED]).toBe(2);
  });

  test("that dies too hands them on to the one after it", () => {
    const foreman = aForeman();
    const { worker, assigns } = runningFour(foreman);
    const { assign, held: spooled } = held(assigns, 3);
    reboot(foreman, "w1-boot2", [spooled], worker);
    const third = reboot(foreman, "w1-boot3", [spooled], worker);
    complete(foreman, third, assign, { only: [3] });
    expect(statesOf(foreman, assign.jobId)[COMPLETED]).toBe(1);
    expect(foreman.state.jobs.get(assign.jobId)?.tasks.attempt[3]).toBe(1);
  });

  test("that comes when the old one is lost is told to stop, and its result is stale", () => {
    const foreman = aForeman();
    const { worker, assigns } = runningFour(foreman);
    const { assign, held: spooled } = held(assigns, 1);
    foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
    foreman.wait(5_000);
    const next = reboot(foreman, "w1-boot2", [spooled], worker);
    expect(effectsOf(foreman.last, "cancelTasks")).toMatchObject([
      { bootId: "w1-boot2", assignmentId: assign.assignmentId, indexes: Uint32Array.of(1) },
    ]);
    const other = aWorker(foreman, "w2", { slots: 4 });
    const elsewhere = assignmentsIn(foreman.last, other);
    expect(elsewhere.length).toBeGreaterThan(0);
    const late = complete(foreman, next, assign, { only: [1] });
    expect(eventKinds(late)).toEqual(["stale_attempt"]);
    expect(changesOf(late, "settled")).toEqual([]);
    expect(effectsOf(late, "acknowledgeReports")).toMatchObject([
      { bootId: "w1-boot2", stale: [{ assignmentId: assign.assignmentId }] },
    ]);
  });

  test("finds them still its own after a foreman's restart, before and after it has come", async () => {
    const foreman = aForeman();
    const store = createMemoryStore();
    const { send } = foreman;
    foreman.send = (event) => {
      const output = send(event);
      void store.commit(output.changes);
      return output;
    };
    const { worker, assigns } = runningFour(foreman);
    const { assign, held: spooled } = held(assigns, 1);
    const second = await restarted(store, foreman.nowMs + 1_000);
    const next = reboot(second, "w1-boot2", [spooled], worker);
    expect(statesOf(second, assign.jobId)[RUNNING]).toBe(1);
    const third = await restarted(store, second.nowMs + 1_000);
    third.send({
      type: "sessionReady",
      workerId: asWorkerId("w1"),
      bootId: next.bootId,
      connectionSeq: 2,
      offer: { ...worker.offer, queues: ["none"] },
      inventory: [spooled],
    });
    const output = complete(third, next, assign, { only: [1] });
    expect(changesOf(output, "settled")).toMatchObject([{ settlement: { status: "completed" } }]);
    expect(third.state.jobs.get(assign.jobId)?.tasks.attempt[1]).toBe(1);
  });
});

/** The next foreman on the same facts. */
async function restarted(
  store: ReturnType<typeof createMemoryStore>,
  nowMs: number,
): Promise<Foreman> {
  const state = createForemanState(options());
  const output = recover(state, await store.load(), nowMs);
  await store.commit(output.changes);
  const foreman: Foreman = {
    state,
    nowMs,
    last: output,
    send(event) {
      foreman.last = step(state, { ...event, atMs: foreman.nowMs } as Parameters<typeof step>[1]);
      checkInvariants(state);
      void store.commit(foreman.last.changes);
      return foreman.last;
    },
    wait(ms): StepOutput {
      foreman.nowMs += ms;
      return foreman.send({ type: "clockAdvanced" });
    },
  };
  return foreman;
}
