/** The life of tasks on a worker, as whole lists of effects. */
import { describe, expect, test } from "bun:test";
import { asAssignmentId } from "../../../../src/runtime/protocol/ids.ts";
import {
  assigned,
  completed,
  createConnectedAgent,
  ended,
  failed,
  job,
  lines,
} from "./agent-fixture.ts";

const ONE = asAssignmentId(1);

describe("batches", () => {
  test("each free slot gets a single task until durations are known", () => {
    const agent = createConnectedAgent();
    expect(lines(agent.on(assigned({ count: 100 })))).toEqual([
      "run 1: 1/0+1 on 1",
      "run 2: 1/1+1 on 2",
    ]);
  });

  test("once tasks are known to be short, a slot gets about 25 ms of work and as much behind it", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 4_000 }));
    expect(lines(agent.on(completed(1, 0, 1, 998)))).toEqual([
      "run 3: 1/2+25 on 1 behind 1",
      "run 4: 1/27+25 on 2 behind 2",
      "send #1 completed 1/0+1",
    ]);
    expect(lines(agent.on(ended(1)))).toEqual(["run 5: 1/52+25 on 1 behind 3"]);
  });

  test("the last tasks are spread over the slots", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 100));
    agent.on(ended(1));
    expect(lines(agent.on(assigned({ assignment: 2, count: 4 })))).toEqual([
      "run 2: 2/0+1 on 1",
      "run 3: 2/1+1 on 2",
      "run 4: 2/2+1 on 1 behind 2",
      "run 5: 2/3+1 on 2 behind 3",
    ]);
  });

  test("long tasks go one at a time, with nothing behind one that still runs", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 10 }));
    expect(lines(agent.on(completed(1, 0, 1, 60_000)))).toEqual([
      "run 3: 1/2+1 on 1 behind 1",
      "send #1 completed 1/0+1",
    ]);
    expect(lines(agent.on(ended(1)))).toEqual([]);
  });

  test("commands go one at a time however short they are", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 10, job: job({ kind: "command" }) }));
    agent.on(completed(1, 0, 1, 500));
    expect(lines(agent.on(ended(1)))).toEqual(["run 2: 1/1+1 on 1"]);
  });

  test("inputs of many bytes make a small batch", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 1));
    agent.on(ended(1));
    const data = new Uint8Array(40 * 300_000);
    const large = { ...assigned({ assignment: 2, count: 40 }), values: { lengths: 300_000, data } };
    expect(lines(agent.on(large))).toEqual(["run 2: 2/0+3 on 1", "run 3: 2/3+3 on 1 behind 2"]);
  });

  test("a task takes as many slots as it asks for, and holds others back until it fits", () => {
    const agent = createConnectedAgent({ slots: 3 });
    agent.on(assigned({ count: 2 }));
    const wide = job({ id: 2, slotsPerTask: 2 });
    expect(lines(agent.on(assigned({ assignment: 2, job: wide, priority: 1 })))).toEqual([]);
    expect(lines(agent.on(assigned({ assignment: 3, job: job({ id: 3 }) })))).toEqual([]);
    agent.on(completed(2, 0, 1));
    expect(lines(agent.on(ended(2)))).toEqual(["run 3: 2/0+1 on 2,3"]);
  });

  test("a task that asks for more slots than there are goes back", () => {
    const agent = createConnectedAgent();
    expect(lines(agent.on(assigned({ job: job({ slotsPerTask: 3 }) })))).toEqual([
      "send #1 returned 1/[0] too_few_slots",
    ]);
  });

  test("an assignment delivered twice runs once", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    expect(lines(agent.on(assigned()))).toEqual([]);
  });
});

describe("order", () => {
  test("larger priority starts first", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 2 }));
    agent.on(assigned({ assignment: 2, job: job({ id: 2 }), priority: 10 }));
    agent.on(completed(1, 0, 1));
    expect(lines(agent.on(ended(1)))).toEqual(["run 2: 2/0+1 on 1"]);
  });

  test("equal priority shares slot-time, not tasks", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 50, job: job({ id: 1 }) }));
    agent.on(assigned({ assignment: 2, count: 50, job: job({ id: 2 }) }));
    const ran = { 1: 0, 2: 0 };
    for (let batchId = 1; batchId <= 32; batchId++) {
      const batch = agent.state.batches.get(batchId);
      const jobId = batch?.assignment.job.jobId === 1 ? 1 : 2;
      ran[jobId]++;
      agent.on(completed(batchId, 0, 1, jobId === 1 ? 90_000 : 30_000));
      agent.on(ended(batchId));
    }
    expect(ran).toEqual({ 1: 8, 2: 24 });
  });

  test("a job that comes late gets its share from now on, not what it missed", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 20 }));
    for (let batchId = 1; batchId <= 10; batchId++) {
      agent.on(completed(batchId, 0, 1, 100_000));
      agent.on(ended(batchId));
    }
    agent.on(assigned({ assignment: 2, count: 20, job: job({ id: 2 }) }));
    const jobs: number[] = [];
    for (let batchId = 11; batchId <= 16; batchId++) {
      jobs.push(agent.state.batches.get(batchId)?.assignment.job.jobId ?? 0);
      agent.on(completed(batchId, 0, 1, 100_000));
      agent.on(ended(batchId));
    }
    expect(jobs.filter((id) => id === 1).length).toBeGreaterThanOrEqual(3);
  });
});

describe("results", () => {
  test("a lone result is sent at once", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ first: 7 }));
    agent.atMs = 10;
    const effects = agent.on(completed(1, 0, 1, 123));
    expect(lines(effects)).toEqual(["send #1 completed 1/7+1"]);
    expect(effects[0]).toEqual({
      type: "sendMessage",
      message: {
        type: "task_result",
        seq: 1,
        assignment: ONE,
        job_id: job().jobId,
        status: "completed",
        first_index: 7,
        count: 1,
        attempt: 1,
        run_us: 123,
        ended_ago_us: 0,
        value: { lengths: 2, data: new Uint8Array([1, 48]) },
      },
    });
  });

  test("results that follow each other closely travel together: 2 ms, or 50 while tasks wait", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 1_000));
    agent.on(ended(1));
    agent.atMs = 80;
    agent.on(assigned({ assignment: 2, count: 40 }));
    expect(lines(agent.on(completed(2, 0, 3)))).toEqual(["send #2 completed 2/0+3"]);
    agent.atMs = 81;
    expect(lines(agent.on(completed(2, 3, 4)))).toEqual([]);
    agent.atMs = 82;
    expect(lines(agent.on(failed(2, 7)))).toEqual([]);
    expect(lines(agent.on(completed(2, 8, 2)))).toEqual([]);
    agent.atMs = 129;
    expect(lines(agent.on({ type: "clockAdvanced" }))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual([
      "send #3 completed 2/[3,4,5,6,8,9]",
      "send #4 failed 2/7+1",
    ]);
    agent.on({
      type: "tasksRevoked",
      request: 1,
      assignmentId: asAssignmentId(2),
      indexes: Uint32Array.from({ length: 40 }, (_, i) => i),
    });
    expect(agent.state.waitingCount).toBe(0);
    agent.atMs = 131;
    expect(lines(agent.on(completed(2, 10, 1)))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual(["send #6 completed 2/10+1"]);
  });

  test("the last results do not wait for the two milliseconds", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 2 }));
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    expect(lines(agent.on(completed(2, 0, 1)))).toEqual([]);
    expect(lines(agent.on(ended(2)))).toEqual(["send #2 completed 1/1+1"]);
  });

  test("four mebibytes do not wait either, and no message is larger", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 1));
    agent.on(ended(1));
    agent.on(assigned({ assignment: 2, count: 60 }));
    const chunk = completed(2, 0, 9).chunks[0];
    if (!chunk) throw new Error("no chunk");
    const values = { lengths: 1_000_000, data: new Uint8Array(9_000_000) };
    const effects = agent.on({
      type: "resultsDelivered",
      batchId: 2,
      chunks: [{ ...chunk, values }],
    });
    expect(lines(effects).filter((line) => line.startsWith("send"))).toEqual([
      "send #2 completed 2/0+4",
      "send #3 completed 2/4+4",
    ]);
  });

  test("what an executor says of rows that are not its own changes nothing", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 2 }));
    expect(lines(agent.on(completed(1, 1, 1)))).toEqual([]);
    expect(lines(agent.on(completed(1, 4_000_000_000, 1)))).toEqual([]);
    expect(lines(agent.on(completed(9, 0, 1)))).toEqual([]);
    const twice = { ...completed(1, 0, 2).chunks[0], rows: Uint32Array.of(0, 0) } as never;
    expect(lines(agent.on({ type: "resultsDelivered", batchId: 1, chunks: [twice] }))).toEqual([
      "run 2: 1/1+1 on 1 behind 1",
      "send #1 completed 1/0+1",
    ]);
  });

  test("nothing new starts while too much waits for acknowledgement", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 12 }));
    let batchId = 1;
    for (; agent.state.batches.size > 0; batchId++) {
      const chunk = completed(batchId, 0, 1, 100_000).chunks[0];
      if (!chunk) throw new Error("no chunk");
      const values = { lengths: 8_000_000, data: new Uint8Array(8_000_000) };
      agent.on({ type: "resultsDelivered", batchId, chunks: [{ ...chunk, values }] });
      agent.on(ended(batchId));
    }
    expect(batchId - 1).toBe(9);
    expect(lines(agent.on({ type: "reportsAcknowledged", seq: 9 }))).toEqual([
      "run 10: 1/9+1 on 1",
    ]);
  });

  test("an acknowledged assignment is forgotten", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    expect(agent.state.assignments.size).toBe(1);
    agent.on({ type: "reportsAcknowledged", seq: 1 });
    expect(agent.state.assignments.size).toBe(0);
  });
});

describe("revocation", () => {
  test("returns what has not been handed over, in one answer", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 5 }));
    const indexes = Uint32Array.of(0, 2, 4);
    const effects = agent.on({ type: "tasksRevoked", request: 77, assignmentId: ONE, indexes });
    expect(lines(effects)).toEqual(["send #1 returned 1/[2,4] revoked for 77"]);
    expect(lines(agent.on(completed(1, 0, 1, 30_000)))).toContain("run 3: 1/3+1 on 1 behind 1");
  });

  test("is answered without rows when all have started or are unknown", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    const indexes = Uint32Array.of(0, 9);
    expect(
      lines(agent.on({ type: "tasksRevoked", request: 1, assignmentId: ONE, indexes })),
    ).toEqual(["send #1 returned 1/[] revoked for 1"]);
    const assignmentId = asAssignmentId(5);
    expect(lines(agent.on({ type: "tasksRevoked", request: 2, assignmentId, indexes }))).toEqual([
      "send #2 returned 5/[] revoked for 2",
    ]);
  });
});

describe("cancel", () => {
  const cancel = (...indexes: number[]) =>
    ({
      type: "tasksCancelled",
      assignmentId: ONE,
      indexes: Uint32Array.from(indexes),
      reason: "stop",
    }) as const;

  test("waiting tasks are gone at once, running ones when their processes are", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 4 }));
    expect(lines(agent.on(cancel(0, 2, 3)))).toEqual([
      "cancel 1: 0 (stop)",
      "send #1 gone 1/[2,3]",
    ]);
    expect(lines(agent.on(cancel(0)))).toEqual([]);
    expect(lines(agent.on({ type: "rowsGone", batchId: 1, rows: Uint32Array.of(0) }))).toEqual([
      "send #2 gone 1/[0]",
    ]);
    expect(lines(agent.on(ended(1)))).toEqual([]);
    expect(agent.state.freeSlots).toEqual([1]);
  });

  test("a result that comes after the cancellation is dropped and the task is gone", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(cancel(0));
    expect(lines(agent.on(completed(1, 0, 1)))).toEqual(["send #1 gone 1/[0]"]);
  });

  test("a batch that ends takes its cancelled rows with it", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    agent.on(cancel(0));
    expect(lines(agent.on(ended(1)))).toEqual(["send #1 gone 1/[0]"]);
    expect(agent.state.assignments.size).toBe(0);
  });

  test("unknown and finished tasks are gone, after the results that were there before", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 3 }));
    agent.on(completed(1, 0, 1));
    agent.on(ended(1));
    agent.on(completed(2, 0, 1));
    expect(lines(agent.on(cancel(0, 1, 8)))).toEqual([
      "send #2 completed 1/1+1",
      "send #3 gone 1/[0,1,8]",
    ]);
  });
});

describe("executors that end early", () => {
  test("what never started waits again at its place and runs elsewhere", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 1_000));
    agent.on(ended(1));
    expect(lines(agent.on(assigned({ assignment: 2, count: 6 })))).toEqual([
      "run 2: 2/0+3 on 1",
      "run 3: 2/3+2 on 1 behind 2",
    ]);
    agent.on(failed(2, 0, "exited"));
    expect(lines(agent.on(ended(2)))).toEqual(["run 4: 2/1+2 on 1 behind 3"]);
    expect(lines(agent.on(ended(3)))).toEqual(["run 5: 2/3+2 on 1 behind 4"]);
  });

  test("what this machine could not run goes back with the reason", () => {
    const agent = createConnectedAgent();
    agent.on(assigned());
    expect(lines(agent.on(ended(1, "worker_storage")))).toEqual([
      "send #1 returned 1/[0] worker_storage",
    ]);
  });

  test("a batch over its time is inspected: a long task is reported, what waits is called back", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned({ count: 1 }));
    agent.on(completed(1, 0, 1, 1_000));
    agent.on(ended(1));
    agent.on(assigned({ assignment: 2, count: 8 }));
    expect(lines(agent.pass(49))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual(["inspectBatch 2"]);
    const inspected = {
      type: "batchInspected",
      batchId: 2,
      runningRow: 1,
      runningUs: 50_000,
    } as const;
    expect(lines(agent.on(inspected))).toEqual([
      "send #2 started 2/[1]",
      "recallRows 2",
      "recallRows 3",
    ]);
    expect(lines(agent.on({ type: "rowsRecalled", batchId: 2, firstRow: 2 }))).toEqual([]);
    expect(lines(agent.on({ type: "rowsRecalled", batchId: 3, firstRow: 0 }))).toEqual([]);
    expect(agent.state.waitingCount).toBe(6);
    expect(lines(agent.pass(1_000))).toEqual([]);
  });

  test("a batch that runs nothing long is looked at again later", () => {
    const agent = createConnectedAgent({ slots: 1 });
    agent.on(assigned());
    agent.pass(50);
    agent.on({ type: "batchInspected", batchId: 1, runningRow: 0, runningUs: 20_000 });
    expect(lines(agent.pass(29))).toEqual([]);
    expect(lines(agent.pass(1))).toEqual(["inspectBatch 1"]);
  });
});

describe("bundles", () => {
  const sha256 = "ab".repeat(32);

  test("tasks wait for their code, which is fetched once", () => {
    const agent = createConnectedAgent();
    const withCode = job({ bundleSha256: sha256 });
    expect(lines(agent.on(assigned({ job: withCode })))).toEqual([`fetch ${sha256}`]);
    expect(lines(agent.on(assigned({ assignment: 2, job: withCode })))).toEqual([]);
    expect(lines(agent.on(assigned({ assignment: 3, job: job({ id: 3 }) })))).toEqual([
      "run 1: 3/0+1 on 1",
    ]);
    expect(lines(agent.on({ type: "bundleReady", sha256 }))).toEqual(["run 2: 1/0+1 on 2"]);
  });

  test("tasks whose code cannot be had go back, and a later assignment tries again", () => {
    const agent = createConnectedAgent();
    agent.on(assigned({ count: 2, job: job({ bundleSha256: sha256 }) }));
    expect(lines(agent.on({ type: "bundleFailed", sha256, reason: "bundle_failed" }))).toEqual([
      "send #1 returned 1/[0,1] bundle_failed",
    ]);
    expect(
      lines(agent.on(assigned({ assignment: 2, job: job({ bundleSha256: sha256 }) }))),
    ).toEqual([`fetch ${sha256}`]);
  });
});
