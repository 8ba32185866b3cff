/**
 * A worker that is killed or stands still under its tasks: another one finishes them, once; what the old
 * one says later is refused and shown, and what it still runs is ended.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Cluster, eventually, openCluster } from "./support/cluster.ts";
import { createHistory, type History } from "./support/history.ts";
import { report, SETUP_MS, SHORT_TIMING, secondsSince, TEST_MS, timing } from "./support/long.ts";

let cluster: Cluster;
let history: History;
beforeEach(async () => {
  cluster = await openCluster({ timing: SHORT_TIMING });
  history = createHistory(cluster);
}, SETUP_MS);
afterEach(() => cluster.close());

const staleEvents = () => cluster.json(["events", "--kind", "stale_attempt"]);

test(
  "killed: its task runs again elsewhere",
  async () => {
    const first = await cluster.worker("first");
    const gate = history.gate("go");
    await history.submit({ taskCount: 1, gate });
    await history.untilStarted(1);
    await cluster.worker("second");
    const killedAtMs = performance.now();
    await first.kill9();
    await history.untilStarted(2);
    report(
      `killed worker: its task ran elsewhere after ${secondsSince(killedAtMs)} (promised: 6 s)`,
    );
    gate.open();
    await history.check({ startsMax: 2 });
    expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 2, worker: "second" }]);
  },
  TEST_MS,
);

test(
  "frozen until another has finished: its late result is refused, counted and shown",
  async () => {
    const frozen = await cluster.worker("frozen");
    const gate = history.gate("go");
    await history.submit({ taskCount: 1, gate });
    await history.untilStarted(1);
    await frozen.freeze();
    const frozenAtMs = performance.now();
    await cluster.worker("second");
    await history.untilStarted(2);
    report(
      `frozen worker: its task ran elsewhere after ${secondsSince(frozenAtMs)} (promised: 17 s)`,
    );
    // Its executor goes on, and both finish.
    gate.open();
    await history.untilFinished(2);
    await history.check({ startsMax: 2 });
    frozen.thaw();
    await eventually("the late result is refused", async () => (await staleEvents()).length > 0);
    expect(await staleEvents()).toMatchObject([{ task_id: "1/0", worker: "frozen" }]);
    await history.check({ startsMax: 2 });
    expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 2, worker: "second" }]);
  },
  TEST_MS,
);

test(
  "frozen while its task runs on: the task is ended when the worker wakes up",
  async () => {
    const frozen = await cluster.worker("frozen");
    const gate = history.gate("go");
    await history.submit({ taskCount: 1, gate });
    await history.untilStarted(1);
    const [{ pid } = { pid: 0 }] = history.effects();
    await frozen.freeze();
    await cluster.worker("second");
    await history.untilStarted(2);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    frozen.thaw();
    await eventually("the old attempt is ended", () => !existsSync(`/proc/${pid}`));
    gate.open();
    await history.check({ startsMax: 2 });
    expect(history.effects().filter(({ kind }) => kind === "finish")).toMatchObject([
      { attempt: 2, workerId: "second" },
    ]);
    // Its slot is free again.
    await history.submit({ taskCount: 4, taskMs: 200 });
    await history.check({ startsMax: 2 });
    expect(history.effects().some((each) => each.jobId === 2 && each.workerId === "frozen")).toBe(
      true,
    );
  },
  TEST_MS,
);

test(
  "a task that blocks its event loop for longer than the lease is not taken for a dead worker",
  async () => {
    await cluster.worker("busy");
    await cluster.worker("idle");
    cluster.file(
      "block.ts",
      `export default (ms: number) => {
        const until = performance.now() + ms;
        while (performance.now() < until);
        return "done";
      };`,
    );
    const blockMs = 2 * timing(SHORT_TIMING).leaseMs;
    const blocked = await cluster.cc(["submit", "block.ts", "--input", `${blockMs}`]);
    expect(blocked).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 1 }]);
  },
  TEST_MS,
);
