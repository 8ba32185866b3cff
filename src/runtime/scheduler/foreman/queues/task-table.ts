/**
 * A live job's tasks in typed arrays: 7 bytes a task, and 6 more once something exceptional happened
 * to any of them. No object per task, ever. Which task is where:
 *
 *   queued     -> ready-queue.ts (the cursor or the requeued ones); `alone`: must have a worker to itself
 *   delayed    -> the queue's heap of back-offs
 *   running    -> a live row of exactly one assignment
 *   completed, failed, cancelled -> the settlement `seq`
 */
import type { TaskExceptionFacts } from "../facts.ts";

export const TASK_QUEUED = 0;
/** Queued, and suspected of taking workers down: it runs without company. */
export const TASK_ALONE = 1;
export const TASK_DELAYED = 2;
export const TASK_RUNNING = 3;
export const TASK_COMPLETED = 4;
export const TASK_FAILED = 5;
export const TASK_CANCELLED = 6;
export const TASK_STATE_COUNT = 7;

export const isSettledState = (state: number): boolean => state >= TASK_COMPLETED;

/** Attempts are numbered in 16 bits; a task that reaches the last number is not tried again. */
export const ATTEMPT_MAX = 0xffff;

export interface TaskTable {
  /** Tasks known; the arrays may be longer. */
  count: number;
  state: Uint8Array;
  /** The last attempt begun; 0: none. */
  attempt: Uint16Array;
  /** The settlement that holds the result; 0: none. */
  seq: Uint32Array;
  /** null while every task had an ordinary life. */
  trouble: TroubleColumns | null;
}

export interface TroubleColumns {
  failures: Uint16Array;
  crashes: Uint16Array;
  losses: Uint16Array;
  /** 1: the task has a row of its own in the store. */
  isRecorded: Uint8Array;
}

const CAPACITY_MIN = 16;

export function createTaskTable(count: number): TaskTable {
  const table: TaskTable = {
    count: 0,
    state: new Uint8Array(0),
    attempt: new Uint16Array(0),
    seq: new Uint32Array(0),
    trouble: null,
  };
  if (count > 0) resize(table, count);
  table.count = count;
  return table;
}

/** New tasks are queued. */
export function addTasks(table: TaskTable, count: number): void {
  const needed = table.count + count;
  if (needed > table.state.length) {
    resize(table, Math.max(CAPACITY_MIN, needed, table.state.length * 2));
  }
  table.count = needed;
}

/** No task follows: gives back the room that doubling left over. */
export function trimTasks(table: TaskTable): void {
  if (table.state.length > table.count) resize(table, table.count);
}

/** The columns of exceptional tasks, made when the first one needs them. */
export function troubleOf(table: TaskTable): TroubleColumns {
  const capacity = table.state.length;
  table.trouble ??= {
    failures: new Uint16Array(capacity),
    crashes: new Uint16Array(capacity),
    losses: new Uint16Array(capacity),
    isRecorded: new Uint8Array(capacity),
  };
  return table.trouble;
}

/** The task's row as the store keeps it. */
export function exceptionFacts(
  table: TaskTable,
  index: number,
  notBeforeMs: number | null,
): TaskExceptionFacts {
  const trouble = table.trouble;
  return {
    index,
    attempt: table.attempt[index] as number,
    failures: trouble?.failures[index] ?? 0,
    crashes: trouble?.crashes[index] ?? 0,
    losses: trouble?.losses[index] ?? 0,
    notBeforeMs,
  };
}

function resize(table: TaskTable, capacity: number): void {
  table.state = resizedU8(table.state, capacity);
  table.attempt = resizedU16(table.attempt, capacity);
  const seq = new Uint32Array(capacity);
  seq.set(table.seq.subarray(0, capacity));
  table.seq = seq;
  const { trouble } = table;
  if (trouble === null) return;
  trouble.failures = resizedU16(trouble.failures, capacity);
  trouble.crashes = resizedU16(trouble.crashes, capacity);
  trouble.losses = resizedU16(trouble.losses, capacity);
  trouble.isRecorded = resizedU8(trouble.isRecorded, capacity);
}

function resizedU8(column: Uint8Array, capacity: number): Uint8Array {
  const resized = new Uint8Array(capacity);
  resized.set(column.subarray(0, capacity));
  return resized;
}

function resizedU16(column: Uint16Array, capacity: number): Uint16Array {
  const resized = new Uint16Array(capacity);
  resized.set(column.subarray(0, capacity));
  return resized;
}
