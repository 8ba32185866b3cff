/**
 * Deletes bundles that no job names: at once when the last job that named one was removed, else when
 * they are a day old. What a submitter was just promised stays.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { BLOB_CHUNK_BYTES } from "../../protocol/limits.ts";
import type { ReclaimLimits } from "../store.ts";
import { plainBytes } from "./binary-columns.ts";
import { UNUSED_BLOB_AGE_MS } from "./blobs.ts";
import { sha256Bytes } from "./job-rows.ts";
import type { BlobPromises } from "./promised-blobs.ts";
import { isSpent, type SliceBudget } from "./slice-budget.ts";

export interface BundleReclaimer {
  onReleased(sha256: string): void;
  hasWork(limits: Pick<ReclaimLimits, "nowMs">): boolean;
  /** Within a transaction. */
  deleteSlice(budget: SliceBudget, limits: Pick<ReclaimLimits, "nowMs">): void;
  /** What the last slice let go may be there again. */
  onRolledBack(): void;
}

const BLOB_DELETE_IF_UNUSED = `
  delete from blob
  where sha256 = ?
    and not exists (select 1 from job where bundle_sha256 = blob.sha256)`;

const BLOB_LIST_UNUSED = `
  select sha256
  from blob
  where last_used_at_ms < ?
    and not exists (select 1 from job where bundle_sha256 = blob.sha256)
  limit ?`;

const BLOB_EXISTS = `
  select 1 as is_there
  from blob
  where sha256 = ?`;

const BLOB_CHUNK_DELETE_SOME = `
  delete from blob_chunk
  where rowid in (select rowid from blob_chunk where sha256 = ? order by number desc limit ?)`;

const UNUSED_LISTED_MAX = 100;

export function createBundleReclaimer(
  database: SqlDatabase,
  promises: BlobPromises,
): BundleReclaimer {
  const deleteBlob = database.prepare(BLOB_DELETE_IF_UNUSED);
  const listUnused = database.prepare<{ sha256: Uint8Array }>(BLOB_LIST_UNUSED);
  const exists = database.prepare<{ is_there: number }>(BLOB_EXISTS);
  const deleteChunks = database.prepare(BLOB_CHUNK_DELETE_SOME);
  /** A removed job named them; looked at with the next slice. */
  const released = new Set<string>();
  /** Of those, the ones that the last slice looked at. */
  let looked: readonly string[] = [];
  /** Without a row in `blob`; their chunks go. */
  const dying = new Set<string>();

  /** Nobody names it, nobody was promised it: its row goes, and its chunks are nobody's. */
  function letGo(sha256: string): void {
    if (deleteBlob.run(sha256Bytes(sha256)) === 1) dying.add(sha256);
  }

  function findUnused({ nowMs }: Pick<ReclaimLimits, "nowMs">): string[] {
    promises.lapse(nowMs, UNUSED_BLOB_AGE_MS);
    return listUnused
      .all(nowMs - UNUSED_BLOB_AGE_MS, UNUSED_LISTED_MAX)
      .map(({ sha256 }) => Buffer.from(plainBytes(sha256)).toString("hex"))
      .filter((sha256) => !promises.isPromised(sha256));
  }

  /** @returns how many chunks went. */
  function deleteChunksOf(sha256: string, budget: SliceBudget): number {
    const limit = Math.max(1, Math.floor(budget.bytes / BLOB_CHUNK_BYTES));
    const count = deleteChunks.run(sha256Bytes(sha256), limit);
    budget.rows -= count;
    budget.bytes -= count * BLOB_CHUNK_BYTES;
    return count;
  }

  return {
    onReleased: (sha256) => void released.add(sha256),
    hasWork: (limits) => released.size > 0 || dying.size > 0 || findUnused(limits).length > 0,
    deleteSlice(budget, limits) {
      if (isSpent(budget)) return;
      looked = [...released];
      released.clear();
      for (const sha256 of [...looked, ...findUnused(limits)]) {
        if (!promises.isPromised(sha256)) letGo(sha256);
      }
      for (const sha256 of dying) {
        if (isSpent(budget)) return;
        // It is being uploaded anew.
        const isWanted = promises.isPromised(sha256) || exists.get(sha256Bytes(sha256)) !== null;
        if (isWanted || deleteChunksOf(sha256, budget) === 0) dying.delete(sha256);
      }
    },
    onRolledBack() {
      for (const sha256 of looked) released.add(sha256);
    },
  };
}
