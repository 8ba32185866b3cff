/** Views of jobs: the row of a list and the details with error groups. */
import { formatTaskId, type JobId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";
import type { ErrorGroupView, JobDetailView, JobView, TaskCounts } from "../../protocol/views.ts";
import { whyJob } from "../../scheduler/foreman/explain/explain.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { jobProgress } from "../../scheduler/foreman/selectors.ts";
import { type FailureGroup, groupsByCount } from "../reading/failure-groups.ts";
import type { FailureLedger } from "../reading/failure-ledger.ts";

const GROUPS_MAX = 20;
const GROUP_WORKERS_MAX = 10;

export interface JobViews {
  summary(facts: JobFacts): JobView;
  detail(facts: JobFacts): Promise<JobDetailView>;
}

export function createJobViews(parts: {
  readonly state: ForemanState;
  readonly failures: Pick<FailureLedger, "refresh" | "groupsOf">;
  nowMs(): number;
}): JobViews {
  const { state, failures } = parts;

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
    await failures.refresh(facts);
    const groups = failures.groupsOf(facts.jobId);
    if (groups === null) return NO_ERRORS;
    const errors = groupsByCount(groups)
      .filter(({ isLookedInto }) => isLookedInto)
      .slice(0, GROUPS_MAX)
      .map((group) => errorGroupView(facts.jobId, group));
    return { errors, failures_grouped: groups.lookedInto };
  }

  return { summary, detail };
}

type Errors = Pick<JobDetailView, "errors" | "failures_grouped">;

const NO_ERRORS: Errors = { errors: [], failures_grouped: 0 };

export function errorGroupView(jobId: JobId, group: FailureGroup): ErrorGroupView {
  return {
    code: group.code,
    message: group.message,
    place: group.place,
    count: group.count,
    task_id: formatTaskId(jobId, group.firstIndex),
    workers: [...group.byWorker.keys()].slice(0, GROUP_WORKERS_MAX),
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
