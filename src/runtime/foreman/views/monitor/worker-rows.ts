/**
 * Workers as rows of the monitor: the list with its filter and sorts, and one row alone. Only rows inside
 * a window are made; what changes by itself (ages, load) is rounded so that it rarely seems to.
 */
import { usageError } from "../../../protocol/error.ts";
import type { ListWindow } from "../../../protocol/messages/client.ts";
import type { WindowView, WorkerRowView } from "../../../protocol/monitor-views.ts";
import { type FilterRow, matchesRow, parseRowFilter } from "../../../protocol/row-filter.ts";
import { WORKER_SORTS, type WorkerSort } from "../../../protocol/row-order.ts";
import type { WorkerState } from "../../../protocol/views.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import {
  busySlotsOf,
  shownWorkers,
  workerStateOf,
  workerSummary,
} from "../../../scheduler/foreman/selectors.ts";
import type { Series } from "../../../scheduler/foreman/series.ts";
import { cutSeries } from "../../../scheduler/foreman/series.ts";
import type { Worker } from "../../../scheduler/foreman/state.ts";
import type { VitalsBook } from "../../workers/worker-vitals.ts";
import { toTime } from "../job-views.ts";
import { cutWindow, type SortKey, sortForWindow } from "./list-window.ts";
import { recentRates, roundForScreen } from "./series-views.ts";
import type { WorkerHistory } from "./worker-history.ts";

export interface WorkerRows {
  row(worker: Worker): WorkerRowView;
  /** @throws CcError `bad_filter` */
  window(window: ListWindow): WindowView<WorkerRowView>;
  /** Workers that the list shows, by state. */
  counts(): Readonly<Record<WorkerState, number>>;
}

export interface WorkerRowsParts {
  readonly state: ForemanState;
  readonly vitals: Pick<VitalsBook, "of">;
  readonly history: Pick<WorkerHistory, "of">;
  nowMs(): number;
}

/** What needs a look first. */
const STATE_ORDER: Readonly<Record<WorkerState, number>> = {
  lost: 0,
  "set aside": 1,
  draining: 2,
  paused: 3,
  up: 4,
  gone: 5,
};
const RATE_WINDOW_MS = 10_000;
const AGE_STEP_SECONDS = 0.5;
const AGE_STEPS_MS_MAX = 10_000;

export function createWorkerRows(parts: WorkerRowsParts): WorkerRows {
  const { state, vitals, history } = parts;
  let order: { readonly shown: readonly Worker[]; readonly sorted: readonly Worker[] } = {
    shown: [],
    sorted: [],
  };

  function row(worker: Worker): WorkerRowView {
    const { workerId, offer } = worker;
    const nowMs = parts.nowMs();
    const summary = workerSummary(state, worker);
    const last = vitals.of(workerId);
    const past = history.of(workerId);
    return {
      worker_id: workerId,
      state: summary.state,
      reason: summary.reason,
      slots: offer.slots,
      busy_slots: summary.busySlots,
      running: summary.running,
      prefetched: summary.prefetched,
      completed: summary.completed,
      failed: summary.failed,
      refused: summary.stale,
      cpu_percent: last === null ? null : Math.round(last.cpuPercent),
      memory_percent: last === null ? null : Math.round(last.memoryPercent),
      heartbeat_age_seconds: last === null ? null : roundAge(nowMs - last.beatAtMs),
      connected_at: last === null ? null : toTime(last.connectedAtMs),
      jobs: summary.jobIds,
      host: offer.host,
      version: offer.version,
      memory_bytes: offer.memory_bytes > 0 ? offer.memory_bytes : null,
      tasks_per_second: past === null ? null : tasksPerSecond(past.tasks, nowMs),
      recent: past === null ? [] : recentRates([past.tasks], nowMs),
      queues: offer.queues,
      labels: offer.labels,
    };
  }

  /** Names are compared as people count, which is dear; who is here changes seldom. */
  function inOrder(shown: readonly Worker[]): Worker[] {
    const isKnown =
      shown.length === order.shown.length &&
      shown.every((worker, at) => worker === order.shown[at]);
    if (!isKnown) order = { shown, sorted: shown.toSorted(byName) };
    return [...order.sorted];
  }

  function filterRow(worker: Worker): FilterRow {
    const { workerId, offer } = worker;
    return {
      get texts() {
        const { reason } = workerSummary(state, worker);
        return [workerId, offer.host, reason ?? "", ...labelsOf(offer.labels)];
      },
      get fields() {
        return fieldsOf(worker);
      },
      get seconds() {
        const last = vitals.of(workerId);
        return last === null ? null : roundAge(parts.nowMs() - last.beatAtMs);
      },
      get states() {
        return [workerStateOf(state, worker)];
      },
    };
  }

  function fieldsOf(worker: Worker): FilterRow["fields"] {
    const { workerId, offer } = worker;
    const summary = workerSummary(state, worker);
    const last = vitals.of(workerId);
    const past = history.of(workerId);
    return {
      worker: workerId,
      host: offer.host,
      queue: offer.queues,
      label: labelsOf(offer.labels),
      job: summary.jobIds.map(String),
      slots: offer.slots,
      running: summary.running,
      done: summary.completed,
      failed: summary.failed,
      rate: past === null ? null : tasksPerSecond(past.tasks, parts.nowMs()),
      cpu: last === null ? null : Math.round(last.cpuPercent),
      memory: last === null ? null : Math.round(last.memoryPercent),
      memory_bytes: offer.memory_bytes > 0 ? offer.memory_bytes : null,
    };
  }

  function window(asked: ListWindow): WindowView<WorkerRowView> {
    const parsed = parseRowFilter(asked.filter, "workers");
    if (!parsed.ok) throw usageError("bad_filter", parsed.message);
    const all = inOrder(shownWorkers(state));
    const matching =
      parsed.filter.words.length === 0
        ? all
        : all.filter((worker) => matchesRow(parsed.filter, filterRow(worker)));
    const sorted = sortForWindow(matching, asked, keyFor(asked.sort));
    return cutWindow(sorted, asked, {
      total: all.length,
      idOf: ({ workerId }) => workerId,
      rowOf: row,
    });
  }

  /** By name is the list's own order. */
  const keys: Readonly<Record<Exclude<WorkerSort, "name">, (worker: Worker) => SortKey>> = {
    state: (worker) => STATE_ORDER[workerStateOf(state, worker)],
    slots: (worker) => busySlotsOf(state, worker),
    cpu: ({ workerId }) => vitals.of(workerId)?.cpuPercent ?? null,
    memory: ({ workerId }) => vitals.of(workerId)?.memoryPercent ?? null,
    rate({ workerId }) {
      const past = history.of(workerId);
      return past === null ? null : tasksPerSecond(past.tasks, parts.nowMs());
    },
    failed: ({ failed }) => failed,
    heartbeat({ workerId }) {
      const last = vitals.of(workerId);
      return last === null ? null : parts.nowMs() - last.beatAtMs;
    },
  };

  function keyFor(sort: string): ((worker: Worker) => SortKey) | null {
    const name = WORKER_SORTS.find((known) => known === sort);
    return name === undefined || name === "name" ? null : keys[name];
  }

  return {
    row,
    window,
    counts() {
      const counts = { up: 0, draining: 0, paused: 0, "set aside": 0, lost: 0, gone: 0 };
      for (const worker of shownWorkers(state)) counts[workerStateOf(state, worker)]++;
      return counts;
    },
  };
}

/** `w2` before `w10`: people number their machines. */
const NAMES = new Intl.Collator("en", { numeric: true });
const byName = (a: Worker, b: Worker): number => NAMES.compare(a.workerId, b.workerId);

const labelsOf = (labels: WorkerRowView["labels"]): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);

/** Over the last whole seconds; a worker that is new has had fewer of them. */
function tasksPerSecond(tasks: Series, nowMs: number): number | null {
  const { settled } = cutSeries([tasks], { nowMs, windowMs: RATE_WINDOW_MS, backMs: 0 });
  const known = settled.filter((count) => count !== null);
  if (known.length === 0) return null;
  return roundForScreen(known.reduce((sum, count) => sum + count, 0) / known.length);
}

/** In half seconds up to ten, then in whole ones. */
function roundAge(ageMs: number): number {
  const seconds = Math.max(0, ageMs) / 1000;
  if (ageMs >= AGE_STEPS_MS_MAX) return Math.floor(seconds);
  return Math.floor(seconds / AGE_STEP_SECONDS) * AGE_STEP_SECONDS;
}
