/** Connections, heartbeats, thresholds and the ways to an end. */
import { describe, expect, test } from "bun:test";
import { asAssignmentId, asBootId } from "../../../../src/runtime/protocol/ids.ts";
import {
  assigned,
  CONNECTED,
  completed,
  createAgent,
  createConnectedAgent,
  ended,
  lines,
} from "./agent-fixture.ts";

describe("connections", () => {
  test("the first one presents an empty-handed worker", () => {
    const agent = createAgent();
    expect(lines(agent.on(CONNECTED))).toEqual(["send ready boot-0001#1 holds [] acked 0"]);
  });

  test("a reconnect presents all that is held and repeats what was not acknowledged", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ first: 10, count: 5 }));
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    agent.on({ type: "reportsAcknowledged", seq: 1 });
    agent.on({ type: "disconnected" });
    agent.atMs = 20;
    expect(lines(agent.on(completed(2, 0, 1)))).toEqual([]);
    agent.atMs = 500;
    const again = agent.on({ ...CONNECTED, freshBootId: asBootId("boot-0002") });
    expect(lines(again)).toEqual([
      "send ready boot-0001#2 holds [1/11,12,13,14] acked 1",
      "send #2 completed 1/11+1",
    ]);
    const result = again[1];
    if (result?.type !== "sendMessage" || result.message.type !== "task_result") throw new Error();
    expect(result.message.ended_ago_us).toBe(480_000);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 2 }))).toEqual([]);
    expect(agent.state.unacknowledged).toEqual([]);
  });

  test("running work goes on without a connection, new tasks start for one lease", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 3 }));
    agent.on({ type: "disconnected" });
    agent.atMs = 14_000;
    expect(lines(agent.on(completed(1, 0, 1, 1e6)))).toEqual(["run 2: 1/1+1 on 1 behind 1"]);
    expect(lines(agent.on(ended(1)))).toEqual([]);
    agent.atMs = 16_000;
    expect(lines(agent.on(completed(2, 0, 1, 1e6)))).toEqual([]);
    expect(lines(agent.on(ended(2)))).toEqual([]);
    expect(lines(agent.on(CONNECTED))).toEqual([
      "send ready boot-0001#2 holds [1/0,1,2] acked 0",
      "send #1 completed 1/0+1",
      "send #2 completed 1/1+1",
      "run 3: 1/2+1 on 1",
    ]);
  });

  test("another foreman means another store: the old work is dropped and the session is new", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 2 }));
    agent.on({ type: "disconnected" });
    const other = { ...CONNECTED, foremanId: "foreman-b", freshBootId: asBootId("boot-0002") };
    expect(lines(agent.on(other))).toEqual([
      "killBatch 1",
      "send ready boot-0002#1 holds [] acked 0",
    ]);
    expect(lines(agent.on(assigned({ assignment: 1 })))).toEqual([]);
    expect(lines(agent.on(completed(1, 0, 1)))).toEqual([]);
    expect(lines(agent.on(ended(1)))).toEqual(["run 2: 1/0+1 on 1"]);
    expect(lines(agent.on(completed(2, 0, 1)))).toEqual(["send #1 completed 1/0+1"]);
  });

  test("a session that the foreman ended is followed by a new one", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned());
    expect(lines(agent.on({ type: "sessionEnded" }))).toEqual(["killBatch 1"]);
    agent.on({ type: "disconnected" });
    expect(lines(agent.on({ ...CONNECTED, freshBootId: asBootId("boot-0002") }))).toEqual([
      "send ready boot-0002#1 holds [] acked 0",
    ]);
  });
});

describe("heartbeats", () => {
  test("come each interval and say what runs long", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.pass(50);
    agent.on({ type: "batchInspected", batchId: 1, runningRow: 0, runningUs: 50_000 });
    const effects = agent.pass(2_950);
    expect(lines(effects)).toEqual(["send beat 1 free 1"]);
    expect(effects[0]).toMatchObject({
      message: { connection_seq: 1, running: [{ assignment: 1, index: Uint32Array.of(0) }] },
    });
    agent.on({ type: "beatEchoed", beat: 1 });
    expect(lines(agent.pass(3_000))).toEqual(["send beat 2 free 1"]);
  });

  test("tell with the next one how long the last one's echo took, and of no other's", () => {
    const agent = createConnectedAgent();
    const roundTrip = (effects: ReturnType<typeof agent.pass>) =>
      (effects[0] as { readonly message?: { readonly round_trip_us?: number } }).message
        ?.round_trip_us;
    expect(roundTrip(agent.pass(3_000))).toBeUndefined();
    agent.atMs += 1.25;
    agent.on({ type: "beatEchoed", beat: 1 });
    expect(roundTrip(agent.pass(3_000))).toBe(1_250);
    agent.atMs += 5;
    agent.on({ type: "beatEchoed", beat: 1 });
    expect(roundTrip(agent.pass(3_000))).toBe(1_250);
  });

  test("three beats without any word from the foreman: it is dialled again", () => {
    const agent = createConnectedAgent();
    expect(lines(agent.pass(20_000))).toEqual([
      "send beat 1 free 2",
      "send beat 2 free 2",
      "redial: nothing was heard from the foreman for 9 s",
    ]);
  });

  test("a process that was stopped sends one beat, not all it missed", () => {
    const agent = createConnectedAgent();
    agent.atMs = 5_000;
    agent.on({ type: "beatEchoed", beat: 0 });
    agent.atMs = 13_900;
    expect(lines(agent.on({ type: "clockAdvanced" }))).toEqual(["send beat 1 free 2"]);
    expect(lines(agent.on({ type: "clockAdvanced" }))).toEqual([]);
  });
});

describe("thresholds", () => {
  const load = (foreignCpuPercent: number, memoryPercent: number) =>
    ({
      type: "loadMeasured",
      foreignCpuPercent,
      cpuPercent: foreignCpuPercent,
      memoryPercent,
    }) as const;

  test("short of memory nothing starts, the worker says so once, and others get what waits", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 3 }));
    expect(lines(agent.on(load(0, 91.3)))).toEqual([
      "send announce not accepting: memory 91 % > 85 %",
      "send #1 returned 1/[1,2] overload",
    ]);
    expect(lines(agent.on(assigned({ assignment: 2 })))).toEqual([
      "send #2 returned 2/[0] overload",
    ]);
    expect(lines(agent.on(load(0, 92)))).toEqual([]);
    expect(lines(agent.on(load(0, 81)))).toEqual([]);
    expect(lines(agent.on(load(0, 79)))).toEqual(["send announce accepting"]);
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    expect(lines(agent.on(assigned({ assignment: 3 })))).toEqual(["run 2: 3/0+1 on 1"]);
  });

  test("CPU that others use counts when it has been high for ten seconds", () => {
    const agent = createAgent();
    agent.on({ ...CONNECTED, leaseMs: 1e6, heartbeatMs: 1e6 });
    expect(lines(agent.on(load(99, 10)))).toEqual([]);
    agent.pass(5_000);
    expect(lines(agent.on(load(50, 10)))).toEqual([]);
    agent.pass(5_000);
    expect(lines(agent.on(load(95, 10)))).toEqual([]);
    agent.pass(9_999);
    expect(lines(agent.on(load(95, 10)))).toEqual([]);
    agent.pass(1);
    expect(lines(agent.on(load(95, 10)))).toEqual(["send announce not accepting: cpu 95 % > 90 %"]);
    expect(lines(agent.on(load(86, 10)))).toEqual([]);
    expect(lines(agent.on(load(84, 10)))).toEqual(["send announce accepting"]);
  });

  test("a reconnect repeats that nothing is accepted", () => {
    const agent = createConnectedAgent();
    agent.on(load(0, 99));
    agent.on({ type: "disconnected" });
    expect(lines(agent.on(CONNECTED))).toEqual([
      "send ready boot-0001#2 holds [] acked 0",
      "send announce not accepting: memory 99 % > 85 %",
    ]);
  });
});

describe("stopping", () => {
  const drain = { type: "drainRequested", reason: "SIGTERM" } as const;
  const abort = { type: "abortRequested", reason: "SIGTERM" } as const;

  test("an idle worker says goodbye at once", () => {
    const agent = createConnectedAgent();
    expect(lines(agent.on(drain))).toEqual([
      "send announce not accepting: SIGTERM",
      "send goodbye SIGTERM",
      "stop: SIGTERM",
    ]);
  });

  test("a drain returns what waits, lets running tasks finish, and ends when all is acknowledged", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 4 }));
    expect(lines(agent.on(drain))).toEqual([
      "send announce not accepting: SIGTERM",
      "send #1 returned 1/[2,3] drain",
    ]);
    expect(lines(agent.on(assigned({ assignment: 2 })))).toEqual(["send #2 returned 2/[0] drain"]);
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    agent.on(completed(2, 0, 1));
    expect(lines(agent.on(ended(2)))).toEqual(["send #4 completed 1/1+1"]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 4 }))).toEqual([
      "send goodbye SIGTERM",
      "stop: SIGTERM",
    ]);
    expect(lines(agent.on(assigned({ assignment: 3 })))).toEqual([]);
  });

  test("a drain calls back what executors have not started", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned());
    agent.on(completed(1, 0, 1, 1_000));
    agent.on(ended(1));
    agent.on(assigned({ assignment: 2, count: 6 }));
    expect(lines(agent.on(drain))).toEqual([
      "send announce not accepting: SIGTERM",
      "recallRows 2",
      "recallRows 3",
      "send #2 returned 2/[5] drain",
    ]);
    expect(lines(agent.on({ type: "rowsRecalled", batchId: 2, firstRow: 1 }))).toEqual([
      "send #3 returned 2/[1,2] drain",
    ]);
  });

  test("a second signal hands back what runs, as aborted", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 2 }));
    agent.on(drain);
    expect(lines(agent.on(abort))).toEqual(["killBatch 1", "killBatch 2"]);
    expect(lines(agent.on(ended(1)))).toEqual(["send #1 returned 1/[0] aborted"]);
    expect(lines(agent.on(ended(2)))).toEqual(["send #2 returned 1/[1] aborted"]);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 2 }))).toEqual([
      "send goodbye SIGTERM",
      "stop: SIGTERM",
    ]);
  });

  test("without a foreman it waits five seconds for an acknowledgement, then ends", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on({ type: "disconnected" });
    agent.on(drain);
    agent.on(completed(1, 0, 1));
    expect(lines(agent.on(ended(1)))).toEqual([]);
    expect(lines(agent.pass(4_999))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual(["stop: SIGTERM"]);
  });

  test("the time limit ends it and hands back what runs", () => {
    const agent = createAgent({ timeLimitAtMs: 60_000 });
    const ready = agent.on({ ...CONNECTED, leaseMs: 1e6, heartbeatMs: 1e6 })[0];
    expect(ready).toMatchObject({ message: { offer: { time_left_ms: 60_000 } } });
    agent.on(assigned());
    expect(lines(agent.pass(60_000)).slice(-2)).toEqual([
      "send announce not accepting: time limit",
      "killBatch 1",
    ]);
  });

  test("an idle worker ends after its idle time-out, a busy one does not", () => {
    const agent = createAgent({ idleTimeoutMs: 1_000 });
    agent.on(CONNECTED);
    agent.pass(900);
    agent.on(assigned());
    expect(lines(agent.pass(1_000))).toEqual(["inspectBatch 1"]);
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    agent.on({ type: "reportsAcknowledged", seq: 1 });
    expect(lines(agent.pass(999))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual([
      "send announce not accepting: idle",
      "send goodbye idle",
      "stop: idle",
    ]);
  });

  test("an assignment that cannot be read goes back", () => {
    const agent = createConnectedAgent();
    const indexes = Uint32Array.of(3, 4);
    const assignmentId = asAssignmentId(9);
    expect(
      lines(agent.on({ type: "assignmentRefused", assignmentId, indexes, reason: "spec_missing" })),
    ).toEqual(["send #1 returned 9/[3,4] spec_missing"]);
  });
});
