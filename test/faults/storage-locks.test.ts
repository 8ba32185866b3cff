/** Rows 14 and 15: another program holds the store's write lock; a second foreman is started on it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openSqlDatabase } from "../../src/runtime/platform/sqlite-driver.ts";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, SETUP_MS, TEST_MS } from "./support/long.ts";

/** At least; a backup tool's usual time in the long form. */
const LOCKED_MS = count(0, 5_000);

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

/** As a backup tool does. */
async function lockStore(): Promise<() => void> {
  const path = join(cluster.storeFolder, "foreman.db");
  const database = await openSqlDatabase({ path, readOnly: false });
  await eventually("the lock is ours", () => {
    try {
      database.exec("begin immediate");
      return true;
    } catch {
      return false;
    }
  });
  return () => {
    database.exec("rollback");
    database.close();
  };
}

test(
  "while another program locks the store acknowledgements wait, looking goes on, and nothing fails",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("w1", { slots: 2 });
    const gate = history.gate("running");
    const { jobId } = await history.submit({ taskCount: 2, gate });
    await history.untilStarted(2);
    const unlock = await lockStore();
    gate.open();
    await history.untilFinished(2);
    const submitting = cluster.start([...history.submitWords({ taskCount: 3 }), "-d"]);
    const code = cluster.file("other.ts", "export default (n: number) => n;\n");
    const other = cluster.start(["submit", "-d", "--array", "1-2", code]);
    // It answers all the while.
    const lockedAtMs = performance.now();
    for (let look = 0; look < 5 || performance.now() - lockedAtMs < LOCKED_MS; look++) {
      const [job] = await cluster.json(["jobs", `${jobId}`]);
      expect(job?.["state"]).toBe("running");
    }
    expect(submitting.stdout() + other.stdout()).toBe("");
    unlock();
    const [first, second] = await Promise.all([submitting.ended, other.ended]);
    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
    history.acknowledged({ jobId: Number(first.stdout), taskCount: 3, expect: "completed" });
    history.acknowledged({ jobId: Number(second.stdout), taskCount: 2, expect: "settled" });
    await cluster.cc(["wait", second.stdout.trim()]);
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict.rerunCount).toBe(0);
    // No worker was taken for lost.
    const kinds = (await cluster.json(["events"])).map(({ kind }) => kind);
    expect(kinds).not.toContain("worker_lost");
    expect(kinds).not.toContain("foreman_stood_still");
  },
  TEST_MS,
);

test(
  "a second foreman on a store ends with 75, names the first, and disturbs nothing",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("w1", { slots: 2 });
    const gate = history.gate("running");
    await history.submit({ taskCount: 4, gate });
    await history.untilStarted(2);
    for (let attempt = 0; attempt < 3; attempt++) {
      const words = ["foreman", "--port", "0", "--store", cluster.storeFolder];
      const second = cluster.start(words);
      const { exitCode, stderr } = await within("the second ends", second.ended, second);
      expect(exitCode).toBe(75);
      expect(stderr).toContain(cluster.url);
    }
    gate.open();
    await history.check({ startsMax: 1 });
    const starts = (await cluster.json(["events"])).filter(
      ({ kind }) => kind === "foreman_started",
    );
    expect(starts.length).toBe(1);
  },
  TEST_MS,
);
