/**
 * The order of a job's task list where the filter asks for nothing but states: positions are found by
 * ranges of the grid, so a window costs what it shows. By time those come first that are known to run,
 * the longest first, and all others by index.
 */
import {
  countTasks,
  rankOf,
  type StateMask,
  tasksFrom,
} from "../../../../scheduler/foreman/aggregates/task-index.ts";
import { TASK_RUNNING } from "../../../../scheduler/foreman/queues/task-table.ts";
import { countBelow } from "./ascending.ts";
import type { JobTasks } from "./job-tasks.ts";
import { startedTasks } from "./running-tasks.ts";

/** Running tasks sorted by their time; those beyond stand by index. */
export const SORTED_TASKS_MAX = 10_000;

export interface TaskOrder {
  readonly matching: number;
  /** The tasks at these positions. */
  slice(from: number, count: number): number[];
  /** -1: the list does not have it. */
  positionOf(index: number): number;
}

export function orderByState(
  tasks: JobTasks,
  wanted: StateMask,
  { byTime, reverse }: { readonly byTime: boolean; readonly reverse: boolean },
): TaskOrder {
  const showsRunning = byTime && wanted[TASK_RUNNING] === true && tasks.live !== null;
  const first = showsRunning && tasks.live ? startedTasks(tasks.live, SORTED_TASKS_MAX) : [];
  const order = forward(tasks, wanted, first);
  return reverse ? reversed(order) : order;
}

/** `first` in their order, and then the others. */
function forward(tasks: JobTasks, wanted: StateMask, first: readonly number[]): TaskOrder {
  const matching = countTasks(tasks, wanted);
  const places = new Map(first.map((index, place) => [index, place]));
  const ascending = Uint32Array.from(first).sort();

  function others(from: number, count: number): number[] {
    // Among the next so many at most all of `first` are in the way.
    const position = positionAmongAll(tasks, wanted, ascending, from);
    const found: number[] = [];
    for (let at = position; found.length < count; ) {
      const some = tasksFrom(tasks, wanted, { position: at, limit: count });
      if (some.length === 0) break;
      at += some.length;
      for (const index of some) {
        if (found.length < count && !places.has(index)) found.push(index);
      }
    }
    return found;
  }

  return {
    matching,
    slice(from, count) {
      const head = first.slice(from, from + count);
      if (head.length === count) return head;
      return [...head, ...others(Math.max(0, from - first.length), count - head.length)];
    },
    positionOf(index) {
      const place = places.get(index);
      if (place !== undefined) return place;
      if (index >= tasks.count || !wanted[tasks.states[index] as number]) return -1;
      return first.length + rankOf(index, tasks, wanted) - countBelow(ascending, index);
    },
  };
}

/** Where the n-th of those that are not in `left` stands among all. */
function positionAmongAll(
  tasks: JobTasks,
  wanted: StateMask,
  left: Uint32Array,
  n: number,
): number {
  for (let position = n; ; ) {
    const [index] = tasksFrom(tasks, wanted, { position, limit: 1 });
    if (index === undefined) return position;
    // Those in the way push it on; what it passes then may push it on again.
    const next = n + countBelow(left, index);
    if (next === position) return position;
    position = next;
  }
}

/** A list shown from its end. */
export function reversed({ matching, slice, positionOf }: TaskOrder): TaskOrder {
  return {
    matching,
    slice(from, count) {
      const end = Math.max(0, matching - from);
      const begin = Math.max(0, end - count);
      return slice(begin, end - begin).reverse();
    },
    positionOf(index) {
      const position = positionOf(index);
      return position < 0 ? -1 : matching - 1 - position;
    },
  };
}
