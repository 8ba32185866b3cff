/** Row 11, the foreman's disk is full: said loudly, results still recorded, and over without a restart. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions } from "../support/binary.ts";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";
import { canMount, openSmallDisk, type SmallDisk } from "./support/small-disk.ts";

const MIB = 1024 ** 2;
const RUNNING = 2;
const QUEUED = 3;

describe.skipIf(!canMount)("a foreman on a small disk", () => {
  let disk: SmallDisk;
  let cluster: Cluster;
  let store: string;
  let reserve: string;
  beforeEach(async () => {
    disk = await openSmallDisk(16);
    const { program } = disk;
    store = join(disk.folder, "store");
    reserve = join(disk.seenFrom, "store", "reserve");
    const opened = await openCluster({ args: ["--store", store], program });
    // The checker looks at the store from where it can be seen.
    cluster = Object.create(opened, {
      storeFolder: { value: store },
      cc: {
        value: (words: readonly string[], run: RunOptions = {}) =>
          opened.cc(words, words[0] === "doctor" ? { ...run, program } : run),
      },
    }) as Cluster;
    await eventually("the reserve is there", () => existsSync(reserve));
  }, SETUP_MS);
  afterEach(async () => {
    try {
      await cluster.close();
    } finally {
      await disk.close();
    }
  });

  /** The log of an idle store is cut back, which gives room once more. */
  async function fillForGood(jobId: number): Promise<void> {
    await eventually("new work is refused", async () => {
      disk.fill();
      return (await cluster.cc(["retry", "--all", `${jobId}`])).exitCode === 3;
    });
  }

  async function counts(jobId: number): Promise<Record<string, number>> {
    const [job] = await cluster.json(["jobs", `${jobId}`]);
    return job?.["tasks"] as Record<string, number>;
  }

  test(
    "records what runs, refuses and starts nothing new, and goes on once there is room",
    async () => {
      const history = createHistory(cluster);
      await cluster.worker("w1", { slots: RUNNING });
      const gate = history.gate("running");
      const { jobId } = await history.submit({ taskCount: RUNNING + QUEUED, gate });
      await history.untilStarted(RUNNING);
      await fillForGood(jobId);

      const refused = await cluster.cc(["submit", "-d", "--json", "--", "true"]);
      expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
      const refusal = JSON.parse(refused.stderr.trim().split("\n").at(-1) ?? "");
      expect(refusal).toMatchObject({ code: "storage_full", retryable: true });
      expect(refusal.message).toContain(store);
      const retried = await cluster.cc(["retry", "--all", `${jobId}`]);
      expect(retried.exitCode).toBe(3);
      expect(retried.stderr).toContain("The foreman's disk is full");

      gate.open();
      await eventually(
        "the results of what ran are recorded",
        async () => (await counts(jobId))["completed"] === RUNNING,
      );
      expect(existsSync(reserve)).toBe(false);
      const why = await cluster.cc(["why", `${jobId}`]);
      expect(why.stdout).toMatch(/^The foreman's disk is full \(.+\): nothing new starts/);
      expect(await counts(jobId)).toMatchObject({ queued: QUEUED, running: 0 });
      expect(history.effects().length).toBe(2 * RUNNING);

      const following = cluster.start(["wait", `${jobId}`, "--progress", "json"]);
      await within("it is told why", following.untilStderr(/"storage_full"/), following);

      disk.free();
      await eventually(
        "the rest has completed",
        async () => (await counts(jobId))["completed"] === RUNNING + QUEUED,
      );
      expect((await within("it ends", following.ended, following)).exitCode).toBe(0);
      await history.submit({ taskCount: 4 });
      const verdict = await history.check({ startsMax: 1 });
      expect(verdict.jobCount).toBe(2);
      expect(existsSync(reserve)).toBe(true);
      const kinds = (await cluster.json(["events"])).map(({ kind }) => `${kind}`);
      expect(kinds.filter((kind) => kind.startsWith("storage_"))).toEqual([
        "storage_full",
        "storage_recovered",
      ]);
    },
    TEST_MS,
  );

  test(
    "starts on a full disk after sudden death, and takes a cancel there",
    async () => {
      const history = createHistory(cluster);
      await cluster.worker("w1", { slots: 1 });
      const gate = history.gate("running");
      const { jobId } = await history.submit({ taskCount: 2, gate });
      const { jobId: doomed } = await history.submit({ taskCount: 100 });
      await history.untilStarted(1);
      disk.fill();
      await cluster.foreman.kill9();
      await cluster.restartForeman({ program: disk.program });
      expect((await cluster.cc(["submit", "-d", "--", "true"])).exitCode).toBe(3);
      expect((await cluster.cc(["cancel", `${doomed}`])).exitCode).toBe(0);
      expect(await counts(doomed)).toMatchObject({ cancelled: 100 });
      disk.free();
      gate.open();
      await eventually("the job ends", async () => (await counts(jobId))["completed"] === 2);
      expect((await cluster.cc(["doctor", "--store", store])).exitCode).toBe(0);
    },
    TEST_MS,
  );

  test(
    "a submission whose inputs are on their way waits for room and loses none",
    async () => {
      await cluster.worker("w1", { slots: 1 });
      const lines = Array.from({ length: 64 }, (_, i) => `${i}-`.padEnd(64 * 1024, "x"));
      disk.fill(3 * MIB);
      const words = ["submit", "--each-line", "-", "--stdin", "--", "wc", "-c"];
      const submitting = cluster.start(words, { input: lines.join("\n") });
      await within("it waits", submitting.untilStderr(/Waiting for room/), submitting);
      disk.free();
      const { exitCode, stdout } = await within("it ends", submitting.ended, submitting);
      expect(exitCode).toBe(0);
      expect(stdout.trim().split("\n")).toEqual(lines.map(() => "65537"));
      expect((await cluster.cc(["doctor", "--store", store])).exitCode).toBe(0);
    },
    TEST_MS,
  );

  test(
    "with even the reserve gone nothing is acknowledged, and a stop loses nothing",
    async () => {
      const history = createHistory(cluster);
      await cluster.worker("w1", { slots: 1 });
      const gate = history.gate("running");
      await history.submit({ taskCount: 2, gate });
      await history.untilStarted(1);
      rmSync(reserve);
      disk.fill();
      gate.open();
      const { foreman } = cluster;
      await within("it holds", foreman.untilStderr(/nothing is acknowledged until/), foreman);
      const { exitCode, stderr } = await within("it ends", foreman.stop(), foreman);
      expect(exitCode).toBe(74);
      expect(stderr).toMatch(/cc: The store could not record what had arrived: no space is left/);
      disk.free();
      await cluster.restartForeman({ program: disk.program });
      await history.check({ startsMax: 1 });
    },
    TEST_MS,
  );

  test(
    "a store that has no room to begin in is refused with its folder",
    async () => {
      disk.fill();
      const fresh = join(disk.folder, "fresh");
      const words = ["foreman", "--port", "0", "--store", fresh];
      const { exitCode, stderr } = await cluster.cc(words, { program: disk.program });
      expect(exitCode).toBe(74);
      expect(stderr).toContain(fresh);
      expect(stderr).toMatch(/space/);
    },
    TEST_MS,
  );
});
