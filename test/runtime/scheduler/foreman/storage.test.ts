/** While the store's disk is full nothing is started; everything else goes on. */
import { expect, test } from "bun:test";
import { asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import { whyJob, whyWorker } from "../../../../src/runtime/scheduler/foreman/explain/explain.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  complete,
  effectsOf,
  eventKinds,
  type Foreman,
  submit,
} from "./builders.ts";

const fill = (foreman: Foreman) => foreman.send({ type: "storageChanged", fullFolder: "/store" });
const free = (foreman: Foreman) => foreman.send({ type: "storageChanged", fullFolder: null });

test("results are taken, acknowledged and placed no further", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 3);
  const [first] = assignmentsIn(foreman.last);
  if (!first) throw new Error("nothing was assigned");
  expect(eventKinds(fill(foreman))).toEqual(["storage_full"]);
  expect(eventKinds(fill(foreman))).toEqual([]);
  const output = complete(foreman, worker, first);
  expect(effectsOf(output, "acknowledgeReports").length).toBe(1);
  expect(assignmentsIn(output)).toEqual([]);
  expect(whyJob(foreman.state, jobId)).toMatchObject({
    code: "storage_full",
    hint: "df -h /store",
  });
  const freed = free(foreman);
  expect(eventKinds(freed)).toEqual(["storage_recovered"]);
  expect(assignmentsIn(freed).length).toBe(1);
});

test("jobs and workers that came meanwhile meet when there is room", () => {
  const foreman = aForeman();
  fill(foreman);
  // Such as one that was accepted in the very group that found the disk full.
  const low = submit(foreman, 1, { priority: -5 });
  const high = submit(foreman, 1, { priority: 5 });
  aWorker(foreman, "w1", { slots: 1 });
  expect(assignmentsIn(foreman.last)).toEqual([]);
  expect(whyWorker(foreman.state, asWorkerId("w1")).code).toBe("storage_full");
  foreman.wait(10_000);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  const [next] = assignmentsIn(free(foreman));
  expect(next?.jobId).toBe(high);
  expect(low).toBeLessThan(high);
});
