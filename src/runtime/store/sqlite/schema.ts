/**
 * The tables, as numbered migrations: entry N brings a database from `user_version` N to N + 1. An
 * entry that has been released is never edited; a change of shape is a new entry.
 *
 * Blobs named after a column hold u32 little-endian: null is the usual value for every row (attempt 1,
 * run time 0, consecutive indexes from `first_index`), four bytes are one value for all, else one each.
 * Large columns stand last, so that reading the others does not touch their pages.
 */

const FIRST_SCHEMA = `
create table foreman(
  one integer primary key check(one = 1),
  foreman_id text not null,
  epoch integer not null
) strict;

create table api_key(
  key_id text primary key,
  owner text not null,
  role text not null,
  scopes text not null,
  verifier blob not null,
  created_at_ms integer not null,
  revoked_at_ms integer
) strict;

create table blob(
  sha256 blob primary key,
  kind text not null,
  byte_count integer not null,
  last_used_at_ms integer not null
) strict;

create table blob_chunk(
  sha256 blob,
  number integer,
  data blob not null,
  primary key(sha256, number)
) strict;

create table job(
  job_id integer primary key autoincrement,
  owner text not null,
  submission_id text not null,
  resumable integer not null,
  name text not null,
  note text,
  queue text not null,
  priority integer not null,
  bundle_sha256 blob,
  input_count integer not null,
  input_crc32 integer not null,
  inputs_closed_at_ms integer,
  paused integer not null,
  keep integer not null,
  state text not null,
  completed integer not null,
  failed integer not null,
  cancelled integer not null,
  next_settle_seq integer not null,
  created_at_ms integer not null,
  not_before_ms integer,
  finished_at_ms integer,
  run_us integer not null,
  spec_version integer not null,
  spec text not null,
  unique(owner, submission_id)
) strict;
create index job_finished on job(finished_at_ms) where finished_at_ms is not null;
create index job_bundle on job(bundle_sha256) where bundle_sha256 is not null;

create table input_chunk(
  job_id integer,
  first_index integer,
  task_count integer not null,
  lengths blob not null,
  data blob not null,
  primary key(job_id, first_index)
) strict;

create table assignment(
  assignment_id integer primary key,
  job_id integer not null,
  worker_id text not null,
  boot_id text not null,
  task_count integer not null,
  first_index integer not null,
  indexes blob,
  attempts blob,
  assigned_at_ms integer not null
) strict;

-- kind: settle, reopen or rest_cancelled. Of a rest_cancelled row last_index + 1 is the number of
-- inputs and data the one value that stands for every task no earlier row had settled.
create table settlement(
  job_id integer,
  seq integer,
  kind text not null,
  status text,
  task_count integer not null,
  first_index integer not null,
  last_index integer not null,
  worker_id text,
  boot_id text,
  settled_at_ms integer not null,
  indexes blob,
  attempts blob,
  run_us blob,
  lengths blob,
  data blob,
  primary key(job_id, seq)
) strict;

create table task_exception(
  job_id integer,
  task_index integer,
  attempt integer not null,
  failures integer not null,
  crashes integer not null,
  losses integer not null,
  not_before_ms integer,
  primary key(job_id, task_index)
) strict, without rowid;

-- Attempts that ended without settling their task; bounded a job.
create table attempt_end(
  job_id integer,
  task_index integer,
  attempt integer,
  outcome text not null,
  code text,
  worker_id text not null,
  boot_id text not null,
  run_us integer,
  ended_at_ms integer not null,
  error blob,
  primary key(job_id, task_index, attempt)
) strict, without rowid;

create table worker(
  worker_id text primary key,
  boot_id text not null,
  offer text not null,
  paused integer not null,
  first_seen_at_ms integer not null,
  last_seen_at_ms integer not null,
  set_aside_until_ms integer
) strict;

-- Autoincrement, so that a follower who resumes by seq never meets a number twice.
create table event(
  seq integer primary key autoincrement,
  at_ms integer not null,
  kind text not null,
  job_id integer,
  task_index integer,
  worker_id text,
  body text not null
) strict;
create index event_job on event(job_id, seq) where job_id is not null;
create index event_worker on event(worker_id, seq) where worker_id is not null;
`;

// commit_number grows with each transaction that records changes. removed_job names jobs that are
// forgotten already but whose rows are still being deleted, slice by slice.
const RECLAIM_SCHEMA = `
alter table foreman add column commit_number integer not null default 0;

create table removed_job(
  job_id integer primary key
) strict;

-- Events of workers and of the foreman, whose number is bounded.
create index event_free on event(seq) where job_id is null;
`;

export const MIGRATIONS: readonly string[] = [FIRST_SCHEMA, RECLAIM_SCHEMA];

/** What this version of the program reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
