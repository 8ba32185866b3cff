/** A worker that we hear and that does not hear us is not given the same tasks for ever. */
import { expect, test } from "bun:test";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  complete,
  connect,
  type Foreman,
  submit,
  type TestWorker,
} from "./builders.ts";

/** It gives the silent connection up and comes back at once, with nothing. */
function comeBack(foreman: Foreman, worker: TestWorker): void {
  const { bootId } = worker;
  foreman.wait(9_000);
  foreman.send({ type: "connectionLost", bootId, connectionSeq: worker.connectionSeq - 1 });
  connect(foreman, worker, []);
}

test("its tasks go to another when it was twice back without them", () => {
  const foreman = aForeman();
  const deaf = aWorker(foreman, "deaf");
  const jobId = submit(foreman, 1);
  expect(assignmentsIn(foreman.last, deaf)).toHaveLength(1);
  const other = aWorker(foreman, "other");
  // Once may be a connection that broke at the wrong moment.
  comeBack(foreman, deaf);
  expect(assignmentsIn(foreman.last, deaf)).toHaveLength(1);
  connect(foreman, other, []);
  comeBack(foreman, deaf);
  const [again] = assignmentsIn(foreman.last);
  expect(again?.bootId).toBe(other.bootId);
  if (again) complete(foreman, other, again);
  expect(foreman.state.jobs.has(jobId)).toBe(false);
});

test("it is given work again after a rest, and at once when it has reported on a task", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  submit(foreman, 2);
  comeBack(foreman, worker);
  const [given] = assignmentsIn(foreman.last, worker);
  if (given) complete(foreman, worker, given, { only: [0] });
  // The count began anew with that report.
  comeBack(foreman, worker);
  expect(assignmentsIn(foreman.last, worker)).toHaveLength(1);
  comeBack(foreman, worker);
  expect(assignmentsIn(foreman.last, worker)).toHaveLength(0);
  foreman.wait(9_000);
  connect(foreman, worker, []);
  foreman.wait(6_000);
  expect(assignmentsIn(foreman.last, worker)).toHaveLength(1);
});
