/**
 * A write-ahead log that was cut short, removed or damaged: SQLite takes the last whole state without
 * a word, and the store must not, since what came after it was acknowledged.
 */
import assert from "node:assert/strict";
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { storePaths } from "../../../../src/runtime/store/folder.ts";
import { backupStore } from "../../../../src/runtime/store/sqlite/backup-store.ts";
import { examineStore } from "../../../../src/runtime/store/sqlite/examine-store.ts";
import { JOB1 } from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openReader, openStore } from "../sqlite-world.ts";
import { startStoreChild } from "../store-child.ts";

const LOST = { code: "commits_lost", exitCode: 74 };

/** A killed writer's folder: what it committed stands only in the log. Returns how much that was. */
async function leaveLog(folder: string): Promise<number> {
  // One in the middle of a commit may have made more than it has said.
  const child = startStoreChild("rest", folder);
  await child.next();
  let committed = 0;
  while (committed < 30) committed = Number((await child.next())?.["committed"]);
  await child.kill("SIGKILL");
  assert.ok(statSync(logOf(folder)).size > 0);
  return committed;
}

const logOf = (folder: string): string => `${storePaths(folder).database}-wal`;

const DAMAGES: Readonly<Record<string, (log: string) => void>> = {
  "is one byte short": (log) => truncateSync(log, statSync(log).size - 1),
  "is half as long": (log) => truncateSync(log, statSync(log).size / 2),
  "is empty": (log) => truncateSync(log, 0),
  "is gone": (log) => rmSync(log),
  "has noise in its middle": (log) => {
    const file = openSync(log, "r+");
    writeSync(file, Buffer.alloc(512, "noise"), 0, 512, Math.floor(statSync(log).size / 2));
    closeSync(file);
  },
};

export function suiteOfCommits(suite: FolderSuite): void {
  for (const [what, damage] of Object.entries(DAMAGES)) {
    suite(`a log that ${what} is refused, with both numbers and the way on`, async (folder) => {
      const committed = await leaveLog(folder);
      damage(logOf(folder));
      const { commits, database } = storePaths(folder);
      await assert.rejects(openStore(folder), (error: Error & { hint?: string }) => {
        const [counted, made] = error.message.match(/\d+ commits|\d+ were made/g) ?? [];
        assert.ok(Number.parseInt(counted ?? "", 10) < Number.parseInt(made ?? "", 10));
        // The epoch and the job came before the settlements.
        assert.equal(made, `${committed + 2} were made`);
        assert.ok(error.message.includes(database));
        assert.ok(error.hint?.includes(`rm ${commits}`));
        return true;
      });
      await assert.rejects(openReader(folder), LOST);
      await assert.rejects(examineStore(folder, { whole: true }), LOST);
      await assert.rejects(backupStore(folder, `${folder}-copy`), LOST);
      assert.equal(existsSync(`${folder}-copy`), false);

      // The loss is accepted: what is left is whole, and counted anew.
      rmSync(commits);
      const store = await openStore(folder);
      const job = await store.readStoredJob(JOB1);
      const left = job?.fold.status.reduce((sum, status) => sum + status, 0) ?? 0;
      assert.ok(left < committed, `${left} of ${committed}`);
      assert.equal(job?.facts.completed ?? 0, left);
      await store.close();
      await (await openStore(folder)).close();
    });
  }

  suite("a whole log is taken up after sudden death", async (folder) => {
    const committed = await leaveLog(folder);
    assert.ok(Number(readFileSync(storePaths(folder).commits, "utf8")) >= committed + 2);
    const store = await openStore(folder);
    assert.ok(((await store.readJob(JOB1))?.completed ?? 0) >= committed);
    await store.close();
  });

  suite("a mark that is older than the database proves nothing", async (folder) => {
    await (await openStore(folder)).close();
    const { commits } = storePaths(folder);
    for (const text of ["", `${"0".repeat(16)}\n`]) {
      writeFileSync(commits, text);
      await (await openStore(folder)).close();
    }
    assert.equal(statSync(commits).size, 17);
    writeFileSync(commits, "nobody knows\n");
    await assert.rejects(openStore(folder), { code: "commit_mark_damaged", exitCode: 74 });
  });

  suite("a database that was taken away is no new store", async (folder) => {
    await (await openStore(folder)).close();
    const { database } = storePaths(folder);
    rmSync(database);
    await assert.rejects(openStore(folder), LOST);
    await assert.rejects(openReader(folder), LOST);
  });

  suite("a copy of the whole folder of a stopped store is one, too", async (folder) => {
    await (await openStore(folder)).close();
    const copy = `${folder}-copy`;
    cpSync(folder, copy, { recursive: true });
    const store = await openStore(copy);
    assert.equal(store.identity.epoch, 2);
    await store.close();
  });
}
