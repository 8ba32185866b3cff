/** Attempts that fail for want of space on a worker's disk: whose fault that is, and how often. */
import { expect, test } from "bun:test";
import type { Session } from "../../../../src/runtime/scheduler/foreman/state.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  type EffectOf,
  eventKinds,
  type Foreman,
  fail,
  statesOf,
  submit,
  type TestWorker,
} from "./builders.ts";

const only = (assigns: readonly EffectOf<"assignTasks">[]): EffectOf<"assignTasks"> => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

function announce(foreman: Foreman, worker: TestWorker, accepting: boolean): void {
  const { bootId, offer } = worker;
  const reason = accepting ? null : "the disk of /scratch has 0 B free";
  foreman.send({ type: "offerChanged", bootId, offer, accepting, reason });
}

const code = "worker_storage";

test("a task whose worker has no space runs elsewhere, which counts against no retries", () => {
  const foreman = aForeman();
  const [full, roomy] = [aWorker(foreman, "full", { slots: 1 }), aWorker(foreman, "roomy")];
  announce(foreman, roomy, false);
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last, full));
  announce(foreman, full, false);
  announce(foreman, roomy, true);
  const output = fail(foreman, full, assign, { code });
  expect(assignmentsIn(output, roomy)).toMatchObject([{ attempts: 2 }]);
  expect(changesOf(output, "settled")).toEqual([]);
  expect(changesOf(output, "attemptsEnded")).toMatchObject([
    { rows: [{ attempt: 1, outcome: "failed", code }] },
  ]);
  expect(changesOf(output, "taskExceptions")[0]?.written).toMatchObject([
    { failures: 0, crashes: 0, losses: 1 },
  ]);
  // Its disk may have room again at once, for the same task to fill it again.
  expect(eventKinds(output)).toEqual(["attempts_moved", "worker_set_aside"]);
  expect(statesOf(foreman, jobId)[3]).toBe(1);
});

test("with nobody else to run it the task fails, for retries to try again", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 1, { retries: 1, backoff_seconds: 0 });
  const second = only(
    assignmentsIn(fail(foreman, worker, only(assignmentsIn(foreman.last)), { code })),
  );
  const output = fail(foreman, worker, second, { code });
  expect(changesOf(output, "settled")).toMatchObject([{ settlement: { status: "failed" } }]);
  expect(foreman.state.ended.get(jobId)?.state).toBe("failed");
});

test("a task that fills every disk moves three times and then fails", () => {
  const foreman = aForeman();
  const workers = ["a", "b", "c", "d", "e"].map((id) => aWorker(foreman, id, { slots: 1 }));
  const jobId = submit(foreman, 1);
  let attempts = 0;
  for (let output = foreman.last; ; ) {
    const holder = workers.find((worker) => assignmentsIn(output, worker).length > 0);
    if (!holder) break;
    attempts++;
    output = fail(foreman, holder, only(assignmentsIn(output, holder)), { code });
  }
  expect(attempts).toBe(4);
  expect(foreman.state.ended.get(jobId)).toMatchObject({ state: "failed", failed: 1 });
});

test("a failure that its author calls so and permanent moves nowhere", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 1);
  const assign = only(assignmentsIn(foreman.last, worker));
  aWorker(foreman, "roomy");
  const output = fail(foreman, worker, assign, { code, permanent: true });
  expect(assignmentsIn(output)).toEqual([]);
  expect(foreman.state.ended.get(jobId)?.state).toBe("failed");
});

test("with --max-crashes 1 what has started never starts again", () => {
  const foreman = aForeman();
  const full = aWorker(foreman, "full", { slots: 1 });
  const jobId = submit(foreman, 1, { max_crashes: 1 });
  const assign = only(assignmentsIn(foreman.last, full));
  aWorker(foreman, "roomy");
  const output = fail(foreman, full, assign, { code });
  expect(assignmentsIn(output)).toEqual([]);
  expect(foreman.state.ended.get(jobId)?.state).toBe("failed");
});

test("the last one that could run a job is never set aside for it", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  submit(foreman, 2);
  fail(foreman, worker, only(assignmentsIn(foreman.last)), { code });
  const session = foreman.state.sessions.get(worker.bootId) as Session;
  expect(session.worker.setAsideUntilMs).toBeNull();
  // Not even while it takes nothing: nobody else would be there when it does again.
  announce(foreman, worker, true);
  const assign = only(assignmentsIn(submitted(foreman)));
  announce(foreman, worker, false);
  fail(foreman, worker, assign, { code });
  expect(session.worker.setAsideUntilMs).toBeNull();
});

function submitted(foreman: Foreman): Foreman["last"] {
  submit(foreman, 2);
  return foreman.last;
}
