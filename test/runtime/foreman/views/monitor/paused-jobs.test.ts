/** A job that is paused ends nowhere: neither its row nor the overview says when, whatever its rate was. */
import { expect, test } from "bun:test";
import { commandSpec } from "../../rig.ts";
import {
  completeNext,
  connectWorker,
  lookAtOverview,
  rigsOfTests,
  submit,
  WHOLE,
} from "./looking.ts";

const newRig = rigsOfTests();
const INPUTS = Array.from({ length: 1_000 }, (_, at) => at);

test("a paused job has no ETA, and that of all is of the jobs that go on", async () => {
  const rig = await newRig();
  const client = rig.connect();
  const spec = commandSpec({ name: "half done" });
  await submit(client, INPUTS, { spec });
  const worker = connectWorker(rig, "w1");
  for (let seq = 1; seq <= 3; seq++) {
    await completeNext(worker, seq);
    await rig.pass(1_000);
  }
  await rig.pass(5_000);
  const before = await lookAtOverview(rig);
  expect(before.eta_seconds).toBeGreaterThan(0);
  expect(before.jobs.rows["1"]?.eta_seconds).toBeGreaterThan(0);

  client.send({ type: "update_job", request: 2, job_id: 1, patch: { paused: true } });
  await client.next("job_status");
  const paused = await lookAtOverview(rig, { jobs: { ...WHOLE, sort: "eta" } });
  expect(paused.jobs.rows["1"]).toMatchObject({ state: "paused", eta_seconds: null });
  expect(paused.eta_seconds).toBeNull();
  expect(paused.queue.depth).toBe(before.queue.depth);
});
