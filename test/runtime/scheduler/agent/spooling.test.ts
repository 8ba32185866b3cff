/** Which results go to disk as well, what a next boot makes of them, and when they go. */
import { describe, expect, test } from "bun:test";
import { asBootId } from "../../../../src/runtime/protocol/ids.ts";
import type { AgentEffect } from "../../../../src/runtime/scheduler/agent/events.ts";
import type { SpooledResult } from "../../../../src/runtime/scheduler/agent/state.ts";
import { leaveUnheard } from "../../../../src/runtime/scheduler/agent/stopping.ts";
import {
  type Agent,
  assigned,
  CONNECTED,
  completed,
  createAgent,
  createConnectedAgent,
  ended,
  lines,
} from "./agent-fixture.ts";

const SPOOLING = { spoolAfterUs: 5_000_000, slots: 1 };

function spooledIn(effects: readonly AgentEffect[]): SpooledResult[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "spoolResult") return [];
    const { spoolId, foremanId, message } = effect;
    return [{ spoolId, foremanId, message }];
  });
}

/** Runs one task that took so long, and says what was spooled of it. */
function runTask(agent: Agent, assignment: number, runUs: number): AgentEffect[] {
  agent.on(assigned({ assignment, first: assignment * 10 }));
  const effects = agent.on(completed(assignment, 0, 1, runUs));
  return [...effects, ...agent.on(ended(assignment))];
}

describe("a finished result", () => {
  test("of an attempt of five seconds is sent and then spooled, and goes with its acknowledgement", () => {
    const agent = createConnectedAgent(SPOOLING);
    expect(lines(runTask(agent, 1, 5_000_000))).toEqual([
      "send #1 completed 1/10+1",
      "spool 1: #1 completed 1/10+1",
    ]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 1 }))).toEqual(["unspool 1"]);
  });

  test("of a shorter one never touches the disk", () => {
    const agent = createConnectedAgent(SPOOLING);
    expect(lines(runTask(agent, 1, 4_999_999))).toEqual(["send #1 completed 1/10+1"]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 1 }))).toEqual([]);
  });

  test("is spooled without a connection, and dropped when the foreman ends the session", () => {
    const agent = createConnectedAgent(SPOOLING);
    agent.on({ type: "disconnected" });
    expect(lines(runTask(agent, 1, 6e6))).toEqual(["spool 1: #1 completed 1/10+1"]);
    agent.on(CONNECTED);
    expect(lines(agent.on({ type: "sessionEnded" }))).toEqual(["unspool 1"]);
  });

  test("that nobody has heard is spooled however short when the worker leaves", () => {
    const agent = createConnectedAgent(SPOOLING);
    agent.on(assigned({ count: 1 }));
    agent.on({ type: "disconnected" });
    agent.on({ type: "drainRequested", reason: "SIGTERM" });
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    expect(lines(agent.pass(5_000))).toEqual(["spool 1: #1 completed 1/0+1", "stop: SIGTERM"]);
  });
});

test("a process that ends without a word spools what was finished, gathered results too", () => {
  const agent = createConnectedAgent({ ...SPOOLING, slots: 2 });
  agent.on(assigned({ count: 3 }));
  agent.on(completed(1, 0, 1));
  agent.on(ended(1));
  agent.on(completed(2, 0, 1));
  expect(lines(leaveUnheard(agent.state, agent.atMs))).toEqual([
    "spool 1: #1 completed 1/0+1",
    "spool 2: #2 completed 1/1+1",
  ]);
  expect(leaveUnheard(agent.state, agent.atMs)).toEqual([]);
});

describe("the next boot", () => {
  function leftBehind(): SpooledResult[] {
    const before = createConnectedAgent(SPOOLING);
    return [...spooledIn(runTask(before, 1, 6e6)), ...spooledIn(runTask(before, 2, 7e6))];
  }
  const second = { ...CONNECTED, freshBootId: asBootId("boot-0002") };

  test("presents what it found under the old assignments and delivers it", () => {
    const agent = createAgent({ ...SPOOLING, spooled: leftBehind() });
    expect(lines(agent.on(second))).toEqual([
      "send ready boot-0002#1 holds [1/10 2/20] acked 0",
      "send #1 completed 1/10+1",
      "send #2 completed 2/20+1",
    ]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 1 }))).toEqual(["unspool 1"]);
    agent.on({ type: "disconnected" });
    expect(lines(agent.on(second))).toEqual([
      "send ready boot-0002#2 holds [2/20] acked 1",
      "send #2 completed 2/20+1",
    ]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 2 }))).toEqual(["unspool 2"]);
  });

  test("numbers what it spools itself after what it found", () => {
    const agent = createAgent({ ...SPOOLING, spooled: leftBehind() });
    agent.on(second);
    const effects = runTask(agent, 1, 6e6);
    expect(lines(effects)).toEqual(["send #3 completed 1/10+1", "spool 3: #3 completed 1/10+1"]);
  });

  test("sets aside what belongs to another foreman", () => {
    const agent = createAgent({ ...SPOOLING, spooled: leftBehind() });
    expect(lines(agent.on({ ...second, foremanId: "foreman-b" }))).toEqual([
      "aside 1,2: they belong to another foreman",
      "send ready boot-0002#1 holds [] acked 0",
    ]);
  });

  test("answers the order to stop what is stale, and drops it with the acknowledgement", () => {
    const agent = createAgent({ ...SPOOLING, spooled: leftBehind().slice(0, 1) });
    agent.on(second);
    const order = {
      type: "tasksCancelled",
      assignmentId: 1 as never,
      indexes: Uint32Array.of(10),
      reason: "it is not assigned to this worker any more",
    } as const;
    expect(lines(agent.on(order))).toEqual(["send #2 gone 1/[10]"]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 2 }))).toEqual(["unspool 1"]);
  });

  test("that leaves before anybody listened leaves the spool as it was", () => {
    const agent = createAgent({ ...SPOOLING, spooled: leftBehind() });
    expect(lines(agent.on({ type: "drainRequested", reason: "SIGTERM" }))).toEqual([
      "stop: SIGTERM",
    ]);
  });
});
