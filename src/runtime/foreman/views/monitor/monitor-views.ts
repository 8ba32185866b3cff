/**
 * The door to what the monitor's screens show: puts their builders together, finds the one for a view,
 * and keeps what only observers want to know (histories, the newest events) fed. It must never do more
 * work for a list than what its window shows, except for sorting and filtering.
 */
import type { Clock } from "../../../platform/clock.ts";
import type { JobId, WorkerId } from "../../../protocol/ids.ts";
import type { View } from "../../../protocol/messages/client.ts";
import { FEATURE_ACTIVITY, type MessageOf } from "../../../protocol/messages.ts";
import type { TaskMonitorView } from "../../../protocol/monitor-views.ts";
import type { ForemanView } from "../../../protocol/views.ts";
import type { Change } from "../../../scheduler/foreman/changes.ts";
import type { JobFacts } from "../../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import type { Store } from "../../../store/store.ts";
import type { LogDesk } from "../../logs/log-desk.ts";
import type { FailureLedger } from "../../reading/failure-ledger.ts";
import type { InputWindow } from "../../reading/input-window.ts";
import type { JobReader } from "../../reading/job-reader.ts";
import { createLogMeasure } from "../../reading/log-totals.ts";
import type { VitalsBook } from "../../workers/worker-vitals.ts";
import type { JobViews } from "../job-views.ts";
import type { TaskViews } from "../task-views.ts";
import { createEventTail } from "./event-tail.ts";
import { createJobMonitor } from "./job/job-monitor.ts";
import { createJobList } from "./job-list.ts";
import { createJobRows } from "./job-rows.ts";
import { createOverview } from "./overview.ts";
import { createTaskMonitor } from "./task-monitor.ts";
import { createWorkerActivity, type WorkerActivity } from "./worker-activity.ts";
import { createWorkerHistory } from "./worker-history.ts";
import { canTell, createWorkerMonitor } from "./worker-monitor.ts";
import { createWorkerRows } from "./worker-rows.ts";

/** The views that protocol/monitor-views.ts describes. */
export type MonitorView = Extract<
  View,
  { kind: "overview" | "job_monitor" | "task_monitor" | "worker_monitor" }
>;

export interface MonitorViews {
  /** @throws CcError `no_such_job`, `no_such_task`, `no_such_worker`, `bad_filter`. */
  build(view: MonitorView): Promise<object>;
  /** Reads what was before; to be called once, before anything is committed. */
  start(): Promise<void>;
  onCommitted(changes: readonly Change[]): void;
  onBeat(workerId: WorkerId, heartbeat: MessageOf<"heartbeat">): void;
  readonly onActivity: WorkerActivity["onActivity"];
}

export interface MonitorParts {
  readonly state: ForemanState;
  readonly store: Store;
  readonly jobViews: JobViews;
  readonly taskViews: TaskViews;
  readonly vitals: Pick<VitalsBook, "of">;
  readonly jobs: Pick<JobReader, "foldOf">;
  readonly window: Pick<InputWindow, "readOne">;
  readonly failures: Pick<FailureLedger, "refresh" | "groupsOf">;
  readonly clock: Pick<Clock, "defer" | "setTimer">;
  /** @throws CcError `no_such_job` */
  findJob(jobId: number): Promise<JobFacts>;
  foreman(): ForemanView;
  /** Where what tasks printed is. */
  logs(): Pick<LogDesk, "store" | "countsOf">;
  /** Asks a worker for its activity. */
  observeWorker(workerId: WorkerId, seconds: number): void;
  nowMs(): number;
}

type Builders = {
  readonly [Kind in MonitorView["kind"]]: (
    view: Extract<MonitorView, { kind: Kind }>,
  ) => object | Promise<object>;
};

export function createMonitorViews(parts: MonitorParts): MonitorViews {
  const { state, store, nowMs } = parts;
  const history = createWorkerHistory();
  const jobRows = createJobRows(parts);
  const jobs = createJobList({ state, rows: jobRows });
  const workers = createWorkerRows({ ...parts, history });
  const activity = createWorkerActivity({
    nowMs,
    observe(workerId, seconds) {
      if (canTell(state, workerId, FEATURE_ACTIVITY)) parts.observeWorker(workerId, seconds);
    },
  });
  const events = createEventTail();
  const overview = createOverview({ ...parts, jobs, workers, events });
  const logs = createLogMeasure({
    get store() {
      return parts.logs().store;
    },
    countsOf: (jobId) => parts.logs().countsOf(jobId),
  });

  function logOf(jobId: JobId, index: number, attempt: number): TaskMonitorView["log"] {
    try {
      const { total_bytes: bytes } = logs.measure({ jobId, index, attempt });
      return bytes === 0 ? null : { lines: null, bytes };
    } catch {
      // A log store that broke is told in the event log; a task is shown without its log.
      return null;
    }
  }

  const builders: Builders = {
    overview: overview.build,
    job_monitor: createJobMonitor({ ...parts, jobRows }),
    task_monitor: createTaskMonitor({ ...parts, logOf }),
    worker_monitor: createWorkerMonitor({ ...parts, rows: workers, history, activity }),
  };

  return {
    async build(view) {
      // The table pairs every kind with a builder of that very kind.
      const build = builders[view.kind] as (view: MonitorView) => object | Promise<object>;
      return build(view);
    },
    onCommitted(changes) {
      history.onCommitted(changes, nowMs());
      overview.sample();
      for (const change of changes) {
        if (change.type === "eventRecorded") events.add(change.event);
        else if (isAboutEnded(change)) jobs.touchEnded();
        if (change.type === "jobRemoved") logs.forget(change.jobId);
      }
    },
    start: () => events.start(store),
    onActivity: activity.onActivity,
    onBeat(workerId, { cpu, memory, free_slots }) {
      const slots = state.workers.get(workerId)?.offer.slots ?? 0;
      const busySlots = Math.max(0, slots - free_slots);
      history.onBeat(workerId, { cpuPercent: cpu, memoryPercent: memory, busySlots }, nowMs());
    },
  };
}

/** A job has ended, lives again, or is forgotten. */
function isAboutEnded(change: Change): boolean {
  if (change.type === "jobChanged") return change.facts.finishedAtMs !== null;
  return change.type === "reopened" || change.type === "jobRemoved";
}
