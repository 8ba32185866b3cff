/**
 * Row 13, a damaged store: noise in its pages, or a write-ahead log that lost its end or is gone. The
 * foreman refuses to serve any of it, with 74, the path and the way on.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Cluster, openCluster } from "./support/cluster.ts";
import { createHistory, type History } from "./support/history.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
let history: History;
beforeEach(async () => {
  cluster = await openCluster();
  history = createHistory(cluster);
  await cluster.worker("w1", { slots: 2 });
}, SETUP_MS);
afterEach(() => cluster.close());

const databaseOf = (folder: string): string => join(folder, "foreman.db");

/** A copy of the store as it now lies there. */
function copyStore(name: string): string {
  const copy = join(cluster.world.folder, name);
  cpSync(cluster.storeFolder, copy, {
    recursive: true,
    filter: (path) => !path.endsWith("/workers"),
  });
  return copy;
}

const startOn = (folder: string) => cluster.cc(["foreman", "--port", "0", "--store", folder]);

test(
  "noise at any of three places of the database is found at the start",
  async () => {
    await history.submit({ taskCount: 2_000 });
    await history.check({ startsMax: 1 });
    expect((await cluster.foreman.stop()).exitCode).toBe(0);
    for (const place of [0.25, 0.5, 0.75]) {
      const folder = copyStore(`noise-${place}`);
      const database = databaseOf(folder);
      const pageCount = statSync(database).size / 4_096;
      const file = openSync(database, "r+");
      writeSync(file, randomBytes(4_096), 0, 4_096, Math.floor(pageCount * place) * 4_096);
      closeSync(file);
      const { exitCode, stderr } = await startOn(folder);
      expect(exitCode).toBe(74);
      // One sentence, without the heading that SQLite puts above its own.
      expect(stderr).toMatch(
        /^cc: The store \S+foreman\.db is damaged: [^*\n]+\.\nhint: Restore a backup, or .*\.recover/,
      );
      expect((await cluster.cc(["doctor", "--store", folder])).exitCode).toBe(1);
      const backup = await cluster.cc(["foreman", "--store", folder, "--backup", `${folder}-copy`]);
      expect(backup.exitCode).toBe(74);
    }
    expect(readdirSync(cluster.world.folder).filter((name) => name.endsWith("-copy"))).toEqual([]);
    // The store itself is as it was.
    await cluster.restartForeman();
    await history.check({ startsMax: 1 });
  },
  TEST_MS,
);

test(
  "a log that lost its end, or is gone, is refused with both numbers until the loss is accepted",
  async () => {
    const { jobId } = await history.submit({ taskCount: 20 });
    await cluster.cc(["wait", `${jobId}`]);
    await cluster.foreman.kill9();
    for (const [name, damage] of [
      ["short", (log: string) => truncateSync(log, statSync(log).size - 1)],
      ["gone", (log: string) => rmSync(log)],
    ] as const) {
      const folder = copyStore(name);
      damage(`${databaseOf(folder)}-wal`);
      const { exitCode, stderr } = await startOn(folder);
      expect(exitCode).toBe(74);
      expect(stderr).toMatch(/has lost what was acknowledged: it counts \d+ commits and \d+ were/);
      expect(stderr).toContain(`rm ${join(folder, "commits")}`);
      const doctor = await cluster.cc(["doctor", "--store", folder]);
      expect(doctor.exitCode).toBe(1);
      expect(doctor.stdout).toContain("has lost what was acknowledged");

      rmSync(join(folder, "commits"));
      const again = cluster.start(["foreman", "--port", "0", "--store", folder]);
      await again.untilStderr(/workers join with/);
      expect((await again.stop()).exitCode).toBe(0);
    }
    // With its whole log the same store goes on.
    await cluster.restartForeman();
    await history.check({ startsMax: 1 });
  },
  TEST_MS,
);
