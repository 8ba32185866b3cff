/**
 * One job as a row of the monitor, and what lists need to know of it to sort and filter without making
 * the row. What changes without meaning is rounded.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { JobRowView } from "../../../protocol/monitor-views.ts";
import type { FilterRow } from "../../../protocol/row-filter.ts";
import { JOB_SORTS, type JobSort } from "../../../protocol/row-order.ts";
import type { JobState, WhyView } from "../../../protocol/views.ts";
import type { JobFacts } from "../../../scheduler/foreman/facts.ts";
import {
  countOf,
  liveState,
  queuedCount,
  settledCount,
} from "../../../scheduler/foreman/jobs/live-job.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import {
  TASK_DELAYED,
  TASK_FAILED,
  TASK_RUNNING,
} from "../../../scheduler/foreman/queues/task-table.ts";
import { ratePerSecond } from "../../../scheduler/foreman/rate.ts";
import { jobFacts, secondsLeft } from "../../../scheduler/foreman/selectors.ts";
import type { LiveJob } from "../../../scheduler/foreman/state.ts";
import type { JobViews } from "../job-views.ts";
import type { SortKey } from "./list-window.ts";
import { createReasons } from "./reasons.ts";
import { recentRates, roundElapsed, roundOrNull } from "./series-views.ts";

export interface JobRows {
  /** Of a job that is unfinished or whose facts are at hand. */
  row(facts: JobFacts): JobRowView;
  rowOf(jobId: JobId): JobRowView;
  filterRow(jobId: JobId): FilterRow;
  /** null: no such sort. */
  keyFor(sort: string): ((jobId: JobId) => SortKey) | null;
}

/** As people look for them: what goes on first, what went well last. */
const STATE_ORDER: Readonly<Record<JobState, number>> = {
  running: 0,
  paused: 1,
  queued: 2,
  failed: 3,
  cancelled: 4,
  completed: 5,
};

export function createJobRows(parts: {
  readonly state: ForemanState;
  readonly jobViews: Pick<JobViews, "summary">;
  nowMs(): number;
}): JobRows {
  const { state } = parts;
  const reasons = createReasons(parts);

  function row(facts: JobFacts): JobRowView {
    const view = parts.jobViews.summary(facts);
    const { jobId } = facts;
    const live = state.jobs.get(jobId);
    return {
      ...view,
      tasks_per_second: roundOrNull(view.tasks_per_second),
      eta_seconds: view.eta_seconds === null ? null : roundElapsed(Math.ceil(view.eta_seconds)),
      retries: live?.retries ?? state.endedTallies.get(jobId)?.retries ?? null,
      recent: live?.tally ? recentRates([live.tally.series], parts.nowMs()) : [],
      elapsed_seconds: roundElapsed(elapsedSeconds(facts)),
      why: live === undefined ? null : whyNothingRuns(live),
    };
  }

  function whyNothingRuns(job: LiveJob): WhyView | null {
    return countOf(job, TASK_RUNNING) > 0 ? null : reasons.of(job.jobId);
  }

  /** A clock that was set back between two starts may have it begin in the future. */
  const elapsedSeconds = ({
    createdAtMs,
    finishedAtMs,
  }: Pick<JobFacts, "createdAtMs" | "finishedAtMs">): number =>
    Math.max(0, (finishedAtMs ?? parts.nowMs()) - createdAtMs) / 1000;

  function factsOf(jobId: JobId): JobFacts {
    const facts = jobFacts(state, jobId) ?? state.ended.get(jobId);
    if (facts === undefined) throw new Error(`invariant broken: job ${jobId} is in no list`);
    return facts;
  }

  function filterRow(jobId: JobId): FilterRow {
    const live = state.jobs.get(jobId);
    const { spec, owner } = live ?? factsOf(jobId);
    return {
      get texts() {
        return [String(jobId), spec.name, owner, spec.queue, spec.note ?? ""];
      },
      get fields() {
        return fieldsOf(factsOf(jobId), live);
      },
      get seconds() {
        return elapsedSeconds(
          live === undefined ? factsOf(jobId) : { ...live, finishedAtMs: null },
        );
      },
      get states() {
        if (live === undefined) return [factsOf(jobId).state];
        const name = liveState(live);
        return live.inputsClosedAtMs === null ? [name, "open"] : [name];
      },
    };
  }

  function fieldsOf(facts: JobFacts, live: LiveJob | undefined): FilterRow["fields"] {
    const { jobId, spec, owner } = facts;
    return {
      name: spec.name,
      owner,
      queue: spec.queue,
      job: String(jobId),
      label: Object.entries(spec.metadata).map(([key, value]) => `${key}=${value}`),
      failed: facts.failed,
      running: live === undefined ? 0 : countOf(live, TASK_RUNNING),
      queued: live === undefined ? 0 : queuedCount(live) + countOf(live, TASK_DELAYED),
      done: facts.completed,
      total: facts.inputCount,
      rate: live === undefined ? null : ratePerSecond(live.pace.rate, parts.nowMs()),
      priority: spec.priority,
    };
  }

  type KeyOf = (live: LiveJob | undefined, facts: JobFacts | undefined, jobId: JobId) => SortKey;

  const keys: Readonly<Record<JobSort, KeyOf>> = {
    id: (_live, _facts, jobId) => jobId,
    name: (live, facts) => live?.spec.name ?? facts?.spec.name ?? null,
    owner: (live, facts) => live?.owner ?? facts?.owner ?? null,
    priority: (live, facts) => live?.spec.priority ?? facts?.spec.priority ?? null,
    state: (live, facts) => STATE_ORDER[live ? liveState(live) : (facts?.state ?? "completed")],
    progress: (live, facts) =>
      live
        ? live.tasks.count === 0
          ? 0
          : settledCount(live) / live.tasks.count
        : facts && facts.inputCount > 0
          ? (facts.completed + facts.failed + facts.cancelled) / facts.inputCount
          : null,
    running: (live) => (live ? countOf(live, TASK_RUNNING) : null),
    queued: (live) => (live ? queuedCount(live) + countOf(live, TASK_DELAYED) : null),
    failed: (live, facts) => (live ? countOf(live, TASK_FAILED) : (facts?.failed ?? null)),
    rate: (live) => (live ? ratePerSecond(live.pace.rate, parts.nowMs()) : null),
    eta: (live) => (live ? secondsLeft(live, parts.nowMs()) : null),
  };

  return {
    row,
    rowOf: (jobId) => row(factsOf(jobId)),
    filterRow,
    keyFor(sort) {
      const name = JOB_SORTS.find((known) => known === sort);
      if (name === undefined) return null;
      const keyOf = keys[name];
      return (jobId) => keyOf(state.jobs.get(jobId), state.ended.get(jobId), jobId);
    },
  };
}
