/** A foreman that is killed under running tasks and comes back: nothing runs again. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

test(
  "tasks that run longer than the foreman is away each start once, in attempt 1",
  async () => {
    const history = createHistory(cluster);
    const workers = await Promise.all(
      ["w1", "w2", "w3", "w4"].map((id) => cluster.worker(id, { slots: 2 })),
    );
    const taskCount = count(12, 50);
    const gate = history.gate("running");
    const { jobId } = await history.submit({ taskCount, gate, args: [] });
    const following = cluster.start(["wait", `${jobId}`, "--progress", "json"]);
    await within("cc wait follows", following.untilStderr(/"running"/), following);
    await history.untilStarted(8);
    await cluster.foreman.kill9();
    await Promise.all(
      workers.map((worker) => within("the loss is seen", worker.untilStderr(/is lost/), worker)),
    );
    await cluster.restartForeman();
    await Promise.all(
      workers.map((worker) => within("it is back", worker.untilStderr(/connected again/), worker)),
    );
    gate.open();
    expect(await within("cc wait ends", following.ended, following)).toMatchObject({ exitCode: 0 });
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict.startCount).toBe(taskCount);
    report(`restart under running tasks: ${taskCount} tasks, ${verdict.rerunCount} reruns`);
  },
  TEST_MS,
);
