/** A worker whose disk is in trouble: it says so, takes nothing, and gives back what waits. */
import { expect, test } from "bun:test";
import {
  assigned,
  CONNECTED,
  completed,
  createConnectedAgent,
  ended,
  lines,
} from "./agent-fixture.ts";

const trouble = (words: string | null) => ({ type: "storageMeasured", trouble: words }) as const;
const FULL = "the disk of /scratch has 0 B free";

test("the word comes first, then what waits goes back, and what runs goes on", () => {
  const agent = createConnectedAgent({ slots: 1 });
  agent.on(assigned({ count: 3 }));
  expect(lines(agent.on(trouble(FULL)))).toEqual([
    `send announce not accepting: ${FULL}`,
    "send #1 returned 1/[1,2] worker_storage",
  ]);
  expect(lines(agent.on(assigned({ assignment: 2 })))).toEqual([
    "send #2 returned 2/[0] worker_storage",
  ]);
  agent.atMs = 10;
  expect(lines([...agent.on(completed(1, 0, 1)), ...agent.on(ended(1))])).toEqual([
    "send #3 completed 1/0+1",
  ]);
});

test("with room again it says so and takes tasks, without a restart", () => {
  const agent = createConnectedAgent({ slots: 1 });
  agent.on(trouble(FULL));
  expect(lines(agent.on(trouble(FULL)))).toEqual([]);
  expect(lines(agent.on(trouble(null)))).toEqual(["send announce accepting"]);
  expect(lines(agent.on(assigned()))).toEqual(["run 1: 1/0+1 on 1"]);
});

test("what an executor could not start goes back after the word", () => {
  const agent = createConnectedAgent({ slots: 1 });
  agent.on(assigned());
  expect(lines([...agent.on(trouble(FULL)), ...agent.on(ended(1, "worker_storage"))])).toEqual([
    `send announce not accepting: ${FULL}`,
    "send #1 returned 1/[0] worker_storage",
  ]);
});

test("it is said again after a reconnect", () => {
  const agent = createConnectedAgent({ slots: 1 });
  agent.on({ type: "disconnected" });
  agent.on(trouble(FULL));
  expect(lines(agent.on(CONNECTED))).toEqual([
    "send ready boot-0001#2 holds [] acked 0",
    `send announce not accepting: ${FULL}`,
  ]);
});
