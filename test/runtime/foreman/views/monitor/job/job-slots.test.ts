/** The slots that a job has are those of workers that are here, both the busy ones and all. */
import { expect, test } from "bun:test";
import type { JobMonitorView } from "../../../../../../src/runtime/protocol/monitor-views.ts";
import { connectWorker, look, rigsOfTests, submit, WHOLE } from "../looking.ts";

const newRig = rigsOfTests();

test("a worker whose connection is gone has none of a job's slots, busy or not", async () => {
  const rig = await newRig();
  await submit(rig.connect(), [1, 2]);
  const worker = connectWorker(rig, "w1");
  await worker.next("assign_task");
  const slots = async () => {
    const { slots } = await look<JobMonitorView>(rig, {
      ...{ kind: "job_monitor", job_id: 1, window_seconds: 120, back_seconds: 0 },
      ...{ cells: 0, tasks: WHOLE },
    });
    return slots;
  };
  expect(await slots()).toEqual({ busy: 2, total: 2 });
  worker.channel.close(1000, "test");
  await rig.pass(100);
  expect(await slots()).toEqual({ busy: 0, total: 0 });
});
