/** A killed worker's finished results: its next boot delivers them, unless their tasks run elsewhere. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  // Long enough for a worker to start within a lease, short enough to wait for one.
  cluster = await openCluster({ timing: { heartbeatMs: 300, leaseMs: 6_000, graceMs: 3_000 } });
}, SETUP_MS);
afterEach(() => cluster.close());

function spooledBy(workerId: string): string[] {
  const folder = join(cluster.storeFolder, "workers", `${workerId}.spool`);
  return readdirSync(folder).filter((name) => !name.endsWith(".part"));
}

test(
  "a result that was spooled and not sent counts when its worker is back in time, else it is stale",
  async () => {
    const history = createHistory(cluster);
    const intime = await cluster.worker("intime", { args: ["--queues", "one"] });
    const late = await cluster.worker("late", { args: ["--queues", "two"] });
    const gate = history.gate("late");
    const stale = await history.submit({ taskCount: 1, gate, args: ["--queue", "two"] });
    await history.untilStarted(1);
    // What is spooled has run five seconds: the other task's end tells when this one has, too.
    const kept = await history.submit({ taskCount: 1, taskMs: 5_500, args: ["--queue", "one"] });
    await history.untilStarted(2);
    await cluster.foreman.kill9();
    await history.untilFinished(1);
    gate.open();
    await eventually("both results are spooled", () =>
      ["intime", "late"].every((id) => spooledBy(id).some((name) => name.endsWith(".result"))),
    );
    await Promise.all([intime.kill9(), late.kill9()]);
    rmSync(gate.path);

    await cluster.restartForeman();
    await cluster.worker("intime", { args: ["--queues", "one"] });
    const [task] = await cluster.json(["tasks", `${kept.jobId}`]);
    await eventually(
      "the spooled result is recorded",
      async () => (await cluster.json(["jobs", `${kept.jobId}`]))[0]?.["state"] === "completed",
    );
    expect(task).toMatchObject({ attempts: 1 });
    await eventually("its file is gone", () => spooledBy("intime").length === 0);

    // Nobody came for the other one within the lease: it runs elsewhere by now.
    await cluster.worker("other", { args: ["--queues", "two"] });
    await history.untilStarted(3);
    const again = await cluster.worker("late", { args: ["--queues", "none"] });
    await within("the result is refused", again.untilStderr(/refused as stale/), again);
    await eventually("its file is gone", () => spooledBy("late").length === 0);
    gate.open();

    const verdict = await history.check({ startsMax: 2 });
    expect(verdict.rerunCount).toBe(1);
    expect(await cluster.json(["tasks", `${stale.jobId}`])).toMatchObject([
      { state: "completed", attempts: 2, worker: "other" },
    ]);
    expect(await cluster.json(["tasks", `${kept.jobId}`])).toMatchObject([
      { state: "completed", attempts: 1, worker: "intime" },
    ]);
  },
  TEST_MS,
);

test(
  "a result that was sent, spooled and not acknowledged is recorded once",
  async () => {
    const history = createHistory(cluster);
    const worker = await cluster.worker("w1");
    await history.submit({ taskCount: 1, taskMs: 5_500 });
    await history.untilStarted(1);
    await cluster.foreman.freeze();
    await eventually("the result is spooled", () => spooledBy("w1").length > 0);
    await worker.kill9();
    cluster.foreman.thaw();
    await cluster.worker("w1");
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict.startCount).toBe(1);
    await eventually("its file is gone", () => spooledBy("w1").length === 0);
  },
  TEST_MS,
);
