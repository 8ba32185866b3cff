/** Forgets a job with all it left: a few deletes by key, whatever its number of tasks. */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { plainBytes } from "./binary-columns.ts";
import type { BlobPromises } from "./promised-blobs.ts";

const JOB_GET_BUNDLE = `
  select bundle_sha256
  from job
  where job_id = ?`;

const DELETES_BY_JOB: readonly string[] = [
  "delete from settlement where job_id = ?",
  "delete from input_chunk where job_id = ?",
  "delete from task_exception where job_id = ?",
  "delete from attempt_end where job_id = ?",
  // Only live assignments have rows, so a scan costs less than an index on every insert.
  "delete from assignment where job_id = ?",
  "delete from event where job_id = ?",
  "delete from job where job_id = ?",
];

const BLOB_DELETE_IF_UNUSED = `
  delete from blob
  where sha256 = ?
    and not exists (select 1 from job where bundle_sha256 = blob.sha256)`;

const BLOB_CHUNK_DELETE = `
  delete from blob_chunk
  where sha256 = ?`;

/** The returned function is called within a transaction; an unknown job is no error. */
export function createJobRemover(
  database: SqlDatabase,
  promises: BlobPromises,
): (jobId: number) => void {
  const getBundle = database.prepare<{ bundle_sha256: Uint8Array | null }>(JOB_GET_BUNDLE);
  const deletes = DELETES_BY_JOB.map((sql) => database.prepare(sql));
  const deleteBlob = database.prepare(BLOB_DELETE_IF_UNUSED);
  const deleteChunks = database.prepare(BLOB_CHUNK_DELETE);
  return (jobId) => {
    const bundle = getBundle.get(jobId)?.bundle_sha256 ?? null;
    for (const statement of deletes) statement.run(jobId);
    if (bundle === null) return;
    const sha256 = plainBytes(bundle);
    if (promises.isPromised(Buffer.from(sha256).toString("hex"))) return;
    if (deleteBlob.run(sha256) === 1) deleteChunks.run(sha256);
  };
}
