/** Damage and foreign versions are refused with the path and what to do; nothing half is served. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { closeSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { openSqlDatabase } from "../../../../src/runtime/platform/sqlite-driver.ts";
import { storePaths } from "../../../../src/runtime/store/folder.ts";
import { SCHEMA_VERSION } from "../../../../src/runtime/store/sqlite/schema.ts";
import { openSqliteStore } from "../../../../src/runtime/store/sqlite/sqlite-store.ts";
import { inputs, JOB1, jobFacts, NOW_MS, settled } from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { CLOCK, openReader, openStore } from "../sqlite-world.ts";

async function alter(folder: string, sql: string): Promise<void> {
  const database = await openSqlDatabase({ path: storePaths(folder).database, readOnly: false });
  database.exec(sql);
  database.close();
}

async function fill(folder: string): Promise<void> {
  const store = await openStore(folder);
  const texts = Array.from({ length: 2_000 }, (_, i) => `input ${i} ${"x".repeat(i % 97)}`);
  await store.commit([
    { type: "jobCreated", facts: jobFacts(1, { inputCount: 2_000 }) },
    inputs(1, 0, texts),
    settled({ seq: 1, indexes: texts.map((_, i) => i) }),
  ]);
  await store.close();
}

export function suiteOfDamage(suite: FolderSuite): void {
  suite("a store of a newer program is refused and left alone", async (folder) => {
    await (await openStore(folder)).close();
    await alter(folder, `pragma user_version = ${SCHEMA_VERSION + 1}`);
    const refusal = { code: "store_too_new", exitCode: 78 };
    await assert.rejects(openStore(folder), refusal);
    await assert.rejects(openReader(folder), refusal);
    await alter(folder, `pragma user_version = ${SCHEMA_VERSION}`);
    // The refusals have released the lock and begun no epoch.
    const store = await openStore(folder);
    assert.equal(store.identity.epoch, 2);
    await store.close();
  });

  suite("a file that is no database is refused with its path", async (folder) => {
    await (await openStore(folder)).close();
    const { database } = storePaths(folder);
    writeFileSync(database, "this is no database, whatever its name says\n".repeat(500));
    for (const open of [openStore, openReader]) {
      await assert.rejects(open(folder), (error: Error & { code?: string }) => {
        assert.equal(error.code, "storage_corrupt");
        assert.ok(error.message.includes(database));
        return true;
      });
    }
  });

  suite("noise in any page is found at the start", async (folder) => {
    for (const place of [0.3, 0.6, 0.9]) {
      const damaged = `${folder}-${place}`;
      await fill(damaged);
      const { database } = storePaths(damaged);
      const page = Math.floor((statSync(database).size / 4_096) * place);
      const file = openSync(database, "r+");
      const noise = createHash("shake256", { outputLength: 4_096 }).update("noise").digest();
      writeSync(file, noise, 0, 4_096, page * 4_096);
      closeSync(file);
      await assert.rejects(openStore(damaged), { code: "storage_corrupt", exitCode: 74 });
    }
  });

  suite("a bundle whose bytes have changed is never handed out", async (folder) => {
    const bytes = new TextEncoder().encode("export default () => 1;");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const store = await openStore(folder);
    await store.putBlob({ sha256, kind: "bundle", bytes, atMs: NOW_MS });
    await store.close();
    await alter(folder, "update blob_chunk set data = cast('export default () => 2;' as blob)");
    const broken: string[] = [];
    const onBroken = ({ code }: { readonly code: string }) => void broken.push(code);
    const parts = { folder, readOnly: false, clock: CLOCK, onBroken };
    const reopened = await openSqliteStore(parts);
    await assert.rejects(reopened.readBlob(sha256), { code: "storage_corrupt" });
    // Its owner hears of it, too: the foreman ends.
    assert.deepEqual(broken, ["storage_corrupt"]);
    await reopened.close();
  });

  suite("rows that contradict themselves are refused, not guessed", async (folder) => {
    await fill(folder);
    await alter(folder, "update settlement set task_count = 1999");
    await alter(folder, "update input_chunk set lengths = x'0102030405'");
    await alter(folder, "update job set spec = '{'");
    const store = await openStore(folder);
    for (const read of [
      () => store.readSettlement(JOB1, 1),
      () => store.readInputChunk(JOB1, 0),
      () => store.readJob(JOB1),
      () => store.load(),
    ]) {
      await assert.rejects(read(), { code: "storage_corrupt" });
    }
    await store.close();
  });

  suite("bundles that no job names are swept at a start after a day", async (folder) => {
    const put = async (atMs: number, text: string): Promise<string> => {
      const bytes = new TextEncoder().encode(text);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const store = await openStore(folder);
      await store.putBlob({ sha256, kind: "bundle", bytes, atMs });
      await store.close();
      return sha256;
    };
    const old = await put(NOW_MS - 25 * 3_600_000, "old");
    const fresh = await put(NOW_MS - 3_600_000, "fresh");
    const store = await openStore(folder);
    assert.equal(await store.readBlob(old), null);
    assert.notEqual(await store.readBlob(fresh), null);
    await store.close();
  });
}
