/**
 * Filters of a task list that ask for more than states: whoever ran it, how it failed, how long it took.
 * They need a look at each task, so a search goes on for as long as somebody looks, a bounded number of
 * tasks a time, and is begun anew after a while if the job lives.
 *
 *   first search   shows what it has found so far, and on how many tasks it was tried
 *   later ones     what the last whole one found is shown until the next is done
 */
import type { Clock } from "../../../../platform/clock.ts";
import { formatTaskId } from "../../../../protocol/ids.ts";
import { type FilterRow, matchesRow, type RowFilter } from "../../../../protocol/row-filter.ts";
import { nextTask, type StateMask } from "../../../../scheduler/foreman/aggregates/task-index.ts";
import type { JobFacts } from "../../../../scheduler/foreman/facts.ts";
import {
  TASK_CANCELLED,
  TASK_FAILED,
  TASK_RUNNING,
} from "../../../../scheduler/foreman/queues/task-table.ts";
import { nextTurn } from "../../../reading/turns.ts";
import { countBelow } from "./ascending.ts";
import type { JobTasks } from "./job-tasks.ts";
import { findRunning, type Running, secondsSoFar, startedTasks } from "./running-tasks.ts";
import { reversed, SORTED_TASKS_MAX, type TaskOrder } from "./task-order.ts";
import type { Settled, TaskRows } from "./task-rows.ts";

/** Tasks looked at, and settlements read for them, for one screen: some ten milliseconds, in slices. */
const LOOKS_MAX = 10_000;
const READS_MAX = 200;
const LOOKS_PER_TURN = 1_000;
/** A search ends with so many: nobody turns more pages. */
const FOUND_MAX = 50_000;
/** Some viewers, each with a filter of his own; a search that is dropped begins at the first task again. */
const SEARCHES_MAX = 32;
/** A search is begun anew after so long, and after so many times what it took. */
const AGAIN_MS = 1_000;
const AGAIN_FACTOR = 5;

export interface SearchRequest {
  readonly job: JobFacts;
  readonly tasks: JobTasks;
  readonly wanted: StateMask;
  readonly filter: RowFilter;
  /** As it was typed: names the search. */
  readonly text: string;
  readonly byTime: boolean;
  readonly reverse: boolean;
}

export interface FoundTasks {
  readonly order: TaskOrder;
  /** On how many tasks the filter was tried; null: on all. */
  readonly tried: number | null;
}

export type SearchTasks = (request: SearchRequest) => Promise<FoundTasks>;

interface Found {
  /** Ascending. */
  readonly found: readonly number[];
  /** On how many tasks the filter was tried so far; null: on all. */
  readonly tried: number | null;
}

interface Search extends Found {
  readonly found: number[];
  tried: number | null;
  /** What the one before ended with; null: there was none. */
  readonly before: Found | null;
  /** The task that is looked at next. */
  at: number;
  isDone: boolean;
  readonly beganAtMs: number;
  doneAtMs: number;
  advancing: Promise<void> | null;
}

export function createTaskSearch(parts: {
  readonly rows: Pick<TaskRows, "settledOf">;
  readonly clock: Pick<Clock, "defer">;
  nowMs(): number;
}): SearchTasks {
  /** By what is searched, in order of last use, oldest first. */
  const searches = new Map<string, Search>();

  function begin(before: Found | null): Search {
    const nowMs = parts.nowMs();
    return {
      ...{ found: [], before, at: 0, tried: 0, isDone: false },
      ...{ beganAtMs: nowMs, doneAtMs: nowMs, advancing: null },
    };
  }

  function searchFor({ job, tasks, text }: SearchRequest): Search {
    const key = `${job.jobId} ${job.finishedAtMs === null ? "" : job.nextSettleSeq} ${text}`;
    const known = searches.get(key);
    const search = known === undefined ? begin(null) : isOld(known, tasks) ? renew(known) : known;
    searches.delete(key);
    searches.set(key, search);
    const oldest = searches.keys().next();
    if (searches.size > SEARCHES_MAX && !oldest.done) searches.delete(oldest.value);
    return search;
  }

  const renew = ({ found, tried }: Search): Search => begin({ found, tried });

  function isOld(search: Search, tasks: JobTasks): boolean {
    if (!search.isDone || tasks.live === null) return false;
    const tookMs = search.doneAtMs - search.beganAtMs;
    return parts.nowMs() - search.doneAtMs >= Math.max(AGAIN_MS, AGAIN_FACTOR * tookMs);
  }

  async function advance(search: Search, request: SearchRequest): Promise<void> {
    const wanted = narrowed(request);
    const left = { looks: LOOKS_MAX, reads: READS_MAX };
    while (left.looks > 0 && left.reads > 0 && search.found.length < FOUND_MAX) {
      const batch = nextBatch(
        request.tasks,
        wanted,
        search.at,
        Math.min(left.looks, LOOKS_PER_TURN),
      );
      if (batch.length === 0) {
        search.tried = null;
        end(search);
        return;
      }
      await lookAt(search, request, batch, left);
      await nextTurn(parts.clock);
    }
    if (search.found.length >= FOUND_MAX) end(search);
  }

  function end(search: Search): void {
    search.isDone = true;
    search.doneAtMs = parts.nowMs();
  }

  async function lookAt(
    search: Search,
    { job, tasks, filter }: SearchRequest,
    batch: readonly number[],
    left: { looks: number; reads: number },
  ): Promise<void> {
    const running = findRunning(tasks, batch);
    for (const index of batch) {
      if (left.reads === 0) return;
      const looked = parts.rows.settledOf(job.jobId, tasks, index);
      if (looked instanceof Promise) left.reads--;
      const settled = looked instanceof Promise ? await looked : looked;
      const row = filterRow(job, tasks, { index, settled, running: running.get(index) ?? null });
      if (matchesRow(filter, row)) search.found.push(index);
      left.looks--;
      search.at = index + 1;
      search.tried = index + 1;
    }
  }

  function filterRow(
    { jobId }: JobFacts,
    tasks: JobTasks,
    task: {
      readonly index: number;
      readonly settled: Settled | null;
      readonly running: Running | null;
    },
  ): FilterRow {
    const { index, settled, running } = task;
    const worker = running?.workerId ?? settled?.workerId ?? null;
    const error = settled?.error ?? null;
    const state = tasks.names[tasks.states[index] as number] ?? "";
    return {
      texts: [formatTaskId(jobId, index), worker ?? "", error?.code ?? "", error?.message ?? ""],
      fields: { state, worker, code: error?.code ?? null, attempts: tasks.attempts[index] ?? 0 },
      seconds: secondsSoFar(running, parts.nowMs()) ?? settled?.runSeconds ?? null,
      states: [state],
    };
  }

  /** Those that are known to run and pass the filter, the longest first. */
  function startedMatching({ job, tasks, wanted, filter }: SearchRequest): number[] {
    if (tasks.live === null || !wanted[TASK_RUNNING]) return [];
    const started = startedTasks(tasks.live, SORTED_TASKS_MAX);
    const running = findRunning(tasks, started);
    return started.filter((index) => {
      const place = running.get(index) ?? null;
      return matchesRow(filter, filterRow(job, tasks, { index, settled: null, running: place }));
    });
  }

  return async (request) => {
    const search = searchFor(request);
    if (!search.isDone) {
      search.advancing ??= advance(search, request).finally(() => {
        search.advancing = null;
      });
      await search.advancing;
    }
    const { found, tried } = search.isDone ? search : (search.before ?? search);
    const first = request.byTime ? startedMatching(request) : [];
    const order = orderOf(first, found);
    return { order: request.reverse ? reversed(order) : order, tried };
  };
}

/** An error's code is asked for: only what has one is looked at. */
function narrowed({ wanted, filter }: SearchRequest): StateMask {
  const needsCode = filter.words.some(
    (word) => word.kind === "values" && word.field === "code" && !word.isInverted,
  );
  if (!needsCode) return wanted;
  return wanted.map((is, state) => is && (state === TASK_FAILED || state === TASK_CANCELLED));
}

function nextBatch(tasks: JobTasks, wanted: StateMask, from: number, limit: number): number[] {
  const batch: number[] = [];
  for (let at = from; batch.length < limit; ) {
    const index = nextTask(tasks, wanted, { index: at, step: 1 });
    if (index < 0) break;
    batch.push(index);
    at = index + 1;
  }
  return batch;
}

/** `first` in their order, and then the others of those found. */
function orderOf(first: readonly number[], found: readonly number[]): TaskOrder {
  const places = new Map(first.map((index, place) => [index, place]));
  const others = first.length === 0 ? found : found.filter((index) => !places.has(index));
  return {
    matching: first.length + others.length,
    slice: (from, count) => {
      const head = first.slice(from, from + count);
      const at = Math.max(0, from - first.length);
      return [...head, ...others.slice(at, at + count - head.length)];
    },
    positionOf(index) {
      const place = places.get(index);
      if (place !== undefined) return place;
      const at = countBelow(others, index);
      return others[at] === index ? first.length + at : -1;
    },
  };
}
