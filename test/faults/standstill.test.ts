/** A foreman that stood still for longer than the lease, as its machine does when it is suspended. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, LONG, SETUP_MS, TEST_MS, timing } from "./support/long.ts";

/** A lease that a loaded machine keeps and a test can wait out. */
const TIMING = { heartbeatMs: 300, leaseMs: 3_000, graceMs: 2_000 };

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster({ timing: TIMING });
}, SETUP_MS);
afterEach(() => cluster.close());

async function kinds(): Promise<unknown[]> {
  return (await cluster.json(["events"])).map(({ kind }) => kind);
}

test(
  "declares nobody dead and runs nothing again",
  async () => {
    const history = createHistory(cluster);
    const workerCount = count(3, 8);
    for (let i = 0; i < workerCount; i++) await cluster.worker(`w${i}`);
    const gate = history.gate("end");
    await history.submit({ taskCount: workerCount, gate });
    await history.untilStarted(workerCount);
    await cluster.foreman.freeze();
    await Bun.sleep(LONG ? 60_000 : timing(TIMING).leaseMs + 1_500);
    cluster.foreman.thaw();
    await eventually("it notices", async () => (await kinds()).includes("foreman_stood_still"));
    // Whoever would be given up would be given up by now.
    await Bun.sleep(timing(TIMING).graceMs + timing(TIMING).heartbeatMs);
    gate.open();
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict).toMatchObject({ startCount: workerCount, rerunCount: 0 });
    const seen = await kinds();
    expect(seen).not.toContain("worker_lost");
    expect(seen).not.toContain("attempts_lost");
  },
  TEST_MS,
);
