/** A job's screen is shown, too, while the store is behind the machine. */
import { expect, test } from "bun:test";
import { asJobId } from "../../../../../../src/runtime/protocol/ids.ts";
import type { View } from "../../../../../../src/runtime/protocol/messages/client.ts";
import type { JobMonitorView } from "../../../../../../src/runtime/protocol/monitor-views.ts";
import { createMemoryStore } from "../../../../../../src/runtime/store/memory.ts";
import { valuesOf } from "../../../rig.ts";
import { look, rigsOfTests, submit, WHOLE } from "../looking.ts";

const newRig = rigsOfTests();

const SCREEN: View = {
  ...{ kind: "job_monitor", job_id: 1, window_seconds: 120, back_seconds: 0 },
  ...{ cells: 100, tasks: WHOLE },
};

test("tasks whose inputs are not committed yet are rows without an input", async () => {
  const memory = createMemoryStore();
  let room: Promise<void> | null = null;
  const store = {
    ...memory,
    commit: async (...changes: Parameters<typeof memory.commit>) => {
      await room;
      return memory.commit(...changes);
    },
  };
  const rig = await newRig(store);
  const client = rig.connect();
  await submit(client, ["a"], { close: false });
  const held = Promise.withResolvers<void>();
  room = held.promise;
  client.send({
    ...{ type: "submit_tasks", request: 2, job_id: 1, first_index: 1, count: 2 },
    input: valuesOf(["b", "c"]),
  });
  const job = rig.foreman.state.jobs.get(asJobId(1));
  while (job?.tasks.count !== 3) await new Promise((resolve) => setImmediate(resolve));
  const { tasks } = await look<JobMonitorView>(rig, SCREEN);
  expect(tasks.order).toEqual(["1/0", "1/1", "1/2"]);
  expect(Object.values(tasks.rows).map(({ input }) => input)).toEqual([
    '"a"',
    undefined,
    undefined,
  ]);
  held.resolve();
  await client.next("tasks_accepted");
  const after = await look<JobMonitorView>(rig, SCREEN);
  expect(after.tasks.rows["1/2"]?.input).toBe('"c"');
});
