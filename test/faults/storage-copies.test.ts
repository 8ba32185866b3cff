/** Copies of a store: a backup of a live one, and what an upgrade leaves beside an older one. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlDatabase } from "../../src/runtime/platform/sqlite-driver.ts";
import { makeVersionOneStore } from "../runtime/store/fixtures/version-one-store.ts";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

async function startOn(folder: string) {
  const foreman = cluster.start(["foreman", "--port", "0", "--store", folder]);
  await within("it listens", foreman.untilStderr(/workers join with/), foreman);
  const url = /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "";
  return { foreman, url, at: ["--foreman", url] };
}

test(
  "backups of a store under load are whole, hold all that was acknowledged before, and start",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("w1", { slots: 2 });
    const before = await history.submit({ taskCount: 50 });
    await cluster.cc(["wait", `${before.jobId}`]);
    await history.submit({ taskCount: count(3_000, 20_000) });
    for (let round = 0; round < count(3, 20); round++) {
      const copy = join(cluster.world.folder, `backup-${round}`);
      const made = await cluster.cc(["foreman", "--backup", copy]);
      expect(made).toMatchObject({ exitCode: 0, stdout: "" });
      expect(made.stderr).toContain(`copied ${cluster.storeFolder} to ${copy}`);
      expect(readdirSync(copy)).toEqual(["foreman.db"]);
      expect(statSync(copy).mode & 0o777).toBe(0o700);
      expect(statSync(join(copy, "foreman.db")).mode & 0o777).toBe(0o600);
      expect((await cluster.cc(["doctor", "--store", copy])).exitCode).toBe(0);
    }
    // Nobody was disturbed.
    await history.check({ startsMax: 1 });

    const { foreman, at } = await startOn(join(cluster.world.folder, "backup-0"));
    const results = await cluster.cc(["results", `${before.jobId}`, ...at]);
    expect(results.stdout.trim().split("\n").length).toBe(50);
    expect((await foreman.stop()).exitCode).toBe(0);
  },
  TEST_MS,
);

test(
  "a backup goes nowhere that is in use, and alone",
  async () => {
    const { folder } = cluster.world;
    const backup = (...words: string[]) => cluster.cc(["foreman", "--backup", ...words]);
    mkdirSync(join(folder, "full"));
    writeFileSync(join(folder, "full", "precious"), "");
    expect((await backup("full", "--port", "0")).exitCode).toBe(64);
    expect((await backup("full")).stderr).toContain("is not empty");
    expect((await backup("full")).exitCode).toBe(64);
    expect((await backup("new", "--workers", "2")).stderr).toContain("--workers");
    expect((await backup("new", "--store", "none")).exitCode).toBe(64);
    expect(readdirSync(folder).filter((name) => name === "new")).toEqual([]);
    expect(readdirSync(join(folder, "full"))).toEqual(["precious"]);
  },
  TEST_MS,
);

test(
  "a store of an older version is brought up to date beside a copy of it, and a newer one refused",
  async () => {
    const old = join(cluster.world.folder, "old");
    await makeVersionOneStore(old);
    const { foreman, url, at } = await startOn(old);
    expect(foreman.stderr()).toContain("foreman.db.v1-backup");
    expect((await cluster.cc(["results", "1", ...at])).stdout).toBe("a\nb\n");
    // What it had not finished goes on.
    await cluster.worker("w1", { via: url });
    await eventually("the rest of job 2 completes", async () => {
      const [job] = await cluster.json(["jobs", "2", ...at]);
      return job?.["state"] === "completed";
    });
    expect((await foreman.stop()).exitCode).toBe(0);
    expect(readdirSync(old)).toContain("foreman.db.v1-backup");
    expect((await cluster.cc(["doctor", "--store", old])).exitCode).toBe(0);

    const path = join(old, "foreman.db");
    const database = await openSqlDatabase({ path, readOnly: false });
    database.exec("pragma user_version = 99");
    database.close();
    const refused = await cluster.cc(["foreman", "--port", "0", "--store", old]);
    expect(refused.exitCode).toBe(78);
    expect(refused.stderr).toContain("has version 99");
  },
  TEST_MS,
);
