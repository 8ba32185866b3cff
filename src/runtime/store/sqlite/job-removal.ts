/**
 * Forgets a job at once for everybody who reads, whatever it left: its row goes, and its number is
 * noted, so that what remains of it is deleted slice by slice (reclaim.ts), also after a restart.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { plainBytes } from "./binary-columns.ts";

const JOB_GET_BUNDLE = `
  select bundle_sha256
  from job
  where job_id = ?`;

const JOB_DELETE = `
  delete from job
  where job_id = ?`;

// Only live assignments have rows, so a scan costs less than an index on every insert.
const ASSIGNMENT_DELETE_BY_JOB = `
  delete from assignment
  where job_id = ?`;

const REMOVED_JOB_PUT = `
  insert or ignore into removed_job(job_id)
  values (?)`;

/**
 * The returned function is called within a transaction; an unknown job is no error.
 * @param onBundleReleased this job named the bundle; others may still do so.
 */
export function createJobRemover(
  database: SqlDatabase,
  onBundleReleased: (sha256: string) => void,
): (jobId: number) => void {
  const getBundle = database.prepare<{ bundle_sha256: Uint8Array | null }>(JOB_GET_BUNDLE);
  const deleteJob = database.prepare(JOB_DELETE);
  const deleteAssignments = database.prepare(ASSIGNMENT_DELETE_BY_JOB);
  const putRemoved = database.prepare(REMOVED_JOB_PUT);
  return (jobId) => {
    const bundle = getBundle.get(jobId)?.bundle_sha256 ?? null;
    if (deleteJob.run(jobId) === 0) return;
    deleteAssignments.run(jobId);
    putRemoved.run(jobId);
    if (bundle !== null) onBundleReleased(Buffer.from(plainBytes(bundle)).toString("hex"));
  };
}
