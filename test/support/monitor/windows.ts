/** Parts of a made-up installation's lists, filtered and sorted as a foreman does it, only slower. */
import { usageError } from "../../../src/runtime/protocol/error.ts";
import type { ListWindow } from "../../../src/runtime/protocol/messages/client.ts";
import type {
  JobRowView,
  SlotTaskView,
  TaskRowView,
  WindowView,
  WorkerRowView,
} from "../../../src/runtime/protocol/monitor-views.ts";
import {
  type FilterList,
  type FilterRow,
  matchesRow,
  parseRowFilter,
} from "../../../src/runtime/protocol/row-filter.ts";

interface ListKind<Row> {
  readonly list: FilterList;
  idOf(row: Row): string;
  filterRow(row: Row): FilterRow;
  /** What a sort's name compares by. */
  sortKey(row: Row, sort: string): number | string;
}

const JOBS: ListKind<JobRowView> = {
  list: "jobs",
  idOf: ({ job_id }) => String(job_id),
  filterRow: (job) => ({
    texts: [String(job.job_id), job.name, job.owner, job.queue],
    fields: {
      state: job.state,
      name: job.name,
      owner: job.owner,
      queue: job.queue,
      job: String(job.job_id),
      label: [],
      failed: job.tasks.failed,
      running: job.tasks.running,
      queued: job.tasks.queued,
      done: job.tasks.completed,
      total: job.tasks.total,
      rate: job.tasks_per_second,
      priority: job.priority,
    },
    seconds: job.elapsed_seconds,
    states: job.inputs_open ? [job.state, "open"] : [job.state],
  }),
  sortKey(job, sort) {
    const { tasks } = job;
    const keys: Readonly<Record<string, number | string>> = {
      id: job.job_id,
      name: job.name,
      state: job.state,
      progress: tasks.total === 0 ? 0 : tasks.completed / tasks.total,
      running: tasks.running,
      queued: tasks.queued,
      failed: tasks.failed,
      rate: job.tasks_per_second ?? -1,
      eta: job.eta_seconds ?? Number.MAX_VALUE,
      priority: job.priority,
      owner: job.owner,
    };
    return keys[sort] ?? -job.job_id;
  },
};

const WORKERS: ListKind<WorkerRowView> = {
  list: "workers",
  idOf: ({ worker_id }) => worker_id,
  filterRow: (worker) => ({
    texts: [worker.worker_id, worker.host],
    fields: {
      state: worker.state,
      worker: worker.worker_id,
      host: worker.host,
      queue: worker.queues,
      label: Object.entries(worker.labels).map(([key, value]) => `${key}=${value}`),
      job: worker.jobs.map(String),
      slots: worker.slots,
      running: worker.running,
      done: worker.completed,
      failed: worker.failed,
      rate: worker.tasks_per_second,
      cpu: worker.cpu_percent,
      memory: worker.memory_percent,
    },
    seconds: null,
    states: [worker.state],
  }),
  sortKey(worker, sort) {
    const keys: Readonly<Record<string, number | string>> = {
      state: worker.state,
      slots: worker.busy_slots,
      cpu: worker.cpu_percent ?? -1,
      memory: worker.memory_percent ?? -1,
      rate: worker.tasks_per_second ?? -1,
      failed: worker.failed,
      heartbeat: worker.heartbeat_age_seconds ?? Number.MAX_VALUE,
    };
    return keys[sort] ?? worker.worker_id;
  },
};

const TASKS: ListKind<TaskRowView> = {
  list: "tasks",
  idOf: ({ task_id }) => task_id,
  filterRow: (task) => ({
    texts: [task.task_id, task.worker ?? "", task.error?.code ?? "", task.error?.message ?? ""],
    fields: {
      state: task.state,
      worker: task.worker,
      code: task.error?.code ?? null,
      attempts: task.attempts,
    },
    seconds: task.running_seconds ?? task.run_seconds,
    states: [task.state],
  }),
  sortKey: (task, sort) =>
    sort === "time" && task.running_seconds !== null ? -task.running_seconds : task.index,
};

const SLOTS: ListKind<SlotTaskView> = {
  list: "slots",
  idOf: ({ task_id }) => task_id,
  filterRow: (task) => ({
    texts: [task.task_id, task.what],
    fields: {
      job: String(task.job_id),
      attempts: task.attempt,
      cpu: task.cpu_percent,
      memory: task.memory_bytes,
    },
    seconds: task.running_seconds,
    states: ["running"],
  }),
  sortKey(task, sort) {
    const keys: Readonly<Record<string, number>> = {
      job: task.job_id,
      time: -task.running_seconds,
      cpu: task.cpu_percent ?? -1,
      memory: task.memory_bytes ?? -1,
    };
    return keys[sort] ?? task.slot;
  },
};

export const jobWindow = (rows: readonly JobRowView[], window: ListWindow) =>
  cut(JOBS, rows, window);
export const workerWindow = (rows: readonly WorkerRowView[], window: ListWindow) =>
  cut(WORKERS, rows, window);
export const taskWindow = (rows: readonly TaskRowView[], window: ListWindow) =>
  cut(TASKS, rows, window);
export const slotWindow = (rows: readonly SlotTaskView[], window: ListWindow) =>
  cut(SLOTS, rows, window);

/** @throws CcError `bad_filter` */
function cut<Row>(kind: ListKind<Row>, all: readonly Row[], window: ListWindow): WindowView<Row> {
  const parsed = parseRowFilter(window.filter, kind.list);
  if (!parsed.ok) throw usageError("bad_filter", parsed.message);
  const matching = all
    .filter((row) => matchesRow(parsed.filter, kind.filterRow(row)))
    .sort((a, b) => {
      const order = compare(kind.sortKey(a, window.sort), kind.sortKey(b, window.sort));
      return (window.reverse ? -order : order) || compare(kind.idOf(a), kind.idOf(b));
    });
  const anchorAt = matching.findIndex((row) => kind.idOf(row) === window.anchor);
  const from = firstRow(window, matching.length, anchorAt);
  const rows = matching.slice(from, from + window.rows);
  return {
    total: all.length,
    matching: matching.length,
    from,
    order: rows.map(kind.idOf),
    rows: Object.fromEntries(rows.map((row) => [kind.idOf(row), row])),
    anchor_at: anchorAt < 0 ? null : anchorAt,
  };
}

function firstRow({ from, rows, around }: ListWindow, count: number, anchorAt: number): number {
  const last = Math.max(0, count - rows);
  if (around !== true || anchorAt < 0) return Math.min(from, last);
  if (anchorAt >= from && anchorAt < from + rows) return Math.min(from, last);
  return Math.min(Math.max(0, anchorAt - Math.floor(rows / 2)), last);
}

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);
