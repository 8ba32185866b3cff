/** A worker that is killed: before a task starts, while it runs, and around the sending of its result. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, openCluster, within } from "./support/cluster.ts";
import { createHistory, type History } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
let history: History;
beforeEach(async () => {
  cluster = await openCluster({ timing: { heartbeatMs: 300, leaseMs: 10_000, graceMs: 1_000 } });
  history = createHistory(cluster);
}, SETUP_MS);
afterEach(() => cluster.close());

test.each([
  // Nobody can know that it had not begun, so its number is used up.
  { failpoint: "task-ordered", startsMax: 1, attempts: 2 },
  { failpoint: "result-kept", startsMax: 2, attempts: 2 },
  { failpoint: "result-sent", startsMax: 1, attempts: 1 },
])(
  "at $failpoint: the task ends once, in attempt $attempts",
  async ({ failpoint, startsMax, attempts }) => {
    const doomed = await cluster.worker("doomed", { failpoint });
    const { jobId } = await history.submit({ taskCount: 1 });
    const { signal } = await within("it dies", doomed.ended, doomed);
    expect(signal).toBe("SIGKILL");
    await cluster.worker("other");
    const verdict = await history.check({ startsMax });
    expect(verdict.startCount).toBe(startsMax);
    expect(await cluster.json(["tasks", `${jobId}`])).toMatchObject([
      { state: "completed", attempts, worker: attempts === 1 ? "doomed" : "other" },
    ]);
  },
  TEST_MS,
);

test(
  "in the middle of a task: it runs elsewhere, counts against no retries and nobody else runs again",
  async () => {
    const doomed = await cluster.worker("doomed", { args: ["--queues", "one"] });
    await cluster.worker("bystander", { slots: 2, args: ["--queues", "two"] });
    const gate = history.gate("both");
    const hit = await history.submit({ taskCount: 1, gate, args: ["--queue", "one"] });
    await history.submit({ taskCount: 2, gate, args: ["--queue", "two"] });
    await history.untilStarted(3);
    await doomed.kill9();
    await cluster.worker("other", { args: ["--queues", "one"] });
    await history.untilStarted(4);
    gate.open();
    const verdict = await history.check({ startsMax: 2 });
    expect(verdict).toMatchObject({ startCount: 4, rerunCount: 1 });
    expect(await cluster.json(["tasks", `${hit.jobId}`])).toMatchObject([
      { state: "completed", attempts: 2, worker: "other" },
    ]);
  },
  TEST_MS,
);
