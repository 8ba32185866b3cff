/**
 * The fold of a job's settlement log: which tasks are settled, by which attempt and by which row. Both
 * stores use it, so that a restart, a reader and the simulator agree on what the log means. It reads
 * headers only, never values, and allocates nothing per task but the three columns of the fold.
 */
import { compactIndexes, type IndexColumn, type U32Column } from "../protocol/columns.ts";
import { assertNever } from "../protocol/error.ts";
import {
  type JobFold,
  SETTLED_CANCELLED,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
  SETTLED_NONE,
  type Settlement,
} from "../scheduler/foreman/facts.ts";

/** A row of the log without its values. */
export type LogHeader =
  | {
      readonly kind: "settle";
      readonly seq: number;
      readonly status: Settlement["status"];
      readonly count: number;
      readonly indexes: IndexColumn;
      readonly attempts: U32Column;
    }
  | {
      readonly kind: "reopen";
      readonly seq: number;
      readonly count: number;
      readonly indexes: IndexColumn;
    }
  /** Covers every task below `inputCount` that no earlier row settled. */
  | { readonly kind: "rest_cancelled"; readonly seq: number; readonly inputCount: number };

/** Attempts are kept in 16 bits; a task tried more often than that stays at the last number. */
const ATTEMPT_MAX = 0xffff;

/** A fold in which nothing is settled yet. */
export function createFold(inputCount: number): JobFold {
  return {
    status: new Uint8Array(inputCount),
    attempt: new Uint16Array(inputCount),
    seq: new Uint32Array(inputCount),
  };
}

/** Applies the next row of the log; rows must come in the order of `seq`. */
export function foldRow(fold: JobFold, row: LogHeader): void {
  switch (row.kind) {
    case "settle":
      foldSettled(fold, row);
      return;
    case "reopen":
      foldReopened(fold, row);
      return;
    case "rest_cancelled":
      foldRestCancelled(fold, row);
      return;
    default:
      assertNever(row, "settlement row");
  }
}

/** The tasks below `inputCount` that nothing has settled: what cancelling the rest would cover. */
export function unsettledIndexes(
  fold: JobFold,
  inputCount: number,
): { readonly count: number; readonly indexes: IndexColumn } {
  const indexes = new Uint32Array(Math.min(inputCount, fold.status.length));
  let count = 0;
  for (let index = 0; index < indexes.length; index++) {
    if (fold.status[index] === SETTLED_NONE) indexes[count++] = index;
  }
  return { count, indexes: compactIndexes(indexes.slice(0, count)) };
}

type SettleHeader = Extract<LogHeader, { kind: "settle" }>;
type ReopenHeader = Extract<LogHeader, { kind: "reopen" }>;
type RestHeader = Extract<LogHeader, { kind: "rest_cancelled" }>;

// Writes beyond the end of a typed array are dropped and `fill` is clipped, so a row that names a
// task the job does not have harms nothing.

function foldSettled(fold: JobFold, row: SettleHeader): void {
  const status = settledStatus(row.status);
  const { count, indexes, attempts } = row;
  if (!(indexes instanceof Uint32Array)) {
    const end = indexes.first + count;
    fold.status.fill(status, indexes.first, end);
    fold.seq.fill(row.seq, indexes.first, end);
    if (typeof attempts === "number") {
      fold.attempt.fill(Math.min(attempts, ATTEMPT_MAX), indexes.first, end);
      return;
    }
    for (let i = 0; i < count; i++) {
      fold.attempt[indexes.first + i] = Math.min(attempts[i] as number, ATTEMPT_MAX);
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const index = indexes[i] as number;
    const attempt = typeof attempts === "number" ? attempts : (attempts[i] as number);
    fold.status[index] = status;
    fold.seq[index] = row.seq;
    fold.attempt[index] = Math.min(attempt, ATTEMPT_MAX);
  }
}

/** Attempt numbers stay: they go on when the task runs again. */
function foldReopened(fold: JobFold, row: ReopenHeader): void {
  const { count, indexes } = row;
  if (!(indexes instanceof Uint32Array)) {
    fold.status.fill(SETTLED_NONE, indexes.first, indexes.first + count);
    fold.seq.fill(0, indexes.first, indexes.first + count);
    return;
  }
  for (let i = 0; i < count; i++) {
    const index = indexes[i] as number;
    fold.status[index] = SETTLED_NONE;
    fold.seq[index] = 0;
  }
}

function foldRestCancelled(fold: JobFold, row: RestHeader): void {
  const end = Math.min(row.inputCount, fold.status.length);
  for (let index = 0; index < end; index++) {
    if (fold.status[index] !== SETTLED_NONE) continue;
    fold.status[index] = SETTLED_CANCELLED;
    fold.seq[index] = row.seq;
  }
}

function settledStatus(status: Settlement["status"]): number {
  switch (status) {
    case "completed":
      return SETTLED_COMPLETED;
    case "failed":
      return SETTLED_FAILED;
    case "cancelled":
      return SETTLED_CANCELLED;
    default:
      return assertNever(status, "settlement status");
  }
}
