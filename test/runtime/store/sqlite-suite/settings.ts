/** The database's settings, the folder's modes, the noted URL, locks of others and a full disk. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlDatabase } from "../../../../src/runtime/platform/sqlite-driver.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import {
  forgetUrl,
  hasStore,
  noteUrl,
  readNotedUrl,
  storePaths,
} from "../../../../src/runtime/store/folder.ts";
import { SCHEMA_VERSION } from "../../../../src/runtime/store/sqlite/schema.ts";
import { createTransact } from "../../../../src/runtime/store/sqlite/transact.ts";
import { JOB1, jobFacts, settled } from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openStore } from "../sqlite-world.ts";

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const CREATED: Change = { type: "jobCreated", facts: jobFacts(1, { inputCount: 4 }) };

export function suiteOfSettings(suite: FolderSuite): void {
  suite("nobody else can read the folder or its files", async (folder) => {
    assert.equal(hasStore(folder), false);
    const store = await openStore(folder);
    await store.commit([CREATED]);
    noteUrl(folder, "ws://127.0.0.1:9000");
    assert.equal(hasStore(folder), true);
    assert.equal(modeOf(folder), 0o700);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const mode = modeOf(join(folder, entry.name));
      assert.equal(mode, entry.isDirectory() ? 0o700 : 0o600, entry.name);
    }
    await store.close();
  });

  suite("a folder that was there keeps its mode", async (folder) => {
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    await (await openStore(folder)).close();
    assert.equal(modeOf(folder), 0o755);
    assert.equal(modeOf(storePaths(folder).database), 0o600);
  });

  suite("a folder that cannot be made is named with what to do", async (folder) => {
    writeFileSync(folder, "a file in its place");
    await assert.rejects(openStore(folder), { code: "store_folder", exitCode: 74 });
  });

  suite("the database is in WAL mode, can shrink, and knows its version", async (folder) => {
    await (await openStore(folder)).close();
    const database = await openSqlDatabase({ path: storePaths(folder).database, readOnly: true });
    assert.equal(database.pragma("journal_mode"), "wal");
    assert.equal(database.pragma("auto_vacuum"), 2);
    assert.equal(database.pragma("user_version"), SCHEMA_VERSION);
    assert.equal(database.pragma("integrity_check"), "ok");
    database.close();
  });

  suite("the URL of a foreman is noted, read and forgotten", async (folder) => {
    assert.equal(readNotedUrl(folder), null);
    await (await openStore(folder)).close();
    noteUrl(folder, "ws://127.0.0.1:9000");
    noteUrl(folder, "wss://host:9001");
    assert.equal(readNotedUrl(folder), "wss://host:9001");
    forgetUrl(folder);
    forgetUrl(folder);
    assert.equal(readNotedUrl(folder), null);
    for (const text of ["", "nonsense", `ws://${"x".repeat(4_000)}`, "ws://a b"]) {
      writeFileSync(storePaths(folder).url, text);
      assert.equal(readNotedUrl(folder), null);
    }
  });

  suite("a lock of another program makes a commit busy at once, not lost", async (folder) => {
    const store = await openStore(folder);
    const backup = await openSqlDatabase({ path: storePaths(folder).database, readOnly: false });
    backup.exec("begin immediate");
    const startedAtMs = performance.now();
    assert.equal(await store.commit([CREATED]), "busy");
    assert.ok(performance.now() - startedAtMs < 100);
    assert.equal(await store.readJob(JOB1), null);
    backup.exec("rollback");
    backup.close();
    assert.equal(await store.commit([CREATED]), "ok");
    await store.close();
  });

  suite("a key waits for the lock of another program", async (folder) => {
    const store = await openStore(folder);
    const backup = await openSqlDatabase({ path: storePaths(folder).database, readOnly: false });
    backup.exec("begin immediate");
    const verifier = new Uint8Array(64);
    const key = { keyId: "k", owner: "me", role: "client", scopes: [], verifier } as const;
    const put = store.putKey({ ...key, createdAtMs: 1, revokedAtMs: null });
    backup.exec("rollback");
    backup.close();
    await put;
    assert.equal((await store.listKeys()).length, 1);
    await store.close();
  });

  suite("a full disk rolls the group back, and the same group is written later", async (folder) => {
    mkdirSync(folder);
    const path = join(folder, "full.db");
    const database = await openSqlDatabase({ path, readOnly: false });
    database.exec("pragma journal_mode = wal");
    database.exec("create table filler(data blob) strict");
    const transact = createTransact(database);
    const insert = database.prepare("insert into filler values (?)");
    const rows = database.prepare<{ count: number }>("select count(*) as count from filler");
    const write = (): void => {
      for (let i = 0; i < 10; i++) insert.run(new Uint8Array(10_000));
    };
    database.pragma("max_page_count = 10");
    assert.equal(transact("fill", write), "full");
    assert.equal(rows.get()?.count, 0);
    // A small write would pass: the group must not have left its first rows.
    assert.equal(
      transact("fill", () => void insert.run(new Uint8Array(10))),
      "ok",
    );
    database.pragma("max_page_count = 1000000");
    assert.equal(transact("fill", write), "ok");
    assert.equal(rows.get()?.count, 11);
    database.close();
  });

  suite("after a failure for good nothing more is written", async (folder) => {
    const store = await openStore(folder);
    await store.commit([CREATED]);
    await assert.rejects(store.commit([CREATED]), { code: "storage_failed" });
    await assert.rejects(store.commit([settled({ seq: 1, indexes: [0] })]), {
      code: "storage_failed",
    });
    assert.equal(await store.readSettlement(JOB1, 1), null);
    await store.close();
    const reopened = await openStore(folder);
    assert.equal(await reopened.commit([settled({ seq: 1, indexes: [0] })]), "ok");
    await reopened.close();
  });
}
