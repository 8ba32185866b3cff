/** Reading beside a running foreman and without one. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { storePaths } from "../../../../src/runtime/store/folder.ts";
import { inputs, JOB1, jobFacts, settled } from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openReader, openStore } from "../sqlite-world.ts";
import { startStoreChild } from "../store-child.ts";

export function suiteOfReaders(suite: FolderSuite): void {
  suite("a reader sees each commit of a store that is open for writing", async (folder) => {
    const store = await openStore(folder);
    const reader = await openReader(folder);
    assert.deepEqual(reader.identity, store.identity);
    const { jobs } = await reader.load();
    assert.deepEqual(jobs, []);
    const facts = jobFacts(1, { inputCount: 2, completed: 1 });
    await store.commit([
      { type: "jobCreated", facts },
      inputs(1, 0, ["a", "b"]),
      settled({ seq: 1, indexes: [1] }),
    ]);
    assert.deepEqual((await reader.load()).jobs, (await store.load()).jobs);
    assert.deepEqual(await reader.readInputChunk(JOB1, 1), await store.readInputChunk(JOB1, 1));
    await reader.close();
    assert.equal(await store.commit([settled({ seq: 2, indexes: [0] })]), "ok");
    await store.close();
  });

  suite("a reader in the middle of reading holds up no commit", async (folder) => {
    const child = startStoreChild("write", folder);
    await child.next();
    await child.next();
    const reader = await openReader(folder);
    for (let i = 0; i < 20; i++) {
      const job = await reader.readStoredJob(JOB1);
      const settledCount = job?.fold.status.reduce((sum, status) => sum + status, 0);
      // One moment: the row and the log agree, though the writer goes on.
      assert.equal(settledCount, job?.facts.completed);
      await child.next();
    }
    await reader.close();
    await child.kill("SIGKILL");
  });

  suite("a reader works when nobody has the store open, and begins no epoch", async (folder) => {
    const store = await openStore(folder);
    await store.commit([{ type: "jobCreated", facts: jobFacts(1) }]);
    await store.close();
    for (let i = 0; i < 2; i++) {
      const reader = await openReader(folder);
      assert.deepEqual(reader.identity, store.identity);
      assert.deepEqual(await reader.readJob(JOB1), jobFacts(1));
      await reader.close();
    }
    const next = await openStore(folder);
    assert.equal(next.identity.epoch, store.identity.epoch + 1);
    await next.close();
  });

  suite("a reader takes no lock: a foreman starts beside it", async (folder) => {
    await (await openStore(folder)).close();
    const reader = await openReader(folder);
    const store = await openStore(folder);
    assert.equal(await store.commit([{ type: "jobCreated", facts: jobFacts(1) }]), "ok");
    assert.deepEqual(await reader.readJob(JOB1), jobFacts(1));
    await store.close();
    assert.deepEqual(await reader.readJob(JOB1), jobFacts(1));
    await reader.close();
  });

  suite("a reader writes nothing", async (folder) => {
    await (await openStore(folder)).close();
    const reader = await openReader(folder);
    const group = reader.commit([{ type: "jobCreated", facts: jobFacts(1) }]);
    await assert.rejects(group, { code: "storage_failed" });
    assert.equal(await reader.readJob(JOB1), null);
    await reader.close();
  });

  suite("reading where no store is makes none", async (folder) => {
    const hint = `A foreman makes one when it first starts: cc foreman --store ${folder}`;
    await assert.rejects(openReader(folder), { code: "store_missing", exitCode: 3, hint });
    mkdirSync(folder);
    await assert.rejects(openReader(folder), { code: "store_missing" });
    assert.deepEqual(readdirSync(folder), []);
    // A foreman that is just starting has made the file and not yet its tables.
    writeFileSync(storePaths(folder).database, "");
    await assert.rejects(openReader(folder), { code: "store_missing" });
  });
}
