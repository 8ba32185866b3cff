/** The smaller rows: assignments, inputs, exceptions, ended attempts, workers, events. */

import type { SqlValue } from "../../platform/sqlite-driver.ts";
import { asAssignmentId, asBootId, asJobId, asWorkerId, type JobId } from "../../protocol/ids.ts";
import type { WorkerOffer } from "../../protocol/job-spec.ts";
import type { AttemptEndFacts, Change, EventFacts } from "../../scheduler/foreman/changes.ts";
import type {
  AssignmentFacts,
  TaskExceptionFacts,
  WorkerFacts,
} from "../../scheduler/foreman/facts.ts";
import type { AttemptEndRow, EventRowFacts, InputChunk } from "../store.ts";
import {
  DamagedRow,
  decodeIndexes,
  decodeU32,
  decodeValues,
  encodeIndexes,
  encodeU32,
  plainBytes,
} from "./binary-columns.ts";
import { wholeMs } from "./job-rows.ts";

export const INPUT_CHUNK_INSERT = `
  insert into input_chunk(job_id, first_index, task_count, lengths, data)
  values (?, ?, ?, ?, ?)`;

/** `length` of a blob reads no page of it. */
export const INPUT_CHUNK_LIST_SIZES = `
  select first_index, length(data) as byte_count
  from input_chunk
  where job_id = ?
  order by first_index`;

export const INPUT_CHUNK_GET_AT = `
  select first_index, task_count, lengths, data
  from input_chunk
  where job_id = ? and first_index <= ?
  order by first_index desc
  limit 1`;

export interface InputChunkRow {
  readonly first_index: number;
  readonly task_count: number;
  readonly lengths: Uint8Array;
  readonly data: Uint8Array;
}

export function inputChunkValues(change: Extract<Change, { type: "inputsAppended" }>): SqlValue[] {
  const { jobId, firstIndex, count, values } = change;
  return [jobId, firstIndex, count, encodeU32(values.lengths, null), values.data];
}

export function inputChunkOfRow(row: InputChunkRow): InputChunk {
  const { first_index: firstIndex, task_count: count } = row;
  return { firstIndex, count, values: decodeValues(row.lengths, row.data, count) };
}

export const ASSIGNMENT_INSERT = `
  insert into assignment(assignment_id, job_id, worker_id, boot_id, task_count, first_index,
    indexes, attempts, assigned_at_ms)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const ASSIGNMENT_SHRINK = `
  update assignment
  set task_count = ?, first_index = ?, indexes = ?, attempts = ?
  where assignment_id = ?`;

export const ASSIGNMENT_DELETE = `
  delete from assignment
  where assignment_id = ?`;

export const ASSIGNMENT_LIST = `
  select assignment_id, job_id, worker_id, boot_id, task_count, first_index, indexes, attempts,
    assigned_at_ms
  from assignment
  order by assignment_id`;

export interface AssignmentRow {
  readonly assignment_id: number;
  readonly job_id: number;
  readonly worker_id: string;
  readonly boot_id: string;
  readonly task_count: number;
  readonly first_index: number;
  readonly indexes: Uint8Array | null;
  readonly attempts: Uint8Array | null;
  readonly assigned_at_ms: number;
}

type AssignedTasks = Pick<AssignmentFacts, "count" | "indexes" | "attempts">;

function assignedTaskValues({ count, indexes, attempts }: AssignedTasks): SqlValue[] {
  const encoded = encodeIndexes(indexes, count);
  return [count, encoded.first, encoded.indexes, encodeU32(attempts, 1)];
}

export function assignmentValues(assignment: AssignmentFacts): SqlValue[] {
  const { assignmentId, jobId, workerId, bootId, assignedAtMs } = assignment;
  const tasks = assignedTaskValues(assignment);
  return [assignmentId, jobId, workerId, bootId, ...tasks, wholeMs(assignedAtMs)];
}

export function assignmentShrinkValues(assignmentId: number, remaining: AssignedTasks): SqlValue[] {
  return [...assignedTaskValues(remaining), assignmentId];
}

export function assignmentOfRow(row: AssignmentRow): AssignmentFacts {
  const { task_count: count } = row;
  return {
    assignmentId: asAssignmentId(row.assignment_id),
    jobId: asJobId(row.job_id),
    workerId: asWorkerId(row.worker_id),
    bootId: asBootId(row.boot_id),
    count,
    indexes: decodeIndexes(row.indexes, row.first_index, count),
    attempts: decodeU32(row.attempts, count, 1),
    assignedAtMs: row.assigned_at_ms,
  };
}

export const TASK_EXCEPTION_PUT = `
  insert or replace into task_exception(job_id, task_index, attempt, failures, crashes, losses,
    not_before_ms)
  values (?, ?, ?, ?, ?, ?, ?)`;

export const TASK_EXCEPTION_DELETE = `
  delete from task_exception
  where job_id = ? and task_index = ?`;

export const TASK_EXCEPTION_LIST = `
  select task_index, attempt, failures, crashes, losses, not_before_ms
  from task_exception
  where job_id = ?
  order by task_index`;

export interface TaskExceptionRow {
  readonly task_index: number;
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  readonly losses: number;
  readonly not_before_ms: number | null;
}

export function taskExceptionValues(jobId: JobId, facts: TaskExceptionFacts): SqlValue[] {
  const { index, attempt, failures, crashes, losses, notBeforeMs } = facts;
  return [jobId, index, attempt, failures, crashes, losses, wholeMs(notBeforeMs)];
}

export function taskExceptionOfRow(row: TaskExceptionRow): TaskExceptionFacts {
  const { task_index: index, attempt, failures, crashes, losses } = row;
  return { index, attempt, failures, crashes, losses, notBeforeMs: row.not_before_ms };
}

export const ATTEMPT_END_PUT = `
  insert or replace into attempt_end(job_id, task_index, attempt, outcome, code, worker_id, boot_id,
    run_us, ended_at_ms, error)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const ATTEMPT_END_COUNT = `
  select count(*) as row_count
  from attempt_end
  where job_id = ?`;

const ATTEMPT_END_COLUMNS = `
  task_index, attempt, outcome, code, worker_id, boot_id, run_us, ended_at_ms, error`;

export const ATTEMPT_END_LIST = `
  select ${ATTEMPT_END_COLUMNS}
  from attempt_end
  where job_id = ?
  order by task_index, attempt
  limit ?`;

export const ATTEMPT_END_LIST_OF_TASK = `
  select ${ATTEMPT_END_COLUMNS}
  from attempt_end
  where job_id = ? and task_index = ?
  order by attempt
  limit ?`;

export interface AttemptEndStored {
  readonly task_index: number;
  readonly attempt: number;
  readonly outcome: string;
  readonly code: string | null;
  readonly worker_id: string;
  readonly boot_id: string;
  readonly run_us: number | null;
  readonly ended_at_ms: number;
  readonly error: Uint8Array | null;
}

export function attemptEndValues(jobId: JobId, facts: AttemptEndFacts): SqlValue[] {
  const { index, attempt, outcome, code, workerId, bootId, runUs, endedAtMs, error } = facts;
  const run = runUs === null ? null : Math.round(runUs);
  return [jobId, index, attempt, outcome, code, workerId, bootId, run, wholeMs(endedAtMs), error];
}

export function attemptEndOfRow(jobId: JobId, row: AttemptEndStored): AttemptEndRow {
  const { outcome } = row;
  if (outcome !== "failed" && outcome !== "lost" && outcome !== "cancelled") {
    throw new DamagedRow(`an attempt of task ${jobId}/${row.task_index} ended as ${outcome}`);
  }
  return {
    jobId,
    index: row.task_index,
    attempt: row.attempt,
    outcome,
    code: row.code,
    workerId: asWorkerId(row.worker_id),
    bootId: asBootId(row.boot_id),
    runUs: row.run_us,
    endedAtMs: row.ended_at_ms,
    error: row.error === null ? null : plainBytes(row.error),
  };
}

export const WORKER_PUT = `
  insert or replace into worker(worker_id, boot_id, offer, paused, first_seen_at_ms,
    last_seen_at_ms, set_aside_until_ms)
  values (?, ?, ?, ?, ?, ?, ?)`;

export const WORKER_DELETE = `
  delete from worker
  where worker_id = ?`;

const WORKER_COLUMNS = `
  worker_id, boot_id, offer, paused, first_seen_at_ms, last_seen_at_ms, set_aside_until_ms`;

export const WORKER_GET = `
  select ${WORKER_COLUMNS}
  from worker
  where worker_id = ?`;

export const WORKER_LIST = `
  select ${WORKER_COLUMNS}
  from worker
  order by worker_id`;

export interface WorkerRow {
  readonly worker_id: string;
  readonly boot_id: string;
  readonly offer: string;
  readonly paused: number;
  readonly first_seen_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly set_aside_until_ms: number | null;
}

export function workerValues(worker: WorkerFacts): SqlValue[] {
  const { workerId, bootId, offer, paused } = worker;
  return [
    ...[workerId, bootId, JSON.stringify(offer), paused ? 1 : 0],
    wholeMs(worker.firstSeenAtMs),
    wholeMs(worker.lastSeenAtMs),
    wholeMs(worker.setAsideUntilMs),
  ];
}

export function workerOfRow(row: WorkerRow): WorkerFacts {
  return {
    workerId: asWorkerId(row.worker_id),
    bootId: asBootId(row.boot_id),
    offer: parseOffer(row),
    paused: row.paused === 1,
    firstSeenAtMs: row.first_seen_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
    setAsideUntilMs: row.set_aside_until_ms,
  };
}

export const EVENT_INSERT = `
  insert into event(at_ms, kind, job_id, task_index, worker_id, body)
  values (?, ?, ?, ?, ?, ?)`;

/** Those of a removed job are on their way out and nobody's any more. */
const EVENT_IS_KEPT =
  "not exists (select 1 from removed_job where removed_job.job_id = event.job_id)";

export const EVENT_LIST = `
  select seq, at_ms, kind, job_id, task_index, worker_id, body
  from event
  where seq > ? and ${EVENT_IS_KEPT}
  order by seq
  limit ?`;

/** A null worker means any. A job has few events, a worker perhaps those of thousands of jobs. */
export const EVENT_LIST_OF_JOB = `
  select seq, at_ms, kind, job_id, task_index, worker_id, body
  from event indexed by event_job
  where job_id = ? and seq > ? and (? is null or worker_id = ?) and ${EVENT_IS_KEPT}
  order by seq
  limit ?`;

export const EVENT_LIST_OF_WORKER = `
  select seq, at_ms, kind, job_id, task_index, worker_id, body
  from event
  where worker_id = ? and seq > ? and ${EVENT_IS_KEPT}
  order by seq
  limit ?`;

/** Autoincrement remembers the largest number ever, also when its event is forgotten. */
export const EVENT_LAST_SEQ = `
  select seq
  from sqlite_sequence
  where name = 'event'`;

export const EVENT_OLDEST_FREE = `
  select seq
  from event
  where seq >= ? and job_id is null
  order by seq
  limit 1`;

export const EVENT_LAST_AT = `
  select at_ms
  from event
  order by seq desc
  limit 1`;

export interface EventRow {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly job_id: number | null;
  readonly task_index: number | null;
  readonly worker_id: string | null;
  readonly body: string;
}

export function eventValues(event: EventFacts): SqlValue[] {
  const { atMs, kind, jobId, index, workerId, body } = event;
  return [wholeMs(atMs), kind, jobId, index, workerId, body];
}

export function eventOfRow(row: EventRow): EventRowFacts {
  return {
    seq: row.seq,
    atMs: row.at_ms,
    kind: row.kind,
    jobId: row.job_id === null ? null : asJobId(row.job_id),
    index: row.task_index,
    workerId: row.worker_id === null ? null : asWorkerId(row.worker_id),
    body: row.body,
  };
}

function parseOffer(row: WorkerRow): WorkerOffer {
  try {
    // Checked against the schema when the worker presented it; the row is ours since.
    return JSON.parse(row.offer) as WorkerOffer;
  } catch {
    throw new DamagedRow(`the offer of worker ${row.worker_id} is no JSON`);
  }
}
