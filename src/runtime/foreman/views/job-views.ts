/** Views of jobs: the row of a list and the details with error groups. */
import type { Clock } from "../../platform/clock.ts";
import { indexAt } from "../../protocol/columns.ts";
import { groupKey, placeOf } from "../../protocol/error-groups.ts";
import { decodeFailure, type Failure, VALUE_FAILURE } from "../../protocol/failure.ts";
import { formatTaskId, type JobId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";
import type { ErrorGroupView, JobDetailView, JobView, TaskCounts } from "../../protocol/views.ts";
import { whyJob } from "../../scheduler/foreman/explain/explain.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { jobProgress } from "../../scheduler/foreman/selectors.ts";
import type { Store } from "../../store/store.ts";
import type { JobReader } from "../reading/job-reader.ts";
import { makeReadable, rowValue } from "../reading/settlement-cache.ts";
import { FAILURES_PER_TURN, nextTurn } from "../reading/turns.ts";

/** Failures looked at for the groups of one job, from the first on: a flood costs a bounded look. */
const FAILURES_GROUPED_MAX = 20_000;
const SETTLEMENTS_READ_MAX = 400;
const SETTLEMENT_BYTES_MAX = 8 * 1024 * 1024;
const GROUPS_MAX = 20;

export interface JobViews {
  summary(facts: JobFacts): JobView;
  detail(facts: JobFacts): Promise<JobDetailView>;
}

export function createJobViews(parts: {
  readonly state: ForemanState;
  readonly store: Store;
  readonly jobs: JobReader;
  readonly clock: Pick<Clock, "defer">;
  nowMs(): number;
}): JobViews {
  const { state, store, jobs } = parts;

  function summary(facts: JobFacts): JobView {
    const live = jobProgress(state, facts.jobId, parts.nowMs());
    return {
      job_id: facts.jobId,
      name: facts.spec.name,
      owner: facts.owner,
      state: live?.state ?? facts.state,
      inputs_open: facts.inputsClosedAtMs === null && facts.finishedAtMs === null,
      queue: facts.spec.queue,
      priority: facts.spec.priority,
      tasks: live?.counts ?? storedCounts(facts),
      tasks_per_second: live?.tasksPerSecond ?? null,
      eta_seconds: live?.etaSeconds ?? null,
      created_at: toTime(facts.createdAtMs),
      finished_at: facts.finishedAtMs === null ? null : toTime(facts.finishedAtMs),
      note: facts.spec.note,
      keep: facts.keep,
    };
  }

  async function detail(facts: JobFacts): Promise<JobDetailView> {
    const settled = facts.completed + facts.failed;
    const total = facts.runUs / 1e6;
    return {
      ...summary(facts),
      spec: withoutSecrets(facts.spec),
      ...(facts.failed === 0 ? NO_ERRORS : await errorGroups(facts)),
      run_seconds: { total, mean: settled === 0 ? null : total / settled },
      why: facts.finishedAtMs === null ? whyJob(state, facts.jobId) : null,
    };
  }

  async function errorGroups(facts: JobFacts): Promise<Errors> {
    const source = await jobs.resultsSource(facts.jobId);
    const groups = new Map<string, Group>();
    let looked = 0;
    let seq = 1;
    while (seq < facts.nextSettleSeq && looked < FAILURES_GROUPED_MAX) {
      const chunks = await store.readSettlements(facts.jobId, {
        seq,
        limit: SETTLEMENTS_READ_MAX,
        bytesMax: SETTLEMENT_BYTES_MAX,
      });
      if (chunks.length === 0) break;
      for (const chunk of chunks) {
        seq = chunk.seq + 1;
        if (chunk.status !== "failed") continue;
        const entry = makeReadable(chunk);
        for (let row = 0; row < chunk.count && looked < FAILURES_GROUPED_MAX; row++) {
          const index = indexAt(chunk.indexes, row);
          if (source?.seqOf(index) !== chunk.seq) continue;
          if (++looked % FAILURES_PER_TURN === 0) await nextTurn(parts.clock);
          addFailure(groups, facts.jobId, index, chunk.workerId, rowValue(entry, row));
        }
      }
    }
    const errors = [...groups.values()]
      .sort((a, b) => b.count - a.count)
      .slice(0, GROUPS_MAX)
      .map((group) => ({ ...group, workers: [...group.workers].slice(0, 10) }));
    return { errors, failures_grouped: looked };
  }

  return { summary, detail };
}

type Errors = Pick<JobDetailView, "errors" | "failures_grouped">;

const NO_ERRORS: Errors = { errors: [], failures_grouped: 0 };

type Group = Omit<ErrorGroupView, "count" | "workers"> & {
  count: number;
  readonly workers: Set<string>;
};

function addFailure(
  groups: Map<string, Group>,
  jobId: JobId,
  index: number,
  worker: string,
  value: Uint8Array,
): void {
  if (value[0] !== VALUE_FAILURE) return;
  const { failure } = decodeFailure(value);
  const key = groupKey(failure);
  const group = groups.get(key) ?? newGroup(jobId, index, failure);
  group.count++;
  if (worker !== "") group.workers.add(worker);
  groups.set(key, group);
}

function newGroup(jobId: JobId, index: number, failure: Failure): Group {
  return {
    code: failure.code,
    message: failure.message,
    place: placeOf(failure),
    count: 0,
    task_id: formatTaskId(jobId, index),
    workers: new Set(),
  };
}

function storedCounts(facts: JobFacts): TaskCounts {
  const { completed, failed, cancelled, inputCount } = facts;
  return {
    total: inputCount,
    blocked: 0,
    queued: 0,
    delayed: 0,
    // Of a job whose end is not committed yet: its last tasks.
    running: inputCount - completed - failed - cancelled,
    completed,
    failed,
    cancelled,
  };
}

/** What an observer may see of a job's options. */
export function withoutSecrets(spec: JobSpec): JobSpec {
  const env = Object.fromEntries(
    Object.entries(spec.env).map(([name, entry]) => [
      name,
      entry.secret ? { value: "***", secret: true } : entry,
    ]),
  );
  return { ...spec, env };
}

export const toTime = (atMs: number): string => new Date(atMs).toISOString();
