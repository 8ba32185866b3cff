/**
 * Finds rows that contradict each other in a database whose pages are whole: counters against the
 * fold of the settlement log, inputs and bundles against their checksums, rows against their job.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import {
  type JobFacts,
  type JobFold,
  SETTLED_CANCELLED,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
  SETTLED_NONE,
} from "../../scheduler/foreman/facts.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";

/** Within a read transaction; without a pause. */
export function findContradictions(
  database: SqlDatabase,
  jobs: readonly JobFacts[],
): readonly string[] {
  const log = createLogReader(database);
  const checkInputs = createInputCheck(database);
  return [
    ...jobs.flatMap((job) => [...checkLog(log, job), ...checkInputs(job)]),
    ...findOrphans(database),
    ...findUndead(database),
    ...checkBundles(database),
  ];
}

function* checkLog(log: LogReader, job: JobFacts): Generator<string> {
  const { jobId, inputCount } = job;
  const lastSeq = log.lastSeq(jobId);
  if (lastSeq >= job.nextSettleSeq) {
    yield `job ${jobId} would write settlement ${job.nextSettleSeq} next, and has ${lastSeq} already`;
  }
  const fold = log.foldAtOnce(jobId, { inputCount, seq: Number.MAX_SAFE_INTEGER });
  const counts = countSettled(fold);
  for (const [name, status] of COUNTERS) {
    const counted = counts[status] ?? 0;
    if (job[name] === counted) continue;
    yield `job ${jobId} counts ${job[name]} ${name} tasks, and its log has ${counted}`;
  }
  const open = counts[SETTLED_NONE] ?? 0;
  if (job.finishedAtMs !== null && open > 0) {
    yield `job ${jobId} has ended, and ${open} of its tasks have not`;
  }
}

const COUNTERS = [
  ["completed", SETTLED_COMPLETED],
  ["failed", SETTLED_FAILED],
  ["cancelled", SETTLED_CANCELLED],
] as const;

/** By SETTLED_… */
function countSettled({ status }: JobFold): readonly number[] {
  const counts = [0, 0, 0, 0];
  for (const each of status) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

const INPUT_CHUNK_LIST = `
  select first_index, task_count, data
  from input_chunk
  where job_id = ? and first_index >= ?
  order by first_index
  limit 1`;

interface InputRow {
  readonly first_index: number;
  readonly task_count: number;
  readonly data: Uint8Array;
}

/** Chunk by chunk, because all of them may be more than fits memory. */
function createInputCheck(database: SqlDatabase): (job: JobFacts) => readonly string[] {
  const next = database.prepare<InputRow>(INPUT_CHUNK_LIST);
  return ({ jobId, inputCount, inputCrc32 }) => {
    let index = 0;
    let crc = 0;
    for (let row = next.get(jobId, 0); row; row = next.get(jobId, index)) {
      if (row.first_index !== index) {
        return [`job ${jobId} lacks its inputs from ${index} to ${row.first_index - 1}`];
      }
      index += row.task_count;
      crc = crc32(row.data, crc);
    }
    if (index !== inputCount) return [`job ${jobId} has ${index} inputs of ${inputCount}`];
    return crc === inputCrc32 ? [] : [`the inputs of job ${jobId} do not have their checksum`];
  };
}

const JOB_TABLES = ["settlement", "input_chunk", "task_exception", "attempt_end", "assignment"];

function findOrphans(database: SqlDatabase): readonly string[] {
  return JOB_TABLES.flatMap((table) => {
    const count = database
      .prepare<{ count: number }>(
        `select count(distinct job_id) as count
        from ${table}
        where not exists (select 1 from job where job.job_id = ${table}.job_id)
          and not exists (select 1 from removed_job where removed_job.job_id = ${table}.job_id)`,
      )
      .get()?.count;
    return count ? [`${table} holds rows of ${count} jobs that are gone`] : [];
  });
}

const JOBS_REMOVED_AND_THERE = `
  select job.job_id
  from job
  join removed_job on removed_job.job_id = job.job_id`;

/** Its rows would be deleted under it. */
function findUndead(database: SqlDatabase): readonly string[] {
  const undead = database.prepare<{ job_id: number }>(JOBS_REMOVED_AND_THERE).all();
  return undead.map(({ job_id }) => `job ${job_id} is removed and still there`);
}

const BUNDLES_NAMED = `
  select bundle_sha256 as sha256, min(job_id) as job_id
  from job
  where bundle_sha256 is not null
  group by bundle_sha256`;

const BLOB_CHUNK_GET = `
  select data
  from blob_chunk
  where sha256 = ? and number = ?`;

/** Only what a job names: an upload under way has chunks without a row. */
function checkBundles(database: SqlDatabase): readonly string[] {
  const named = database.prepare<{ sha256: Uint8Array; job_id: number }>(BUNDLES_NAMED).all();
  const getChunk = database.prepare<{ data: Uint8Array }>(BLOB_CHUNK_GET);
  return named.flatMap(({ sha256, job_id }) => {
    const hash = createHash("sha256");
    let number = 0;
    for (let row = getChunk.get(sha256, 0); row; row = getChunk.get(sha256, number)) {
      hash.update(row.data);
      number++;
    }
    if (number === 0) return [`the code of job ${job_id} is missing`];
    const isWhole = hash.digest().equals(sha256);
    return isWhole ? [] : [`the code of job ${job_id} does not have its SHA-256`];
  });
}
