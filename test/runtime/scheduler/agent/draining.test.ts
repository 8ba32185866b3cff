/** A drain that the foreman orders: how it begins, what undoes it, and what it waits for. */
import { describe, expect, test } from "bun:test";
import {
  assigned,
  CONNECTED,
  completed,
  createConnectedAgent,
  ended,
  lines,
} from "./agent-fixture.ts";

const drain = { type: "drainOrdered", undo: false } as const;
const undo = { type: "drainOrdered", undo: true } as const;
const signal = { type: "drainRequested", reason: "SIGTERM" } as const;

describe("a drain that the foreman orders", () => {
  test("gives back what waits, lets running tasks finish and then leaves", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 3 }));
    const begun = agent.on(drain);
    expect(lines(begun)).toEqual([
      "send announce not accepting: draining",
      "send #1 returned 1/[2] drain",
    ]);
    expect(begun[0]).toMatchObject({ message: { draining: "requested" } });
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    agent.on(completed(2, 0, 1));
    agent.on(ended(2));
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 3 }))).toEqual([
      "send goodbye draining",
      "stop: draining",
    ]);
  });

  test("is undone while a task runs: new ones are taken again", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(drain);
    const undone = agent.on(undo);
    expect(lines(undone)).toEqual(["send announce accepting"]);
    expect(undone[0]).not.toHaveProperty("message.draining");
    expect(lines(agent.on(assigned({ assignment: 2 })))).toEqual(["run 2: 2/0+1 on 2"]);
  });

  test("is answered each time, also when nothing changes", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    expect(lines(agent.on(undo))).toEqual(["send announce accepting"]);
    agent.on(drain);
    expect(lines(agent.on(drain))).toEqual(["send announce not accepting: draining"]);
  });

  test("is kept over a loss of the connection and said again after it", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(drain);
    agent.on({ type: "disconnected" });
    const again = agent.on(CONNECTED);
    expect(lines(again)).toEqual([
      "send ready boot-0001#2 holds [1/0] acked 0",
      "send announce not accepting: draining",
    ]);
    expect(again[1]).toMatchObject({ message: { draining: "requested" } });
  });

  test("waits for a foreman that is away with a result, as long as it takes", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(drain);
    agent.on({ type: "disconnected" });
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    expect(lines(agent.pass(600_000))).toEqual([]);
    expect(lines(agent.on(CONNECTED))).toContain("send #1 completed 1/0+1");
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 1 }))).toEqual([
      "send goodbye draining",
      "stop: draining",
    ]);
  });

  test("cannot be undone any more after a signal", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(drain);
    expect(agent.on(signal)[0]).toMatchObject({ message: { draining: "stopping" } });
    const asked = agent.on(undo);
    expect(lines(asked)).toEqual(["send announce not accepting: SIGTERM"]);
    expect(agent.state.mode.kind).toBe("draining");
  });
});
