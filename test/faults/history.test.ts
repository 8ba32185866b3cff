/** The checker of histories must be able to fail: at each kind of lie that the other fault tests look for. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, openCluster } from "./support/cluster.ts";
import { createHistory, type History, squareOf } from "./support/history.ts";
import { SETUP_MS } from "./support/long.ts";

let cluster: Cluster;
let history: History;
beforeEach(async () => {
  cluster = await openCluster({ args: ["--workers", "1"] });
  history = createHistory(cluster);
  await history.submit({ taskCount: 3 });
  expect(await history.check({ startsMax: 1 })).toMatchObject({ taskCount: 3, startCount: 3 });
}, SETUP_MS);
afterEach(() => cluster.close());

async function complaint(): Promise<string> {
  const checked = history.check({ startsMax: 1 });
  return await checked.then(
    () => "none",
    (thrown: Error) => thrown.message,
  );
}

function changeEffects(change: (text: string) => string): void {
  const file = join(cluster.world.folder, "effects.log");
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

test("it finds a task that started twice", async () => {
  changeEffects((text) => `${text}start 1 2 2 w 1\n`);
  expect(await complaint()).toContain("task 1/2 started 2 times: 1, 2");
});

test("it finds a result whose attempt never finished", async () => {
  changeEffects((text) => text.replace(/finish 1 1 .*\n/, ""));
  expect(await complaint()).toContain("job 1: task 1 completed in attempt 1, which never finished");
});

test("it finds an acknowledged job that is gone, and one that nobody submitted", async () => {
  await cluster.cc(["rm", "1"]);
  expect(await complaint()).toContain("job 1 was acknowledged and does not exist");
  await cluster.cc(["submit", "-d", "--", "true"]);
  expect(await complaint()).toContain("1 jobs exist that nobody submitted");
});

test("it finds a task that is missing, and a wrong value", async () => {
  history.acknowledged({
    jobId: 1,
    taskCount: 4,
    expect: "completed",
    expectedOf: (index) => squareOf(index) + (index === 2 ? 1 : 0),
  });
  const found = await complaint();
  expect(found).toContain("job 1: 3 tasks, not 4");
  expect(found).toContain("job 1: task 2 returned 4");
});

test("it finds tasks that failed or never ended, unless they may", async () => {
  const { stdout } = await cluster.cc(["submit", "-d", "--", "false"]);
  const failed = { jobId: Number(stdout), taskCount: 1 };
  history.acknowledged({ ...failed, expect: "settled" });
  expect(await complaint()).toBe("none");
  history.acknowledged({ ...failed, expect: "completed" });
  expect(await complaint()).toContain("job 2: 1 tasks are failed");
});
