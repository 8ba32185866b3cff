/** The row of a job: its SQL, what is bound to it and what it reads back as. */

import type { SqlValue } from "../../platform/sqlite-driver.ts";
import { asJobId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";
import type { JobState } from "../../protocol/views.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import { DamagedRow } from "./binary-columns.ts";

export const JOB_INSERT = `
  insert into job(job_id, owner, submission_id, created_at_ms,
    name, note, queue, priority, bundle_sha256, spec_version, spec,
    resumable, input_count, input_crc32, inputs_closed_at_ms, paused, keep, state,
    completed, failed, cancelled, next_settle_seq, not_before_ms, finished_at_ms, run_us)
  values (?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?)`;

/** The hot one: it leaves the spec alone and changes no row when the spec's version is another. */
export const JOB_UPDATE_IF_SAME_SPEC = `
  update job
  set resumable = ?, input_count = ?, input_crc32 = ?, inputs_closed_at_ms = ?, paused = ?, keep = ?,
    state = ?, completed = ?, failed = ?, cancelled = ?, next_settle_seq = ?, not_before_ms = ?,
    finished_at_ms = ?, run_us = ?
  where job_id = ? and spec_version = ?`;

export const JOB_SPEC_UPDATE = `
  update job
  set name = ?, note = ?, queue = ?, priority = ?, bundle_sha256 = ?, spec_version = ?, spec = ?
  where job_id = ?`;

const JOB_COLUMNS = `
  job_id, owner, submission_id, resumable, input_count, input_crc32, inputs_closed_at_ms, paused,
  keep, state, completed, failed, cancelled, next_settle_seq, created_at_ms, not_before_ms,
  finished_at_ms, run_us, spec_version, spec`;

export const JOB_GET = `
  select ${JOB_COLUMNS}
  from job
  where job_id = ?`;

export const JOB_LIST = `
  select ${JOB_COLUMNS}
  from job
  order by job_id`;

/** `not indexed`: newest first is the order of the table itself. */
export const JOB_LIST_ENDED = `
  select ${JOB_COLUMNS}
  from job not indexed
  where finished_at_ms is not null
    and job_id < ?
    and (? is null or owner = ?)
    and (? is null or state in (select value from json_each(?)))
  order by job_id desc
  limit ?`;

export const JOB_COUNT_ENDED = `
  select count(*) as count
  from job
  where finished_at_ms is not null
    and job_id < ?
    and (? is null or owner = ?)
    and (? is null or state in (select value from json_each(?)))`;

export interface JobRow {
  readonly job_id: number;
  readonly owner: string;
  readonly submission_id: string;
  readonly resumable: number;
  readonly input_count: number;
  readonly input_crc32: number;
  readonly inputs_closed_at_ms: number | null;
  readonly paused: number;
  readonly keep: number;
  readonly state: string;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly next_settle_seq: number;
  readonly created_at_ms: number;
  readonly not_before_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly run_us: number;
  readonly spec_version: number;
  readonly spec: string;
}

export function jobInsertValues(facts: JobFacts): SqlValue[] {
  const { jobId, owner, submissionId, createdAtMs } = facts;
  return [
    ...[jobId, owner, submissionId, wholeMs(createdAtMs)],
    ...specValues(facts),
    ...progressValues(facts),
  ];
}

export function jobUpdateValues(facts: JobFacts): SqlValue[] {
  return [...progressValues(facts), facts.jobId, facts.specVersion];
}

export function jobSpecUpdateValues(facts: JobFacts): SqlValue[] {
  return [...specValues(facts), facts.jobId];
}

export function jobOfRow(row: JobRow): JobFacts {
  return {
    jobId: asJobId(row.job_id),
    owner: row.owner,
    submissionId: row.submission_id,
    resumable: row.resumable === 1,
    spec: parseSpec(row),
    specVersion: row.spec_version,
    inputCount: row.input_count,
    inputCrc32: row.input_crc32,
    inputsClosedAtMs: row.inputs_closed_at_ms,
    paused: row.paused === 1,
    keep: row.keep === 1,
    // Only states of this type are ever written.
    state: row.state as JobState,
    completed: row.completed,
    failed: row.failed,
    cancelled: row.cancelled,
    nextSettleSeq: row.next_settle_seq,
    createdAtMs: row.created_at_ms,
    notBeforeMs: row.not_before_ms,
    finishedAtMs: row.finished_at_ms,
    runUs: row.run_us,
  };
}

/** Instants are stored in whole milliseconds. */
export function wholeMs(atMs: number): number;
export function wholeMs(atMs: number | null): number | null;
export function wholeMs(atMs: number | null): number | null {
  return atMs === null ? null : Math.round(atMs);
}

/** The bundle that a job runs, as the 32 bytes of its name. */
export function bundleBytesOf(spec: JobSpec): Uint8Array | null {
  return spec.work.kind === "function" ? sha256Bytes(spec.work.bundle_sha256) : null;
}

export function sha256Bytes(sha256: string): Uint8Array {
  return new Uint8Array(Buffer.from(sha256, "hex"));
}

function specValues({ spec, specVersion }: JobFacts): SqlValue[] {
  const { name, note, queue, priority } = spec;
  return [name, note, queue, priority, bundleBytesOf(spec), specVersion, JSON.stringify(spec)];
}

function progressValues(facts: JobFacts): SqlValue[] {
  return [
    facts.resumable ? 1 : 0,
    facts.inputCount,
    facts.inputCrc32,
    wholeMs(facts.inputsClosedAtMs),
    facts.paused ? 1 : 0,
    facts.keep ? 1 : 0,
    facts.state,
    facts.completed,
    facts.failed,
    facts.cancelled,
    facts.nextSettleSeq,
    wholeMs(facts.notBeforeMs),
    wholeMs(facts.finishedAtMs),
    Math.round(facts.runUs),
  ];
}

function parseSpec(row: JobRow): JobSpec {
  try {
    // Checked against the schema when it was submitted; the row is ours since.
    return JSON.parse(row.spec) as JobSpec;
  } catch {
    throw new DamagedRow(`the options of job ${row.job_id} are no JSON`);
  }
}
