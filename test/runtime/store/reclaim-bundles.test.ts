/** Bundles that nobody names, in slices of which one may be rolled back. */
import { expect, test } from "bun:test";
import { openSqlDatabase } from "../../../src/runtime/platform/sqlite-driver.ts";
import { migrate } from "../../../src/runtime/store/sqlite/open-database.ts";
import { createBlobPromises } from "../../../src/runtime/store/sqlite/promised-blobs.ts";
import { createBundleReclaimer } from "../../../src/runtime/store/sqlite/reclaim-bundles.ts";
import type { SliceBudget } from "../../../src/runtime/store/sqlite/slice-budget.ts";

const SHA256 = "ab".repeat(32);
const NOW_MS = 1_700_000_000_000;
const CHUNKS = 3;

test("a bundle whose slice was rolled back goes with a later one, not a day after", async () => {
  const database = await openSqlDatabase({ path: ":memory:", readOnly: false });
  migrate(database, 0);
  const key = Buffer.from(SHA256, "hex");
  database.prepare("insert into blob values (?, 'bundle', 1, ?)").run(key, NOW_MS);
  const putChunk = database.prepare("insert into blob_chunk values (?, ?, ?)");
  for (let number = 0; number < CHUNKS; number++) putChunk.run(key, number, new Uint8Array(9));
  const rows = (): number =>
    ["blob", "blob_chunk"].reduce((sum, table) => {
      const row = database.prepare<{ n: number }>(`select count(*) as n from ${table}`).get();
      return sum + (row?.n ?? 0);
    }, 0);
  const reclaimer = createBundleReclaimer(database, createBlobPromises());
  const budget = (): SliceBudget => ({ rows: 100, bytes: 2 ** 20 });

  reclaimer.onReleased(SHA256);
  database.exec("begin");
  reclaimer.deleteSlice(budget(), { nowMs: NOW_MS });
  database.exec("rollback");
  reclaimer.onRolledBack();
  expect(rows()).toBe(1 + CHUNKS);
  while (reclaimer.hasWork({ nowMs: NOW_MS })) reclaimer.deleteSlice(budget(), { nowMs: NOW_MS });
  expect(rows()).toBe(0);
  database.close();
});
