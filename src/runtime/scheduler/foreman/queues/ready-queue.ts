/**
 * Which of a job's tasks come next. Fresh tasks are found by a cursor that only moves forward; tasks
 * that come back go into a heap, lowest index first, and are taken before fresh ones. A million
 * queued tasks therefore cost nothing beyond their table.
 *
 *   queued at or above the cursor -> found by the cursor        queued below it -> `requeued`
 *   alone (anywhere)              -> `alone`                    delayed         -> `delayed`
 */
import {
  compactIndexes,
  compactU32,
  type IndexColumn,
  type U32Column,
} from "../../../protocol/columns.ts";
import { assert } from "../../../protocol/error.ts";
import { FRAME_BYTES_MAX } from "../../../protocol/limits.ts";
import { chunkOf, type InputSizes } from "../jobs/inputs.ts";
import { countOf } from "../jobs/live-job.ts";
import { moveTask, noteMoved } from "../jobs/moves.ts";
import type { LiveJob } from "../state.ts";
import { popIndex, pushIndex } from "./index-heap.ts";
import {
  TASK_ALONE,
  TASK_DELAYED,
  TASK_QUEUED,
  TASK_RUNNING,
  type TaskTable,
} from "./task-table.ts";
import { earliestAtMs, keepOnly, popDue, pushAt } from "./time-heap.ts";

/** From so many crashes, or losses before a known start, on a task runs without company. */
export const ALONE_FROM_CRASHES = 2;
export const ALONE_FROM_LOSSES = 3;

/** Inputs of one assignment: half a message, or one input of any size. */
const ASSIGNMENT_BYTES_MAX = FRAME_BYTES_MAX / 2;

export interface TakenTasks {
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
}

/** The task, whatever it was, is queued. */
export function queueTask(job: LiveJob, index: number): void {
  const { tasks, queue } = job;
  const to = mustRunAlone(tasks, index) ? TASK_ALONE : TASK_QUEUED;
  moveTask(job, index, to);
  if (to === TASK_ALONE) pushIndex(queue.alone, index);
  else if (index < queue.cursor) pushIndex(queue.requeued, index);
}

/** The task waits until the instant. */
export function delayTask(job: LiveJob, index: number, notBeforeMs: number): void {
  moveTask(job, index, TASK_DELAYED);
  pushAt(job.queue.delayed, notBeforeMs, index);
}

/** Queues the tasks whose back-off is over; returns how many. */
export function releaseDelayed(job: LiveJob, nowMs: number): number {
  let released = 0;
  for (;;) {
    const index = popDue(job.queue.delayed, nowMs);
    if (index === undefined) return released;
    if (job.tasks.state[index] !== TASK_DELAYED) continue;
    queueTask(job, index);
    released++;
  }
}

/**
 * Forgets the back-offs of tasks that were cancelled meanwhile. Necessary before one of them lives again:
 * its next back-off would end with the old one.
 */
export function dropStaleDelays(job: LiveJob): void {
  const { delayed } = job.queue;
  // A delayed task has one entry.
  if (delayed.entries.length === countOf(job, TASK_DELAYED)) return;
  keepOnly(delayed, (index) => job.tasks.state[index] === TASK_DELAYED);
}

export const nextDelayedAtMs = (job: LiveJob): number => earliestAtMs(job.queue.delayed);

/**
 * Up to `countMax` queued tasks become running, in ascending order, each with its next attempt; fewer
 * when their inputs would not fit into one message, but at least one.
 */
export function takeReady(job: LiveJob, countMax: number): TakenTasks {
  const indexes = new Uint32Array(Math.min(countMax, countOf(job, TASK_QUEUED)));
  const taken = { indexes, count: 0, bytesLeft: ASSIGNMENT_BYTES_MAX };
  takeRequeued(job, taken);
  if (job.queue.requeued.count === 0) takeFresh(job, taken);
  const { count } = taken;
  const chosen = indexes.subarray(0, count);
  const column = compactIndexes(chosen);
  noteMoved(job, column, count, { from: TASK_QUEUED, to: TASK_RUNNING });
  return { count, indexes: column, attempts: beginAttempts(job.tasks, chosen) };
}

interface Taking {
  readonly indexes: Uint32Array;
  count: number;
  bytesLeft: number;
}

function takeRequeued({ tasks, queue, inputs }: LiveJob, taken: Taking): void {
  const { requeued } = queue;
  let chunk = -1;
  let chunkBytesLeft = 0;
  while (taken.count < taken.indexes.length && requeued.count > 0) {
    const index = requeued.entries[0] as number;
    if (tasks.state[index] !== TASK_QUEUED || index >= queue.cursor) {
      popIndex(requeued);
      continue;
    }
    const holder = chunkOf(inputs, index);
    if (holder !== chunk) chunkBytesLeft = inputs.bytes[holder] ?? 0;
    chunk = holder;
    // Together the inputs of a chunk are no larger than the chunk.
    const bytes = Math.min(chunkBytesLeft, inputs.largest[chunk] ?? 0);
    if (bytes > taken.bytesLeft && taken.count > 0) return;
    chunkBytesLeft -= bytes;
    taken.bytesLeft -= bytes;
    popIndex(requeued);
    tasks.state[index] = TASK_RUNNING;
    taken.indexes[taken.count++] = index;
  }
}

function takeFresh({ tasks, queue, inputs }: LiveJob, taken: Taking): void {
  const { state } = tasks;
  const { indexes } = taken;
  let cursor = queue.cursor;
  let chunk = chunkOf(inputs, cursor);
  while (taken.count < indexes.length && cursor < tasks.count) {
    const chunkEnd = inputs.first[chunk + 1] ?? tasks.count;
    const allowed = countWithin(inputs, chunk, taken);
    const before = taken.count;
    while (cursor < chunkEnd && taken.count < indexes.length && taken.count - before < allowed) {
      if (state[cursor] === TASK_QUEUED) {
        state[cursor] = TASK_RUNNING;
        indexes[taken.count++] = cursor;
      }
      cursor++;
    }
    const taking = taken.count - before;
    taken.bytesLeft -= Math.min(
      inputs.bytes[chunk] as number,
      taking * (inputs.largest[chunk] as number),
    );
    if (cursor < chunkEnd) break;
    chunk++;
  }
  queue.cursor = cursor;
}

/** How many tasks of the chunk certainly fit into what is left of the message. */
function countWithin(inputs: InputSizes, chunk: number, { count, bytesLeft }: Taking): number {
  if ((inputs.bytes[chunk] as number) <= bytesLeft) return Number.POSITIVE_INFINITY;
  const fitting = Math.floor(bytesLeft / (inputs.largest[chunk] as number));
  return fitting === 0 && count === 0 ? 1 : Math.max(0, fitting);
}

/** The lowest task that must run alone; only called while there is one. */
export function takeAlone(job: LiveJob): TakenTasks {
  const { tasks, queue } = job;
  for (;;) {
    assert(queue.alone.count > 0, "a task that must run alone is in its heap");
    const index = popIndex(queue.alone);
    if (tasks.state[index] !== TASK_ALONE) continue;
    moveTask(job, index, TASK_RUNNING);
    const attempts = beginAttempts(tasks, Uint32Array.of(index));
    return { count: 1, indexes: { first: index }, attempts };
  }
}

export function mustRunAlone({ trouble }: TaskTable, index: number): boolean {
  if (trouble === null) return false;
  return (
    (trouble.crashes[index] as number) >= ALONE_FROM_CRASHES ||
    (trouble.losses[index] as number) >= ALONE_FROM_LOSSES
  );
}

function beginAttempts(tasks: TaskTable, indexes: Uint32Array): U32Column {
  const { attempt } = tasks;
  const attempts = new Uint32Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number;
    const next = (attempt[index] as number) + 1;
    attempt[index] = next;
    attempts[i] = next;
  }
  return compactU32(attempts);
}
