/**
 * One worker as the monitor shows it: its load and tasks over time, what each slot did, what runs now and
 * what failed last. While it is built again and again, the worker is asked for its slots.
 */
import { indexAt } from "../../../protocol/columns.ts";
import { usageError } from "../../../protocol/error.ts";
import { asJobId, asWorkerId, formatTaskId, type WorkerId } from "../../../protocol/ids.ts";
import type { View } from "../../../protocol/messages/client.ts";
import type {
  SlotTaskView,
  WindowView,
  WorkerMonitorView,
} from "../../../protocol/monitor-views.ts";
import { type FilterRow, matchesRow, parseRowFilter } from "../../../protocol/row-filter.ts";
import { SLOT_SORTS, type SlotSort } from "../../../protocol/row-order.ts";
import { whyWorker } from "../../../scheduler/foreman/explain/explain.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import { attemptOfRow } from "../../../scheduler/foreman/outcomes/assignments.ts";
import { cutSeries } from "../../../scheduler/foreman/series.ts";
import type { Session, Worker } from "../../../scheduler/foreman/state.ts";
import { noSuchWorker } from "../../clients/client-answers.ts";
import type { VitalsBook } from "../../workers/worker-vitals.ts";
import { whatRuns } from "./job/what.ts";
import { cutWindow, type SortKey, sortForWindow } from "./list-window.ts";
import {
  roundForScreen,
  roundOrNull,
  roundRunning,
  seriesView,
  wholeSecond,
} from "./series-views.ts";
import type { ActivityTask, Told, WorkerActivity } from "./worker-activity.ts";
import type { WorkerHistory, WorkerPast } from "./worker-history.ts";
import type { WorkerRows } from "./worker-rows.ts";

export interface WorkerMonitorParts {
  readonly state: ForemanState;
  readonly rows: Pick<WorkerRows, "row">;
  readonly history: Pick<WorkerHistory, "of">;
  readonly activity: Pick<WorkerActivity, "watch" | "of">;
  readonly vitals: Pick<VitalsBook, "of">;
  nowMs(): number;
}

type WorkerRequest = Extract<View, { kind: "worker_monitor" }>;

/** @throws CcError `no_such_worker`, `bad_filter` when built. */
export function createWorkerMonitor(
  parts: WorkerMonitorParts,
): (view: WorkerRequest) => WorkerMonitorView {
  const { state } = parts;

  return (view) => {
    const workerId = asWorkerId(view.worker_id);
    const worker = state.workers.get(workerId);
    if (worker === undefined) throw noSuchWorker(view.worker_id);
    parts.activity.watch(workerId);
    const told = parts.activity.of(workerId, worker.bootId);
    const past = parts.history.of(workerId);
    const nowMs = parts.nowMs();
    return {
      at: wholeSecond(nowMs),
      worker: parts.rows.row(worker),
      offer: worker.offer,
      ...charts(past, view, nowMs),
      round_trip_ms: roundOrNull(parts.vitals.of(workerId)?.roundTripMs ?? null),
      ...(told?.lanes(nameOfJob) ?? { lanes: [], lane_jobs: {} }),
      tasks: windowOf(view.tasks, rowsOf(worker, told)),
      recent_failures: (past?.failures ?? []).toReversed(),
      why: whyOf(worker),
    };
  };

  function nameOfJob(jobId: number): string {
    const id = asJobId(jobId);
    return state.jobs.get(id)?.spec.name ?? state.ended.get(id)?.spec.name ?? "";
  }

  /** Why it idles or takes nothing; while it works there is nothing to explain. */
  function whyOf({ workerId }: Worker): WorkerMonitorView["why"] {
    const why = whyWorker(state, workerId);
    return why.code === "working" ? null : why;
  }

  function rowsOf(worker: Worker, told: Told | null): SlotTaskView[] {
    if (told !== null) return told.tasks.map(toldRow);
    const session = state.sessions.get(worker.bootId);
    return session === undefined ? [] : knownRows(session);
  }

  function toldRow(task: ActivityTask): SlotTaskView {
    const { slot, job_id, index, attempt, running_ms, cpu_percent, memory_bytes } = task;
    return {
      slot,
      job_id,
      task_id: formatTaskId(job_id, index),
      attempt,
      running_seconds: roundRunning(running_ms),
      cpu_percent: cpu_percent === null ? null : Math.round(cpu_percent),
      memory_bytes: memory_bytes === null ? null : roundForScreen(memory_bytes),
      what: whatOf(job_id),
    };
  }

  function whatOf(jobId: number): string {
    const id = asJobId(jobId);
    const spec = state.jobs.get(id)?.spec ?? state.ended.get(id)?.spec;
    return spec === undefined ? "" : whatRuns(spec);
  }

  /** Of a worker that does not tell, only what it has reported as started; on which slot is not known. */
  function knownRows({ assignments }: Session): SlotTaskView[] {
    const rows: SlotTaskView[] = [];
    for (const assignment of assignments.values()) {
      const { job, indexes, first, startedAtMs } = assignment;
      for (const [row, atMs] of startedAtMs) {
        const index = indexAt(indexes ?? { first }, row);
        rows.push({
          slot: 0,
          job_id: job.jobId,
          task_id: formatTaskId(job.jobId, index),
          attempt: attemptOfRow(assignment, row),
          running_seconds: roundRunning(parts.nowMs() - atMs),
          cpu_percent: null,
          memory_bytes: null,
          what: whatRuns(job.spec),
        });
      }
    }
    return rows;
  }
}

type Charts = Pick<WorkerMonitorView, "cpu" | "memory" | "throughput" | "failures" | "busy">;

function charts(
  past: WorkerPast | null,
  { window_seconds, back_seconds }: WorkerRequest,
  nowMs: number,
): Charts {
  const nothing = { step_seconds: 1, until: wholeSecond(nowMs), values: [] };
  if (past === null) {
    return { cpu: nothing, memory: nothing, throughput: nothing, failures: nothing, busy: nothing };
  }
  const span = { nowMs, windowMs: window_seconds * 1000, backMs: back_seconds * 1000 };
  const cut = cutSeries([past.tasks], span);
  return {
    cpu: past.cpu.view(span),
    memory: past.memory.view(span),
    busy: past.busy.view(span),
    throughput: seriesView(cut, "settled"),
    failures: seriesView(cut, "failed"),
  };
}

/** By slot is the list's own order. */
const KEYS: Readonly<Record<Exclude<SlotSort, "slot">, (row: SlotTaskView) => SortKey>> = {
  job: ({ job_id }) => job_id,
  time: ({ running_seconds }) => running_seconds,
  cpu: ({ cpu_percent }) => cpu_percent,
  memory: ({ memory_bytes }) => memory_bytes,
};

function windowOf(asked: WorkerRequest["tasks"], all: SlotTaskView[]): WindowView<SlotTaskView> {
  const parsed = parseRowFilter(asked.filter, "slots");
  if (!parsed.ok) throw usageError("bad_filter", parsed.message);
  const matching = all
    .filter((row) => matchesRow(parsed.filter, filterRow(row)))
    .sort((a, b) => a.slot - b.slot);
  const sort = SLOT_SORTS.find((name) => name === asked.sort);
  const keyOf = sort === undefined || sort === "slot" ? null : KEYS[sort];
  return cutWindow(sortForWindow(matching, asked, keyOf), asked, {
    total: all.length,
    idOf: ({ task_id }) => task_id,
    rowOf: (row) => row,
  });
}

const filterRow = (row: SlotTaskView): FilterRow => ({
  texts: [row.task_id, row.what],
  fields: {
    job: String(row.job_id),
    attempts: row.attempt,
    cpu: row.cpu_percent,
    memory: row.memory_bytes,
    memory_bytes: row.memory_bytes,
  },
  seconds: row.running_seconds,
  states: ["running"],
});

/** For whoever asks a worker: those that would not understand are left in peace. */
export function canTell({ workers }: ForemanState, workerId: WorkerId, feature: string): boolean {
  return workers.get(workerId)?.offer.features?.includes(feature) ?? false;
}
