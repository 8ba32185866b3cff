/**
 * Row 17, syncing the log fails: the foreman ends with 74, acknowledges nothing of that group and does
 * not try again; after its next start everything that was acknowledged is there and nothing ran twice.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

const SOURCE = join(import.meta.dir, "fixtures", "failing-sync.c");

let cluster: Cluster;
let trouble: string;
beforeEach(async () => {
  cluster = await openCluster();
  trouble = join(cluster.world.folder, "sync-fails");
  await cluster.foreman.stop();
  await cluster.restartForeman({
    env: { LD_PRELOAD: compile(cluster.world.folder), CC_TEST_SYNC_FAILS: trouble },
  });
}, SETUP_MS);
afterEach(() => cluster.close());

function compile(folder: string): string {
  const library = join(folder, "failing-sync.so");
  const compiler = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]);
  if (compiler.exitCode !== 0) throw new Error(`gcc: ${compiler.stderr.toString()}`);
  return library;
}

async function expectEnded(what = "record a group of changes"): Promise<void> {
  const { foreman } = cluster;
  const { exitCode, stderr } = await within("the foreman ends", foreman.ended, foreman);
  expect(exitCode).toBe(74);
  expect(stderr).toContain(`cc: The store failed to ${what}: disk I/O error.`);
  expect(stderr).toMatch(/hint: .*start the foreman again.*restore a backup/);
  // Once: a second sync of the same bytes may lie.
  expect(statSync(trouble).size).toBe(1);
}

test(
  "a result whose record could not be synced is delivered again, and its task does not run again",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("w1", { slots: 2 });
    const gate = history.gate("running");
    await history.submit({ taskCount: 2, gate });
    await history.untilStarted(2);
    writeFileSync(trouble, "");
    gate.open();
    await expectEnded();
    await cluster.restartForeman();
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict.startCount).toBe(2);
  },
  TEST_MS,
);

test(
  "a submission whose record could not be synced is not acknowledged",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("w1");
    await history.submit({ taskCount: 3 });
    await history.untilFinished(3);
    await cluster.cc(["wait", "1"]);
    writeFileSync(trouble, "");
    // It looks for the foreman until that is back, so it is ended instead.
    const submitting = cluster.start(history.submitWords({ taskCount: 5 }));
    await expectEnded();
    submitting.kill("SIGKILL");
    expect((await submitting.ended).stdout).toBe("");
    await cluster.restartForeman();
    // It may exist: its pages may have reached the disk after all.
    await history.check({ startsMax: 1, unheardJobsMax: 1 });
    expect(existsSync(join(cluster.storeFolder, "foreman.db"))).toBe(true);
  },
  TEST_MS,
);

test(
  "code that could not be synced ends the foreman too",
  async () => {
    const code = cluster.file("fresh.ts", "export default (n: number) => n + 1;\n");
    writeFileSync(trouble, "");
    const submitting = cluster.start(["submit", "--array", "1-2", code]);
    await expectEnded("store a bundle");
    submitting.kill("SIGKILL");
    await submitting.ended;
    await cluster.restartForeman();
    expect(await cluster.json(["jobs"])).toEqual([]);
  },
  TEST_MS,
);
