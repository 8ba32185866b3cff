/** Copies: a backup of a store in use, and what stays beside a store that was brought up to date. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlDatabase } from "../../../../src/runtime/platform/sqlite-driver.ts";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import { storePaths } from "../../../../src/runtime/store/folder.ts";
import { openOutputFiles } from "../../../../src/runtime/store/output-files.ts";
import { backupStore } from "../../../../src/runtime/store/sqlite/backup-store.ts";
import { examineStore } from "../../../../src/runtime/store/sqlite/examine-store.ts";
import { SCHEMA_VERSION } from "../../../../src/runtime/store/sqlite/schema.ts";
import { inputs, JOB1, jobFacts, settled } from "../builders.ts";
import { makeVersionOneStore } from "../fixtures/version-one-store.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openReader, openStore } from "../sqlite-world.ts";
import { startStoreChild } from "../store-child.ts";

const JOB2 = asJobId(2);
const modeOf = (path: string): number => statSync(path).mode & 0o777;

export function suiteOfCopies(suite: FolderSuite): void {
  suite("a backup of a store that is being written is one whole moment of it", async (folder) => {
    const child = startStoreChild("write", folder);
    await child.next();
    for (let committed = 0; committed < 20; ) {
      committed = Number((await child.next())?.["committed"]);
    }
    const target = `${folder}-copy`;
    await backupStore(folder, target);
    const after = Number((await child.next())?.["committed"]);
    await child.end();
    assert.ok(after > 0, "the writer goes on");
    assert.deepEqual(readdirSync(target), ["foreman.db"]);
    assert.equal(modeOf(target), 0o700);
    assert.equal(modeOf(storePaths(target).database), 0o600);
    const copy = await openStore(target);
    const job = await copy.readStoredJob(JOB1);
    const settledCount = job?.fold.status.reduce((sum, status) => sum + status, 0) ?? 0;
    assert.ok(settledCount >= 20);
    assert.equal(job?.facts.completed, settledCount);
    await copy.close();
  });

  suite("a backup holds what was committed last, and starts as a store", async (folder) => {
    const store = await openStore(folder);
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCount: 2, completed: 1, nextSettleSeq: 2 }) },
      inputs(1, 0, ["a", "b"]),
      settled({ seq: 1, indexes: [0] }),
    ]);
    const target = `${folder}-copy`;
    mkdirSync(target);
    await backupStore(folder, target);
    assert.equal(await store.commit([settled({ seq: 2, indexes: [1] })]), "ok");
    await store.close();
    const copy = await openStore(target);
    assert.equal(copy.identity.foremanId, store.identity.foremanId);
    assert.equal(copy.identity.epoch, store.identity.epoch + 1);
    assert.notEqual(await copy.readSettlement(JOB1, 1), null);
    assert.equal(await copy.readSettlement(JOB1, 2), null);
    await copy.close();
  });

  suite("a backup has the outputs that lie beside the database", async (folder) => {
    await (await openStore(folder)).close();
    const name = { jobId: 1, index: 0, attempt: 1, assignment: 7 };
    await openOutputFiles(storePaths(folder).artifacts).write(name, 0, [new Uint8Array(1_000)]);
    const target = `${folder}-copy`;
    const { byteCount } = await backupStore(folder, target);
    const copied = openOutputFiles(storePaths(target).artifacts);
    assert.deepEqual(await copied.list(), [{ ...name, byteCount: 1_000 }]);
    assert.equal(byteCount, statSync(storePaths(target).database).size + 1_000);
  });

  suite("a backup never writes into a folder that holds something", async (folder) => {
    await (await openStore(folder)).close();
    const target = `${folder}-copy`;
    mkdirSync(target);
    writeFileSync(join(target, "precious"), "");
    await assert.rejects(backupStore(folder, target), { code: "backup_folder", exitCode: 64 });
    assert.deepEqual(readdirSync(target), ["precious"]);
    await assert.rejects(backupStore(folder, join(target, "precious")), { code: "backup_folder" });
    const missing = { code: "store_missing", exitCode: 64 };
    await assert.rejects(backupStore(`${folder}-none`, `${folder}-copy-2`), missing);
    assert.equal(existsSync(`${folder}-copy-2`), false);
  });

  suite("of damaged pages no backup is made, and of rows that disagree one that says so", async (folder) => {
    const store = await openStore(folder);
    await store.commit([
      { type: "jobCreated", facts: jobFacts(1, { inputCrc32: 0, completed: 1 }) },
      { type: "jobCreated", facts: jobFacts(2, { inputCrc32: 0 }) },
    ]);
    await store.close();
    const { problems } = await backupStore(folder, `${folder}-copy`);
    assert.deepEqual(problems, ["job 1 counts 1 completed tasks, and its log has 0"]);
    const { database } = storePaths(folder);
    truncateSync(database, statSync(database).size - 4_096);
    const target = `${folder}-copy-2`;
    const damaged = { code: "storage_corrupt", exitCode: 74 };
    await assert.rejects(backupStore(folder, target), damaged);
    assert.equal(existsSync(target), false);
  });

  suite("a store of an older version is brought up to date, with a copy beside it", async (folder) => {
    await makeVersionOneStore(folder);
    const hint = `Start a foreman on it once, which brings it up to date: cc foreman --store ${folder}`;
    await assert.rejects(openReader(folder), { code: "store_too_old", exitCode: 78, hint });
    const store = await openStore(folder);
    assert.equal(store.identity.epoch, 8);
    const { jobs, ended } = await store.load();
    assert.deepEqual(
      ended.map(({ jobId, state, completed }) => ({ jobId, state, completed })),
      [{ jobId: JOB1, state: "completed", completed: 2 }],
    );
    assert.deepEqual(
      jobs.map(({ facts, fold }) => ({ jobId: facts.jobId, status: [...fold.status] })),
      [{ jobId: JOB2, status: [1, 0] }],
    );
    assert.equal(await store.commit([settled({ jobId: JOB2, seq: 2, indexes: [1] })]), "ok");
    await store.close();

    const copy = `${storePaths(folder).database}.v1-backup`;
    assert.equal(modeOf(copy), 0o600);
    const database = await openSqlDatabase({ path: copy, readOnly: true });
    assert.equal(database.pragma("user_version"), 1);
    assert.equal(database.pragma("integrity_check"), "ok");
    const [jobCount] = database.prepare("select count(*) as count from job").all();
    assert.deepEqual({ ...(jobCount as object) }, { count: 2 });
    database.close();
    const madeAtMs = statSync(copy).mtimeMs;
    await (await openStore(folder)).close();
    assert.equal(statSync(copy).mtimeMs, madeAtMs);
    assert.equal((await examineStore(folder, { whole: false })).version, SCHEMA_VERSION);
  });

  suite("a backup of a store of an older version is that version", async (folder) => {
    await makeVersionOneStore(folder);
    const target = `${folder}-copy`;
    await backupStore(folder, target);
    const path = storePaths(target).database;
    const database = await openSqlDatabase({ path, readOnly: true });
    assert.equal(database.pragma("user_version"), 1);
    database.close();
    await (await openStore(target)).close();
  });

  suite("without a copy beside it an older store is left as it is", async (folder) => {
    await makeVersionOneStore(folder);
    // Root may write where others may not, so a folder stands in the copy's way.
    const inTheWay = `${storePaths(folder).database}.v1-backup.new`;
    mkdirSync(join(inTheWay, "inside"), { recursive: true });
    await assert.rejects(openStore(folder), { code: "storage_failed", exitCode: 74 });
    const path = storePaths(folder).database;
    const database = await openSqlDatabase({ path, readOnly: true });
    assert.equal(database.pragma("user_version"), 1);
    database.close();
  });
}
