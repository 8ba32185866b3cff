/**
 * What the agent tells the foreman about tasks, kept until it is acknowledged and sent again after a
 * reconnect. Results are gathered for some milliseconds while others are being produced, so that a busy
 * worker speaks in large groups and a lone result never waits.
 */
import {
  compactIndexes,
  compactU32,
  concatU32,
  concatValues,
  expandIndexes,
  type IndexColumn,
  indexAt,
} from "../../protocol/columns.ts";
import { BATCH_TASKS_MAX } from "../../protocol/limits.ts";
import { settleReported } from "./assignments.ts";
import type { AgentEffect, EventOf } from "./events.ts";
import { dropSpooled, isWorthSpooling, spoolReport } from "./spooling.ts";
import type { AgentState, Assignment, PendingResults, Report, ReportMessage } from "./state.ts";

/** Shorter gaps cost the foreman more per message than they save in delay. */
export const FLUSH_INTERVAL_MS = 2;
/** While more tasks wait here nobody is held up by a result: each message costs the foreman a commit. */
export const FLUSH_INTERVAL_BUSY_MS = 50;
/** A message of results closes at so many bytes; one result alone may be larger. */
export const REPORT_BYTES_MAX = 4 * 1024 * 1024;
/** Nothing new is started while so much waits for acknowledgement. */
export const UNACKNOWLEDGED_BYTES_MAX = 64 * 1024 * 1024;
export const UNACKNOWLEDGED_ROWS_MAX = 262_144;

type Unnumbered<M> = M extends ReportMessage ? Omit<M, "seq"> : never;

export interface ReportFields {
  readonly message: Unnumbered<ReportMessage>;
  readonly assignment: Assignment | null;
  readonly rows: readonly IndexColumn[];
  readonly counts: readonly number[];
  readonly endedAtMs: number;
  readonly byteCount: number;
  readonly rowCount: number;
}

/** Room for further work: without it results would pile up while the foreman is away. */
export function hasReportRoom(state: AgentState): boolean {
  return (
    state.unacknowledgedBytes + state.pendingBytes < UNACKNOWLEDGED_BYTES_MAX &&
    state.unacknowledgedRows + state.pendingRows < UNACKNOWLEDGED_ROWS_MAX
  );
}

/** Sends what is gathered if it is time, or says in `flushAtMs` when it will be. */
export function flushWhenDue(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  if (state.pending.size === 0) return;
  const intervalMs = state.waitingCount > 0 ? FLUSH_INTERVAL_BUSY_MS : FLUSH_INTERVAL_MS;
  const dueAtMs = state.lastFlushAtMs + intervalMs;
  const isAlone = state.batches.size === 0;
  if (isAlone || atMs >= dueAtMs || state.pendingBytes >= REPORT_BYTES_MAX) {
    flushResults(state, atMs, effects);
  } else state.flushAtMs = dueAtMs;
}

export function flushResults(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  if (state.pending.size === 0) return;
  for (const pending of state.pending.values()) sendPending(state, pending, atMs, effects);
  state.pending.clear();
  state.pendingBytes = 0;
  state.pendingRows = 0;
  state.flushAtMs = null;
  state.lastFlushAtMs = atMs;
}

/** Finished rows, at most BATCH_TASKS_MAX and REPORT_BYTES_MAX unless it is a single one. */
export interface FinishedRows {
  readonly assignment: Assignment;
  readonly status: "completed" | "failed";
  /** Of the assignment. */
  readonly rows: IndexColumn;
  readonly count: number;
  readonly runUs: PendingResults["runUs"][number];
  readonly attempts: PendingResults["attempts"][number];
  readonly permanent: PendingResults["permanent"][number];
  readonly codes: readonly string[] | null;
  readonly values: PendingResults["values"][number];
}

/** Adds to the group of the same assignment and status; sends that one first when it is full. */
export function gatherResults(
  state: AgentState,
  finished: FinishedRows,
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignment, status, count } = finished;
  const key = `${assignment.assignmentId} ${status}`;
  const byteCount = finished.values.data.byteLength;
  let pending = state.pending.get(key);
  if (pending && isFull(pending, count, byteCount)) {
    state.pending.delete(key);
    state.pendingBytes -= pending.byteCount;
    state.pendingRows -= pending.totalCount;
    sendPending(state, pending, atMs, effects);
    pending = undefined;
  }
  if (!pending) {
    pending = openPending(assignment, status, atMs);
    state.pending.set(key, pending);
  }
  pending.rows.push(finished.rows);
  pending.indexes.push(indexesOf(assignment, finished.rows, count));
  pending.counts.push(count);
  pending.attempts.push(finished.attempts);
  pending.runUs.push(finished.runUs);
  pending.permanent.push(finished.permanent);
  pending.values.push(finished.values);
  if (finished.codes) for (const code of finished.codes) pending.codes.push(code);
  pending.totalCount += count;
  pending.byteCount += byteCount;
  state.pendingBytes += byteCount;
  state.pendingRows += count;
}

function isFull(pending: PendingResults, count: number, byteCount: number): boolean {
  return (
    pending.totalCount + count > BATCH_TASKS_MAX || pending.byteCount + byteCount > REPORT_BYTES_MAX
  );
}

function openPending(
  assignment: Assignment,
  status: "completed" | "failed",
  atMs: number,
): PendingResults {
  return {
    assignment,
    status,
    indexes: [],
    rows: [],
    counts: [],
    attempts: [],
    runUs: [],
    permanent: [],
    codes: [],
    values: [],
    totalCount: 0,
    byteCount: 0,
    endedAtMs: atMs,
  };
}

function sendPending(
  state: AgentState,
  pending: PendingResults,
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignment, status, counts, totalCount } = pending;
  const message: Unnumbered<ReportMessage> = {
    type: "task_result",
    assignment: assignment.assignmentId,
    job_id: assignment.job.jobId,
    status,
    ...indexFields(joinIndexes(pending.indexes, counts, totalCount)),
    count: totalCount,
    attempt: compactU32(concatU32(pending.attempts, counts)),
    run_us: concatU32(pending.runUs, counts),
    ended_ago_us: 0,
    value: concatValues(pending.values, counts),
    ...(status === "failed"
      ? { code: pending.codes, permanent: compactU32(concatU32(pending.permanent, counts)) }
      : {}),
  };
  addReport(
    state,
    {
      message,
      assignment,
      rows: pending.rows,
      counts,
      endedAtMs: pending.endedAtMs,
      byteCount: pending.byteCount,
      rowCount: totalCount,
    },
    atMs,
    effects,
  );
}

/** Numbers a report, keeps it, and sends it if somebody listens. */
export function addReport(
  state: AgentState,
  fields: ReportFields,
  atMs: number,
  effects: AgentEffect[],
): void {
  const report = keepReport(state, fields, null);
  // First to the foreman: its acknowledgement is worth more than our disk, and comes sooner.
  if (state.connection.kind === "up") sendReport(report, atMs, effects);
  if (isWorthSpooling(state, report.message)) spoolReport(state, report, effects);
}

/** Numbers a report and keeps it until it is acknowledged. */
export function keepReport(
  state: AgentState,
  fields: ReportFields,
  spoolId: number | null,
): Report {
  const seq = state.nextReportSeq++;
  const report: Report = { ...fields, message: { ...fields.message, seq }, spoolId };
  state.unacknowledged.push(report);
  state.unacknowledgedBytes += report.byteCount;
  state.unacknowledgedRows += report.rowCount;
  return report;
}

export function sendReport(report: Report, atMs: number, effects: AgentEffect[]): void {
  const { message, endedAtMs } = report;
  if (message.type !== "task_result") {
    effects.push({ type: "sendMessage", message });
    return;
  }
  // A worker sends durations, never instants; after a reconnect this one has grown.
  const endedAgoUs = Math.min(0xffffffff, Math.round((atMs - endedAtMs) * 1000));
  effects.push({ type: "sendMessage", message: { ...message, ended_ago_us: endedAgoUs } });
}

/** Tasks that go back to the foreman: never started, or `aborted`. The rows are REPORTED already. */
export function returnTasks(
  state: AgentState,
  returned: {
    readonly assignment: Assignment;
    readonly rows: readonly number[];
    readonly reason: string;
    /** Of the revocation that this answers. */
    readonly request?: number;
  },
  atMs: number,
  effects: AgentEffect[],
): void {
  const { assignment, reason, request } = returned;
  const rows = Uint32Array.from(returned.rows);
  const message: Unnumbered<ReportMessage> = {
    type: "tasks_returned",
    ...(request === undefined ? {} : { request }),
    assignment: assignment.assignmentId,
    index: rows.map((row) => indexAt(assignment.indexes, row)),
    reason,
  };
  const rowCount = rows.length;
  const kept = { assignment, rows: [rows], counts: [rowCount], byteCount: 0, rowCount };
  addReport(state, { message, ...kept, endedAtMs: atMs }, atMs, effects);
}

/** A report about tasks that concern this worker no more: it changes no row. */
export function addNotice(
  state: AgentState,
  message: Unnumbered<ReportMessage>,
  atMs: number,
  effects: AgentEffect[],
): void {
  const kept = { assignment: null, rows: [], counts: [], byteCount: 0, rowCount: 0 };
  addReport(state, { message, ...kept, endedAtMs: atMs }, atMs, effects);
}

/** Cumulative: everything up to `seq` is recorded. A number never sent is the world's fault. */
export function onReportsAcknowledged(
  state: AgentState,
  { seq }: EventOf<"reportsAcknowledged">,
  effects: AgentEffect[],
): void {
  const done: Report[] = [];
  for (const report of state.unacknowledged) {
    if (report.message.seq > seq) break;
    done.push(report);
    state.acknowledgedSeq = report.message.seq;
    state.unacknowledgedBytes -= report.byteCount;
    state.unacknowledgedRows -= report.rowCount;
    const { assignment, rows, counts } = report;
    if (assignment === null) continue;
    for (const [i, column] of rows.entries()) {
      settleReported(state, assignment, column, counts[i] as number);
    }
  }
  if (done.length > 0) state.unacknowledged.splice(0, done.length);
  dropSpooled(done, effects);
}

/** The session they belong to is over; what of it is spooled is the caller's matter. */
export function forgetReports(state: AgentState): void {
  state.pending.clear();
  state.pendingBytes = 0;
  state.pendingRows = 0;
  state.flushAtMs = null;
  state.unacknowledged = [];
  state.unacknowledgedBytes = 0;
  state.unacknowledgedRows = 0;
  state.nextReportSeq = 1;
  state.acknowledgedSeq = 0;
}

function indexesOf(assignment: Assignment, rows: IndexColumn, count: number): IndexColumn {
  const { indexes } = assignment;
  if (!(rows instanceof Uint32Array)) {
    if (!(indexes instanceof Uint32Array)) return { first: indexes.first + rows.first };
    return indexes.subarray(rows.first, rows.first + count);
  }
  return rows.map((row) => indexAt(indexes, row));
}

/** Stays a stretch when all parts follow one another. */
function joinIndexes(
  columns: readonly IndexColumn[],
  counts: readonly number[],
  total: number,
): IndexColumn {
  const first = columns[0] ?? { first: 0 };
  if (isOneStretch(columns, counts)) return first;
  if (columns.length === 1) return compactIndexes(first as Uint32Array);
  const joined = new Uint32Array(total);
  let at = 0;
  for (const [i, column] of columns.entries()) {
    const count = counts[i] as number;
    joined.set(expandIndexes(column, count), at);
    at += count;
  }
  return compactIndexes(joined);
}

function isOneStretch(columns: readonly IndexColumn[], counts: readonly number[]): boolean {
  let next: number | null = null;
  for (const [i, column] of columns.entries()) {
    if (column instanceof Uint32Array || (next !== null && column.first !== next)) return false;
    next = column.first + (counts[i] as number);
  }
  return true;
}

function indexFields(indexes: IndexColumn): { first_index: number } | { index: Uint32Array } {
  return indexes instanceof Uint32Array ? { index: indexes } : { first_index: indexes.first };
}
