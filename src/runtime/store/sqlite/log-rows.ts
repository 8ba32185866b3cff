/** Rows of the settlement log: their SQL, what is bound to them and what they read back as. */

import type { SqlValue } from "../../platform/sqlite-driver.ts";
import { asBootId, asWorkerId, type JobId } from "../../protocol/ids.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { Settlement } from "../../scheduler/foreman/facts.ts";
import { type RestCancelled, sketchOfRest } from "../settlement-chunk.ts";
import type { LogHeader } from "../settlement-fold.ts";
import type { SettlementChunk, SettlementSketch } from "../store.ts";
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

export const SETTLEMENT_INSERT = `
  insert into settlement(job_id, seq, kind, status, task_count, first_index, last_index,
    worker_id, boot_id, settled_at_ms, indexes, attempts, run_us, lengths, data)
  values (?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Headers in the order of the log, without touching the pages of values. */
export const SETTLEMENT_LIST_HEADERS = `
  select seq, kind, status, task_count, first_index, last_index, indexes, attempts
  from settlement
  where job_id = ? and seq > ? and seq < ?
  order by seq
  limit ?`;

/** As SETTLEMENT_LIST_HEADERS, but only rows that may name this index. */
export const SETTLEMENT_LIST_HEADERS_AROUND = `
  select seq, kind, status, task_count, first_index, last_index, indexes, attempts
  from settlement
  where job_id = ? and seq > ? and seq <= ? and first_index <= ? and last_index >= ?
  order by seq`;

export const SETTLEMENT_LAST_SEQ = `
  select max(seq) as seq
  from settlement
  where job_id = ?`;

const SETTLEMENT_COLUMNS = `
  seq, kind, status, task_count, first_index, last_index, worker_id, boot_id, settled_at_ms,
  indexes, attempts, run_us, lengths, data`;

export const SETTLEMENT_GET = `
  select ${SETTLEMENT_COLUMNS}
  from settlement
  where job_id = ? and seq = ?`;

export const SETTLEMENT_GET_NEXT = `
  select ${SETTLEMENT_COLUMNS}
  from settlement
  where job_id = ? and seq >= ? and kind <> 'reopen'
  order by seq
  limit 1`;

/** Results that completed stay on their pages. */
export const SETTLEMENT_SKETCH_NEXT = `
  select seq, kind, status, task_count, first_index, last_index, worker_id, boot_id, settled_at_ms,
    indexes, attempts, run_us,
    case status when 'completed' then null else lengths end as lengths,
    case status when 'completed' then null else data end as data
  from settlement
  where job_id = ? and seq >= ? and kind <> 'reopen'
  order by seq
  limit 1`;

export interface HeaderRow {
  readonly seq: number;
  readonly kind: string;
  readonly status: string | null;
  readonly task_count: number;
  readonly first_index: number;
  readonly last_index: number;
  readonly indexes: Uint8Array | null;
  readonly attempts: Uint8Array | null;
}

export interface SettlementRow extends HeaderRow {
  readonly worker_id: string | null;
  readonly boot_id: string | null;
  readonly settled_at_ms: number;
  readonly run_us: Uint8Array | null;
  readonly lengths: Uint8Array | null;
  readonly data: Uint8Array | null;
}

/** First attempts are the usual ones, so they cost nothing. */
const IMPLIED_ATTEMPT = 1;
const IMPLIED_RUN_US = 0;

export function settledValues(settlement: Settlement): SqlValue[] {
  const { jobId, seq, status, count, workerId, bootId, settledAtMs, values } = settlement;
  const { first, last, indexes } = encodeIndexes(settlement.indexes, count);
  return [
    ...[jobId, seq, "settle", status, count, first, last, workerId, bootId, wholeMs(settledAtMs)],
    indexes,
    encodeU32(settlement.attempts, IMPLIED_ATTEMPT),
    encodeU32(settlement.runUs, IMPLIED_RUN_US),
    encodeU32(values.lengths, 0),
    values.data,
  ];
}

export function restCancelledValues(
  change: Extract<Change, { type: "restCancelled" }>,
): SqlValue[] {
  const { jobId, seq, count, inputCount, settledAtMs, value } = change;
  return [
    ...[jobId, seq, "rest_cancelled", "cancelled", count, 0, inputCount - 1, null, null],
    ...[wholeMs(settledAtMs), null, null, null, null, value],
  ];
}

export function reopenedValues(change: Extract<Change, { type: "reopened" }>): SqlValue[] {
  const { jobId, seq, atMs, count } = change;
  const { first, last, indexes } = encodeIndexes(change.indexes, count);
  return [
    ...[jobId, seq, "reopen", null, count, first, last, null, null],
    ...[wholeMs(atMs), indexes, null, null, null, null],
  ];
}

export function headerOfRow(row: HeaderRow): LogHeader {
  const { seq, task_count: count } = row;
  switch (row.kind) {
    case "settle":
      return {
        kind: "settle",
        seq,
        status: statusOf(row),
        count,
        indexes: decodeIndexes(row.indexes, row.first_index, count),
        attempts: decodeU32(row.attempts, count, IMPLIED_ATTEMPT),
      };
    case "reopen":
      return {
        kind: "reopen",
        seq,
        count,
        indexes: decodeIndexes(row.indexes, row.first_index, count),
      };
    case "rest_cancelled":
      return { kind: "rest_cancelled", seq, inputCount: row.last_index + 1 };
    default:
      throw new DamagedRow(`settlement ${seq} is of kind ${row.kind}`);
  }
}

export function settlementOfRow(jobId: JobId, row: SettlementRow): SettlementChunk {
  const { seq, task_count: count } = row;
  return {
    jobId,
    seq,
    status: statusOf(row),
    workerId: asWorkerId(row.worker_id ?? ""),
    bootId: asBootId(row.boot_id ?? ""),
    settledAtMs: row.settled_at_ms,
    count,
    indexes: decodeIndexes(row.indexes, row.first_index, count),
    attempts: decodeU32(row.attempts, count, IMPLIED_ATTEMPT),
    runUs: decodeU32(row.run_us, count, IMPLIED_RUN_US),
    values: decodeValues(row.lengths, row.data, count),
    sharedValue: false,
  };
}

export function sketchOfRow(jobId: JobId, row: SettlementRow): SettlementSketch {
  if (row.kind === "rest_cancelled") return sketchOfRest(restCancelledOfRow(jobId, row));
  if (row.status !== "completed") return settlementOfRow(jobId, row);
  const { values: _none, ...told } = settlementOfRow(jobId, { ...row, lengths: null, data: null });
  return { ...told, values: null };
}

export function restCancelledOfRow(jobId: JobId, row: SettlementRow): RestCancelled {
  return {
    jobId,
    seq: row.seq,
    inputCount: row.last_index + 1,
    settledAtMs: row.settled_at_ms,
    value: row.data === null ? new Uint8Array(0) : plainBytes(row.data),
  };
}

function statusOf(row: HeaderRow): Settlement["status"] {
  const { status } = row;
  if (status === "completed" || status === "failed" || status === "cancelled") return status;
  throw new DamagedRow(`settlement ${row.seq} has the status ${status}`);
}
