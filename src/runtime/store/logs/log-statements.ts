/** The tables of logs and every statement on them: SQL and the rows it yields, and nothing else. */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";

export const LOG_SCHEMA_VERSION = 1;

/** `gap_bytes` before the blobs: a row that is looked at for its place needs only its first page. */
export const LOG_SCHEMA = `
  create table log_row(
    seq integer primary key autoincrement,
    job_id integer not null,
    first_index integer not null,
    last_index integer not null,
    attempt integer,
    first_byte integer not null,
    gap_bytes integer not null,
    arrived_at_ms integer not null,
    byte_count integer not null,
    columns blob not null,
    data blob not null
  ) strict;
  create index log_row_of_job on log_row(job_id, seq, first_index, last_index);
  create index log_row_of_attempt
    on log_row(job_id, first_index, attempt, seq, first_byte, gap_bytes, byte_count)
    where attempt is not null;
  create table job_log(
    job_id integer primary key,
    byte_count integer not null,
    dropped_bytes integer not null
  ) strict;
  pragma user_version = ${LOG_SCHEMA_VERSION};`;

const LAST_SEQ_GET = `
  select seq
  from sqlite_sequence
  where name = 'log_row'`;

const ROW_ADD = `
  insert into log_row(seq, job_id, first_index, last_index, attempt, first_byte, gap_bytes,
    arrived_at_ms, byte_count, columns, data)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const ROW_GET = `
  select seq, job_id, first_index, last_index, attempt, first_byte, gap_bytes, arrived_at_ms,
    byte_count, columns, data
  from log_row
  where seq = ?`;

const ROW_DELETE = `
  delete from log_row
  where seq = ?`;

const ROW_SET_GAP = `
  update log_row
  set gap_bytes = ?
  where seq = ?`;

const placesInOrder = (order: "asc" | "desc"): string => `
  select seq, first_index, last_index
  from log_row indexed by log_row_of_job
  where job_id = ?
    and seq between ? and ?
  order by seq ${order}
  limit ?`;

const ARRIVAL_NEXT = `
  select seq, arrived_at_ms
  from log_row
  where job_id = ?
    and seq >= ?
  order by seq
  limit 1`;

const SEQ_LAST = `
  select max(seq) as seq
  from log_row
  where job_id = ?`;

const ATTEMPT_ROWS = `
  select seq, first_byte, gap_bytes, byte_count
  from log_row indexed by log_row_of_attempt
  where job_id = ?
    and first_index = ?
    and attempt = ?
    and seq >= ?
  order by seq
  limit ?`;

const ATTEMPT_SUMS = `
  select attempt, sum(byte_count) as byte_count, sum(gap_bytes) as gap_bytes
  from log_row indexed by log_row_of_attempt
  where job_id = ?
    and first_index = ?
    and attempt is not null
  group by attempt`;

const JOB_SIZES = `
  select seq, byte_count
  from log_row
  where job_id = ?
  order by seq
  limit ?`;

const JOB_LOGS = `
  select job_id, byte_count, dropped_bytes
  from job_log
  order by job_id`;

const JOB_LOG_GET = `
  select job_id, byte_count, dropped_bytes
  from job_log
  where job_id = ?`;

const JOB_LOG_PUT = `
  insert into job_log(job_id, byte_count, dropped_bytes)
  values (?, ?, ?)
  on conflict(job_id) do update
  set byte_count = excluded.byte_count,
    dropped_bytes = excluded.dropped_bytes`;

const JOB_LOG_DELETE = `
  delete from job_log
  where job_id = ?`;

export interface StoredRow {
  readonly seq: number;
  readonly job_id: number;
  readonly first_index: number;
  readonly last_index: number;
  readonly attempt: number | null;
  readonly first_byte: number;
  readonly gap_bytes: number;
  readonly arrived_at_ms: number;
  readonly byte_count: number;
  readonly columns: Uint8Array;
  readonly data: Uint8Array;
}

export interface StoredAttemptSum {
  readonly attempt: number;
  readonly byte_count: number;
  readonly gap_bytes: number;
}

export type StoredAttemptRow = Pick<StoredRow, "seq" | "first_byte" | "gap_bytes" | "byte_count">;

export interface StoredJob {
  readonly job_id: number;
  readonly byte_count: number;
  readonly dropped_bytes: number;
}

export interface PlaceRow {
  readonly seq: number;
  readonly first_index: number;
  readonly last_index: number;
}

export type LogStatements = ReturnType<typeof prepareStatements>;

/** They live until the database is closed. */
export function prepareStatements(database: SqlDatabase) {
  return {
    begin: database.prepare("begin immediate"),
    commit: database.prepare("commit"),
    rollback: database.prepare("rollback"),
    addRow: database.prepare(ROW_ADD),
    getRow: database.prepare<StoredRow>(ROW_GET),
    deleteRow: database.prepare(ROW_DELETE),
    setGap: database.prepare(ROW_SET_GAP),
    placesForward: database.prepare<PlaceRow>(placesInOrder("asc")),
    placesBackward: database.prepare<PlaceRow>(placesInOrder("desc")),
    nextArrival: database.prepare<{ seq: number; arrived_at_ms: number }>(ARRIVAL_NEXT),
    lastSeq: database.prepare<{ seq: number | null }>(SEQ_LAST),
    attemptRows: database.prepare<StoredAttemptRow>(ATTEMPT_ROWS),
    attemptSums: database.prepare<StoredAttemptSum>(ATTEMPT_SUMS),
    jobSizes: database.prepare<{ seq: number; byte_count: number }>(JOB_SIZES),
    getLastSeq: database.prepare<{ seq: number }>(LAST_SEQ_GET),
    jobs: database.prepare<StoredJob>(JOB_LOGS),
    getJob: database.prepare<StoredJob>(JOB_LOG_GET),
    putJob: database.prepare(JOB_LOG_PUT),
    deleteJob: database.prepare(JOB_LOG_DELETE),
  };
}
