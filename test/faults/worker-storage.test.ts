/**
 * A worker whose disk is full: tasks fail as the worker's fault or go elsewhere, it says so and takes
 * nothing, and with room again it goes on. Its disk is a memory file system of 4 MB in a mount namespace
 * of its own, which the test reaches through /proc.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, eventually, type Member, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

const MOUNT = 'mount -t tmpfs -o size=4m,mode=700 small "$0" && exec "$@"';
const FULL = /the disk of \S+ has 0 B free/;

interface SmallDisk {
  readonly worker: Member;
  /** Fills its disk to the last byte from outside. */
  fill(): void;
  empty(): void;
}

async function startOnSmallDisk(id: string): Promise<SmallDisk> {
  const disk = join(cluster.world.folder, `${id}-disk`);
  mkdirSync(disk);
  const worker = await cluster.worker(id, {
    program: "unshare",
    before: ["--mount", "--propagation", "private", "sh", "-c", MOUNT, disk],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    args: ["--cache-dir", disk],
  });
  const ballast = `/proc/${worker.pid}/root${disk}/ballast`;
  return {
    worker,
    fill() {
      expect(() => writeFileSync(ballast, new Uint8Array(8 * 1024 * 1024))).toThrow("ENOSPC");
    },
    empty: () => rmSync(ballast),
  };
}

async function whyOf(what: string): Promise<string> {
  return String((await cluster.json(["why", what]))[0]?.["sentence"]);
}

test(
  "a full disk: the worker takes nothing, says why, and goes on when there is room",
  async () => {
    const { worker, fill, empty } = await startOnSmallDisk("small");
    fill();
    await within("it says so", worker.untilStderr(FULL), worker);
    const job = (await cluster.cc(["submit", "-d", "--", "echo", "done"])).stdout.trim();
    await eventually("the job's why names disk and bytes", async () => FULL.test(await whyOf(job)));
    expect(await whyOf("small")).toMatch(FULL);
    expect(await cluster.json(["tasks", job])).toMatchObject([{ state: "queued", attempts: 0 }]);
    empty();
    const waited = await cluster.cc(["wait", job]);
    expect(waited.exitCode).toBe(0);
    expect(worker.stderr()).toContain("tasks are accepted again");
    expect(await cluster.json(["tasks", job])).toMatchObject([
      { state: "completed", attempts: 1, worker: "small" },
    ]);
  },
  TEST_MS,
);

const HOG = `
import { appendFileSync } from "node:fs";
import { join } from "node:path";
export default (n, ctx) => {
  for (let i = 0; i < 16; i++) appendFileSync(join(ctx.dir, "hog"), new Uint8Array(1024 * 1024));
  return "there was room";
};
`;

test(
  "a task that finds no room fails as worker_storage, at once and without a crash point",
  async () => {
    await startOnSmallDisk("small");
    cluster.file("hog.ts", HOG);
    for (const words of [
      ["hog.ts"],
      ["--scratch", "--", "sh", "-c", "head -c 16M /dev/zero > hog || exit 9"],
    ]) {
      const run = await cluster.cc(["submit", "--format", "jsonl", ...words]);
      expect(run.exitCode).toBe(1);
      const [row] = run.stdout.split("\n").map((line) => JSON.parse(line || "null"));
      expect(row).toMatchObject({ status: "failed", error: { code: "worker_storage" } });
      expect(row.error.message).toMatch(FULL);
      // Its folder is gone and with it the trouble: the next one is taken.
      const next = await cluster.cc(["submit", "--", "echo", "next"]);
      expect(next).toMatchObject({ exitCode: 0, stdout: "next\n" });
    }
    // A small command's own failure on a disk with room stays what it is.
    const own = await cluster.cc(["submit", "--format", "jsonl", "--scratch", "--", "false"]);
    expect(JSON.parse(own.stdout)).toMatchObject({ error: { code: "exit_status" } });
  },
  TEST_MS,
);

test(
  "with another worker the task goes there, without counting against --retries",
  async () => {
    const history = createHistory(cluster);
    await startOnSmallDisk("small");
    await cluster.worker("roomy");
    // Its only slot is taken, so that the task meets the small disk first.
    const gate = history.gate("roomy");
    await cluster.cc(["pause", "small"]);
    await history.submit({ taskCount: 1, gate });
    await history.untilStarted(1);
    await cluster.cc(["resume", "small"]);
    cluster.file("hog.ts", HOG);
    const submitted = await cluster.cc(["submit", "-d", "hog.ts"]);
    const job = submitted.stdout.trim();
    await eventually(
      "it is set aside",
      async () => (await cluster.json(["workers", "small"]))[0]?.["state"] === "set aside",
    );
    gate.open();
    expect((await cluster.cc(["wait", job])).exitCode).toBe(0);
    expect(await cluster.json(["tasks", job])).toMatchObject([
      { state: "completed", attempts: 2, worker: "roomy" },
    ]);
    expect((await cluster.json(["workers", "small"]))[0]).toMatchObject({ failed: 1 });
    await history.check({ startsMax: 1, unheardJobsMax: 1 });
  },
  TEST_MS,
);
