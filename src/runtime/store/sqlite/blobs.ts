/**
 * Bundles as rows of at most a mebibyte. The row in `blob` is written last and with it the bundle is
 * there; chunks without it are leftovers of an interrupted upload, swept at the next start.
 */
import { createHash } from "node:crypto";
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { BLOB_CHUNK_BYTES } from "../../protocol/limits.ts";
import { blobCorrupt, blobMismatch, isBlobWhole } from "../blob-hash.ts";
import type { CommitOutcome, Store } from "../store.ts";
import { plainBytes } from "./binary-columns.ts";
import { sha256Bytes, wholeMs } from "./job-rows.ts";
import type { BlobPromises } from "./promised-blobs.ts";
import type { Transact } from "./transact.ts";

const BLOB_GET = `
  select byte_count
  from blob
  where sha256 = ?`;

const BLOB_PUT = `
  insert or replace into blob(sha256, kind, byte_count, last_used_at_ms)
  values (?, ?, ?, ?)`;

const BLOB_CHUNK_PUT = `
  insert or replace into blob_chunk(sha256, number, data)
  values (?, ?, ?)`;

const BLOB_CHUNK_GET = `
  select data
  from blob_chunk
  where sha256 = ? and number = ?`;

const BLOB_CHUNK_DROP = `
  delete from blob_chunk
  where sha256 = ?`;

const BLOB_SWEEP_UNUSED = `
  delete from blob
  where last_used_at_ms < ?
    and not exists (select 1 from job where bundle_sha256 = blob.sha256)`;

const BLOB_CHUNK_SWEEP = `
  delete from blob_chunk
  where not exists (select 1 from blob where blob.sha256 = blob_chunk.sha256)`;

/** Chunks written or read before other work gets its turn: about 10 ms. */
const CHUNKS_PER_TURN = 4;
/** An unused bundle this old belongs to no submission that is still under way. */
export const UNUSED_BLOB_AGE_MS = 24 * 3_600_000;

type BlobAccess = Pick<Store, "hasBlob" | "putBlob" | "readBlob">;

export function createBlobAccess(
  database: SqlDatabase,
  parts: { readonly transact: Transact; readonly promises: BlobPromises },
): BlobAccess {
  const { transact, promises } = parts;
  const getBlob = database.prepare<{ byte_count: number }>(BLOB_GET);
  const putBlob = database.prepare(BLOB_PUT);
  const putChunk = database.prepare(BLOB_CHUNK_PUT);
  const getChunk = database.prepare<{ data: Uint8Array }>(BLOB_CHUNK_GET);
  const dropChunks = database.prepare(BLOB_CHUNK_DROP);

  return {
    async hasBlob(sha256) {
      const has = getBlob.get(sha256Bytes(sha256)) !== null;
      if (has) promises.promise(sha256);
      return has;
    },

    async putBlob({ sha256, kind, bytes, atMs }): Promise<CommitOutcome> {
      if (!isBlobWhole(sha256, bytes)) throw blobMismatch(sha256, bytes.byteLength);
      promises.promise(sha256);
      const key = sha256Bytes(sha256);
      const chunkCount = Math.ceil(bytes.byteLength / BLOB_CHUNK_BYTES);
      for (let number = 0; ; ) {
        const end = Math.min(number + CHUNKS_PER_TURN, chunkCount);
        const outcome = transact("store a bundle", () => {
          for (; number < end; number++) {
            const from = number * BLOB_CHUNK_BYTES;
            putChunk.run(key, number, bytes.subarray(from, from + BLOB_CHUNK_BYTES));
          }
          if (end === chunkCount) putBlob.run(key, kind, bytes.byteLength, wholeMs(atMs));
        });
        // What is not wholly here serves nobody, and others need the room.
        if (outcome === "full") transact("give up a bundle", () => void dropChunks.run(key));
        if (outcome !== "ok" || end === chunkCount) return outcome;
        await nextTurn();
      }
    },

    async readBlob(sha256) {
      const key = sha256Bytes(sha256);
      const blob = getBlob.get(key);
      if (!blob) return null;
      const bytes = new Uint8Array(blob.byte_count);
      const hash = createHash("sha256");
      let at = 0;
      for (let number = 0; at < bytes.byteLength; number++) {
        if (number > 0 && number % CHUNKS_PER_TURN === 0) await nextTurn();
        const chunk = getChunk.get(key, number);
        // Removed while it was read, or damaged.
        if (!chunk || at + chunk.data.byteLength > bytes.byteLength) break;
        bytes.set(plainBytes(chunk.data), at);
        hash.update(chunk.data);
        at += chunk.data.byteLength;
      }
      if (hash.digest("hex") === sha256) return bytes;
      if (getBlob.get(key) === null) return null;
      throw blobCorrupt(database.path, sha256);
    },
  };
}

/** At a start, within a transaction: nobody uploads yet. Returns how many rows it freed. */
export function sweepUnusedBlobs(database: SqlDatabase, nowMs: number): number {
  const unused = database.prepare(BLOB_SWEEP_UNUSED).run(wholeMs(nowMs - UNUSED_BLOB_AGE_MS));
  return unused + database.prepare(BLOB_CHUNK_SWEEP).run();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
