/** Words that name jobs, tasks and workers on the command line: `17`, `17/3`, `last`, `alpha`. */
import { bodyOf, type Connection } from "../runtime/client/connection.ts";
import { CcError, usageError } from "../runtime/protocol/error.ts";
import { asJobId, type JobId, type JobOrTask, parseJobOrTask } from "../runtime/protocol/ids.ts";

/** @throws CcError `bad_job` (exit 2) when the word names no job. */
export async function findJobId(connection: Connection, word: string): Promise<JobId> {
  const { jobId, index } = await findJobOrTask(connection, word);
  if (index === null) return jobId;
  throw usageError("bad_job", `"${word}" names a task; expected a job such as ${jobId} or last.`);
}

export async function findJobOrTask(connection: Connection, word: string): Promise<JobOrTask> {
  const found = await tryFindJobOrTask(connection, word);
  if (found) return found;
  throw usageError(
    "bad_job",
    `"${word}" names no job or task; expected a number, JOB/INDEX, or last.`,
    "cc jobs",
  );
}

/** null when the word can only be a worker's name. */
export async function tryFindJobOrTask(
  connection: Connection,
  word: string,
): Promise<JobOrTask | null> {
  const parsed = parseJobOrTask(word);
  if (parsed) return parsed;
  const last = /^last(?:\/(\d{1,10}))?$/.exec(word);
  if (!last) return null;
  const jobId = await findLastJob(connection);
  return { jobId, index: last[1] === undefined ? null : Number(last[1]) };
}

async function findLastJob(connection: Connection): Promise<JobId> {
  const snapshot = await connection.look({ kind: "last_job" });
  const { job_id } = bodyOf<{ readonly job_id: number | null }>(snapshot);
  if (job_id !== null) return asJobId(job_id);
  throw new CcError({
    code: "no_such_job",
    message: "There is no job yet, so there is no last one.",
    hint: "cc submit JOB.ts",
    exitCode: 2,
  });
}
