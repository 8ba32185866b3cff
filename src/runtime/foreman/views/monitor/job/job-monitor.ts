/**
 * A job as the monitor shows it: its counters, its charts, the grid of its tasks, what failed, and a part
 * of its task list. All figures are kept by the machine; what is only in the log is read in slices, and
 * until that is done the screen shows what is known. A screen costs its cells and rows.
 */
import type { Clock } from "../../../../platform/clock.ts";
import { formatTaskId } from "../../../../protocol/ids.ts";
import type { View } from "../../../../protocol/messages/client.ts";
import type { JobMonitorView } from "../../../../protocol/monitor-views.ts";
import {
  createHistogram,
  type Histogram,
  mergeHistogram,
} from "../../../../scheduler/foreman/aggregates/histogram.ts";
import type { JobTally } from "../../../../scheduler/foreman/aggregates/tally-state.ts";
import type { JobFacts } from "../../../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../../../scheduler/foreman/machine.ts";
import { ratePerSecond } from "../../../../scheduler/foreman/rate.ts";
import {
  createSeries,
  cutSeries,
  JOB_SERIES,
  type Series,
} from "../../../../scheduler/foreman/series.ts";
import type { Store } from "../../../../store/store.ts";
import type { FailureLedger } from "../../../reading/failure-ledger.ts";
import type { InputWindow } from "../../../reading/input-window.ts";
import type { JobReader } from "../../../reading/job-reader.ts";
import { createPastTallies, type PastTally } from "../../../reading/past-tally.ts";
import { createSketchCache } from "../../../reading/sketch-cache.ts";
import type { JobRows } from "../job-rows.ts";
import { percentilesView } from "../percentiles.ts";
import { rateView, seriesView, wholeSecond } from "../series-views.ts";
import { adviceOnErrors, errorRows } from "./job-errors.ts";
import { gridView } from "./job-grid.ts";
import { slotsOf } from "./job-slots.ts";
import { createJobTasks, type JobTasks } from "./job-tasks.ts";
import { createTaskRows } from "./task-rows.ts";
import { createTaskSearch } from "./task-search.ts";
import { taskWindow } from "./task-window.ts";
import { whatRuns, whereFrom } from "./what.ts";

export interface JobMonitorParts {
  readonly state: ForemanState;
  readonly store: Pick<Store, "sketchSettlements">;
  readonly jobs: Pick<JobReader, "foldOf">;
  readonly window: Pick<InputWindow, "readOne">;
  readonly clock: Pick<Clock, "defer" | "setTimer">;
  readonly failures: Pick<FailureLedger, "refresh" | "groupsOf">;
  readonly jobRows: Pick<JobRows, "row">;
  /** @throws CcError `no_such_job` */
  findJob(jobId: number): Promise<JobFacts>;
  nowMs(): number;
}

type JobRequest = Extract<View, { kind: "job_monitor" }>;

type Figures = Pick<JobMonitorView, "throughput" | "failures" | "rate" | "run" | "wait">;

/** A screen waits so long for what has to be read from the log; it comes with the next otherwise. */
const PATIENCE_MS = 100;
const US_PER_SECOND = 1e6;
const MS_PER_SECOND = 1e3;

/** @throws CcError `no_such_job`, `bad_filter` when built. */
export function createJobMonitor(
  parts: JobMonitorParts,
): (view: JobRequest) => Promise<JobMonitorView> {
  const { state } = parts;
  const pastTallies = createPastTallies(parts);
  const tasksOf = createJobTasks(parts);
  const rows = createTaskRows({ ...parts, sketches: createSketchCache(parts.store) });
  const search = createTaskSearch({ ...parts, rows });

  async function build(view: JobRequest): Promise<JobMonitorView> {
    const job = await parts.findJob(view.job_id);
    const past = await pastOf(job);
    const tasks = await tasksOf(job);
    const window = await taskWindow({ rows, search }, job, tasks, view.tasks);
    const groups = job.failed === 0 ? null : parts.failures.groupsOf(job.jobId);
    const row = { ...parts.jobRows.row(job), retries: tasks.retries };
    const { live } = tasks;
    return {
      at: wholeSecond(parts.nowMs()),
      ...figuresOf(job, tasks, past, view),
      job: row,
      what: whatRuns(job.spec),
      submitted_from: whereFrom(job.spec),
      counts: row.tasks,
      slots: live === null ? { busy: 0, total: 0 } : slotsOf(state, live),
      grid: gridView(tasks, view.cells),
      errors: errorRows(job.jobId, groups),
      failures_grouped: groups?.lookedInto ?? 0,
      tasks: window,
      advice: live === null ? null : adviceOnErrors(state, live, groups),
    };
  }

  function figuresOf(
    job: JobFacts,
    { live }: JobTasks,
    past: PastTally | null,
    { window_seconds, back_seconds }: JobRequest,
  ): Figures {
    const tally = tallyOf(job);
    // The charts of an ended job end with it.
    const nowMs =
      job.finishedAtMs === null ? parts.nowMs() : Math.ceil(job.finishedAtMs / 1000) * 1000;
    const span = { nowMs, windowMs: window_seconds * 1000, backMs: back_seconds * 1000 };
    const cut = cutSeries(seriesOf(job, tally, past), span);
    const longest = longestOf(tally, past);
    const id = longest < 0 ? null : formatTaskId(job.jobId, longest);
    const now = live === null ? null : ratePerSecond(live.pace.rate, nowMs);
    return {
      throughput: seriesView(cut, "settled"),
      failures: seriesView(cut, "failed"),
      rate: rateView(cut, now),
      run: percentilesView(runOf(tally, past), US_PER_SECOND, id),
      wait: percentilesView(tally?.wait ?? createHistogram(), MS_PER_SECOND, null),
    };
  }

  const tallyOf = ({ jobId }: JobFacts): JobTally | null =>
    state.jobs.get(jobId)?.tally ?? state.endedTallies.get(jobId)?.tally ?? null;

  /** What is not in memory; null: nothing is missing, or it is still being read. */
  async function pastOf(job: JobFacts): Promise<PastTally | null> {
    const beforeSeq = tallyOf(job)?.sinceSeq ?? job.nextSettleSeq;
    const reading = beforeSeq > 1 ? pastTallies.of(job, beforeSeq) : null;
    const groups = refreshGroups(job);
    return withPatience(Promise.all([reading, groups]).then(([past]) => past));
  }

  /** Waited for only where nothing is known; else what is known is shown until more is. */
  function refreshGroups(job: JobFacts): Promise<void> {
    const refreshing = parts.failures.refresh(job);
    if (job.failed === 0 || parts.failures.groupsOf(job.jobId)?.count === 0) return refreshing;
    // A failure of it is met again by the next one, and by whoever waits.
    refreshing.catch(() => {});
    return Promise.resolve();
  }

  function withPatience<Value>(reading: Promise<Value>): Promise<Value | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Value | null>();
    const timer = parts.clock.setTimer(PATIENCE_MS, () => resolve(null));
    reading.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
    return promise;
  }

  return build;
}

function seriesOf(job: JobFacts, tally: JobTally | null, past: PastTally | null): Series[] {
  const known = [past, tally].flatMap((one) => (one === null ? [] : [one.series]));
  return known.length > 0 ? known : [createSeries(JOB_SERIES, job.createdAtMs)];
}

function runOf(tally: JobTally | null, past: PastTally | null): Histogram {
  if (past === null) return tally?.run ?? createHistogram();
  if (tally === null) return past.run;
  const merged = createHistogram();
  mergeHistogram(merged, past.run);
  mergeHistogram(merged, tally.run);
  return merged;
}

function longestOf(tally: JobTally | null, past: PastTally | null): number {
  if (tally === null || past === null) return tally?.longestIndex ?? past?.longestIndex ?? -1;
  return past.run.max > tally.run.max ? past.longestIndex : tally.longestIndex;
}
