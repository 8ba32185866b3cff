/**
 * Builds what observers look at, from the machine's counters and the store: O(rows shown), never a
 * scan of all tasks of all jobs. The shapes are those of protocol/views.ts.
 */
import type { Clock } from "../../platform/clock.ts";
import { PROGRAM_VERSION } from "../../platform/version.ts";
import { asJobId, asWorkerId, type JobId, type WorkerId } from "../../protocol/ids.ts";
import { LIST_ROWS_MAX } from "../../protocol/limits.ts";
import type { View } from "../../protocol/messages/client.ts";
import type {
  ForemanView,
  JobView,
  ProgressView,
  TaskView,
  WhyView,
  WorkerView,
} from "../../protocol/views.ts";
import { whyJob, whyWorker } from "../../scheduler/foreman/explain/explain.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { foremanTotals, liveJobIds } from "../../scheduler/foreman/selectors.ts";
import type { JobFilter, Store } from "../../store/store.ts";
import { noSuchJob, noSuchWorker } from "../clients/client-answers.ts";
import type { Observer } from "../clients/subscriptions/view-sharing.ts";
import type { ViewAnswer } from "../clients/subscriptions.ts";
import type { LogDesk } from "../logs/log-desk.ts";
import { createFailureLedger } from "../reading/failure-ledger.ts";
import type { InputWindow } from "../reading/input-window.ts";
import type { JobReader } from "../reading/job-reader.ts";
import type { SettlementCache } from "../reading/settlement-cache.ts";
import type { VitalsBook } from "../workers/worker-vitals.ts";
import { globMatcher } from "./glob.ts";
import { createJobViews, toTime } from "./job-views.ts";
import { createMonitorViews, type MonitorViews } from "./monitor/monitor-views.ts";
import { createTaskViews } from "./task-views.ts";
import { whyEndedJob, whyTaskInFull } from "./why-ended.ts";
import { createWorkerViews } from "./worker-views.ts";

export interface ForemanFacts {
  /** Set once it listens. */
  url: string;
  readonly storeFolder: string;
  readonly startedAtMs: number;
}

export interface ViewBuilderParts {
  readonly state: ForemanState;
  readonly store: Store;
  readonly jobs: JobReader;
  readonly cache: SettlementCache;
  readonly window: InputWindow;
  readonly vitals: Pick<VitalsBook, "of">;
  readonly facts: ForemanFacts;
  readonly clock: Pick<Clock, "defer" | "setTimer">;
  /** Where what tasks printed is. */
  logs(): Pick<LogDesk, "store" | "countsOf">;
  /** Asks a worker to tell for so long what its slots do. */
  observeWorker(workerId: WorkerId, seconds: number): void;
  nowMs(): number;
}

export interface ViewBuilder {
  build(view: View, observer: Observer): Promise<ViewAnswer>;
  job(jobId: JobId): Promise<JobView | null>;
  unfinishedJobs(): number;
  workerLost(workerId: WorkerId, runningCount: number): void;
  /** What is only watched is fed by what was committed and what workers tell of themselves. */
  readonly watched: Pick<MonitorViews, "start" | "onCommitted" | "onBeat" | "onActivity">;
}

const LOST_WORKERS_KEPT = 20;
type JobsView = Extract<View, { kind: "jobs" }>;

export function createViewBuilder(parts: ViewBuilderParts): ViewBuilder {
  const { state, store, jobs } = parts;
  const failures = createFailureLedger(parts);
  const jobViews = createJobViews({ ...parts, failures });
  const taskViews = createTaskViews({ ...parts, jobViews });
  const workerViews = createWorkerViews(parts);
  const monitor = createMonitorViews({ ...parts, failures, jobViews, taskViews, findJob, foreman });
  const lostWorkers: (ProgressView["lost_workers"][number] & { readonly atMs: number })[] = [];

  async function build(view: View, observer: Observer): Promise<ViewAnswer> {
    switch (view.kind) {
      case "jobs":
        return { body: await listJobs(view, observer.owner) };
      case "job":
        return { body: await jobViews.detail(await findJob(view.job_id)) };
      case "tasks":
        return { body: await listTasks(view) };
      case "task":
        return taskViews.detail(await findJob(view.job_id), view.index);
      case "workers":
        return { body: { rows: workerViews.list() } };
      case "worker":
        return { body: findWorker(view.worker_id) };
      case "why":
        return { body: await explain(view) };
      case "progress":
        return { body: await progress(view.job_ids.map(asJobId), observer.sinceMs) };
      case "foreman":
        return { body: foreman() };
      case "last_job":
        return { body: { job_id: await lastJob(observer.owner) } };
      case "overview":
      case "job_monitor":
      case "task_monitor":
      case "worker_monitor":
        return { body: await monitor.build(view) };
    }
  }

  async function findJob(id: number): Promise<JobFacts> {
    const job = await jobs.facts(asJobId(id));
    if (!job) throw noSuchJob(id, state.nextJobId);
    return job;
  }

  /** Unfinished jobs first, then the finished ones down to the limit; of both the newest first. */
  async function listJobs(view: JobsView, caller: string): Promise<object> {
    const states = view.states === undefined ? null : new Set(view.states);
    const matches = globMatcher(view.name_glob ?? "*");
    const owner = view.mine === true ? caller : null;
    const live: JobView[] = [];
    if (view.before === undefined) {
      for (const jobId of liveJobIds(state)) {
        const facts = jobs.liveFacts(jobId);
        if (!facts || (owner !== null && facts.owner !== owner)) continue;
        const row = jobViews.summary(facts);
        if ((states === null || states.has(row.state)) && matches(row.name)) live.push(row);
      }
    }
    live.sort((a, b) => b.job_id - a.job_id);
    const limit = Math.min(view.limit === 0 ? LIST_ROWS_MAX : view.limit, LIST_ROWS_MAX);
    const ended = await listEnded(view, { states, owner, limit, matches });
    return { rows: [...live, ...ended.rows], more: ended.more, next_before: ended.nextBefore };
  }

  async function listEnded(
    view: JobsView,
    filter: {
      readonly states: ReadonlySet<string> | null;
      readonly owner: string | null;
      readonly limit: number;
      readonly matches: (name: string) => boolean;
    },
  ): Promise<{ rows: JobView[]; more: number; nextBefore: number | null }> {
    const states = filter.states === null ? null : [...filter.states];
    const before = view.before === undefined ? null : asJobId(view.before);
    const query = { states, owner: filter.owner, before, limit: filter.limit };
    // Only a pattern of names needs a look at every row.
    if (view.name_glob !== undefined) return listEndedNamed(query, filter.matches);
    const page = await store.listEndedJobs(query);
    const more = (await store.countEndedJobs(query)) - page.length;
    return { rows: page.map(jobViews.summary), more, nextBefore: cursorOf(page, more) };
  }

  async function listEndedNamed(
    query: JobFilter,
    matches: (name: string) => boolean,
  ): Promise<{ rows: JobView[]; more: number; nextBefore: number | null }> {
    const named: JobFacts[] = [];
    for (let before = query.before; ; ) {
      const page = await store.listEndedJobs({ ...query, before, limit: LIST_ROWS_MAX });
      named.push(...page.filter((facts) => matches(facts.spec.name)));
      if (page.length < LIST_ROWS_MAX) break;
      before = page.at(-1)?.jobId ?? null;
    }
    const shown = named.slice(0, query.limit);
    const more = named.length - shown.length;
    return { rows: shown.map(jobViews.summary), more, nextBefore: cursorOf(shown, more) };
  }

  async function listTasks(view: Extract<View, { kind: "tasks" }>): Promise<object> {
    const job = await findJob(view.job_id);
    const { rows, next } = await taskViews.list(job, {
      states: view.states,
      fromIndex: view.from_index,
      limit: view.limit,
      inputs: view.inputs,
    });
    return { rows, next_index: next, job: jobViews.summary(job) };
  }

  function findWorker(workerId: string): WorkerView {
    const row = workerViews.list().find((worker) => worker.worker_id === workerId);
    if (row) return row;
    throw noSuchWorker(workerId);
  }

  async function explain(view: Extract<View, { kind: "why" }>): Promise<WhyView> {
    if (view.worker_id !== undefined) {
      findWorker(view.worker_id);
      return whyWorker(state, asWorkerId(view.worker_id));
    }
    const job = await findJob(view.job_id ?? 0);
    if (view.index !== undefined) {
      const { body } = await taskViews.detail(job, view.index);
      return whyTaskInFull(body);
    }
    if (job.finishedAtMs === null) return whyJob(state, job.jobId);
    return whyEndedJob(await jobViews.detail(job), await cancellationOf(job));
  }

  /** What one of its cancelled tasks says; null when none was. */
  async function cancellationOf(job: JobFacts): Promise<TaskView | null> {
    if (job.cancelled === 0) return null;
    const request = { states: ["cancelled"], fromIndex: 0, limit: 1, inputs: false };
    return (await taskViews.list(job, request)).rows[0] ?? null;
  }

  async function progress(jobIds: readonly JobId[], sinceMs: number): Promise<ProgressView> {
    const rows: (JobView & { why: WhyView | null })[] = [];
    for (const jobId of jobIds) {
      const facts = await jobs.facts(jobId);
      if (!facts) throw noSuchJob(jobId, state.nextJobId);
      const row = jobViews.summary(facts);
      const stands = facts.finishedAtMs === null && row.tasks.running === 0;
      rows.push({ ...row, why: stands ? whyJob(state, jobId) : null });
    }
    const totals = foremanTotals(state, parts.nowMs());
    return {
      jobs: rows,
      connected_workers: totals.connectedWorkers,
      slots: totals.slots,
      lost_workers: lostWorkers
        .filter(({ atMs }) => atMs >= sinceMs)
        .map(({ worker_id, running }) => ({ worker_id, running })),
    };
  }

  function foreman(): ForemanView {
    const totals = foremanTotals(state, parts.nowMs());
    return {
      foreman_id: store.identity.foremanId,
      url: parts.facts.url,
      store: parts.facts.storeFolder,
      version: PROGRAM_VERSION,
      started_at: toTime(parts.facts.startedAtMs),
      only_followed: state.options.onlyFollowed,
      connected_workers: totals.connectedWorkers,
      slots: totals.slots,
      unfinished_jobs: totals.unfinishedJobs,
      active_tasks: totals.runningTasks,
      queued_tasks: totals.queuedTasks,
      completed_tasks: totals.completedTasks,
      failed_tasks: totals.failedTasks,
      tasks_per_second: totals.tasksPerSecond,
    };
  }

  async function lastJob(owner: string): Promise<number | null> {
    let last: number | null = null;
    for (const jobId of liveJobIds(state)) {
      if (jobs.liveFacts(jobId)?.owner === owner && jobId > (last ?? 0)) last = jobId;
    }
    const [ended] = await store.listEndedJobs({ states: null, owner, before: null, limit: 1 });
    return Math.max(last ?? 0, ended?.jobId ?? 0) || null;
  }

  return {
    build,
    async job(jobId) {
      const facts = await jobs.facts(jobId);
      return facts === null ? null : jobViews.summary(facts);
    },
    watched: {
      start: monitor.start,
      onBeat: monitor.onBeat,
      onActivity: monitor.onActivity,
      onCommitted(changes) {
        failures.onCommitted(changes);
        monitor.onCommitted(changes);
      },
    },
    unfinishedJobs: () => foremanTotals(state, parts.nowMs()).unfinishedJobs,
    workerLost(workerId, running) {
      lostWorkers.push({ worker_id: workerId, running, atMs: parts.nowMs() });
      if (lostWorkers.length > LOST_WORKERS_KEPT) lostWorkers.shift();
    },
  };
}

/** Where the next page begins; null after the last. */
function cursorOf(page: readonly JobFacts[], more: number): number | null {
  return more > 0 ? (page.at(-1)?.jobId ?? null) : null;
}
