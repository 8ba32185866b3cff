/**
 * A job's tasks as lists and grids need them, one shape for a live job (the machine's table) and for one
 * that has ended (the fold of its log, kept for the few that are looked at).
 */
import type { JobId } from "../../../../protocol/ids.ts";
import type { TaskState } from "../../../../protocol/views.ts";
import {
  GRID_TASKS_MIN,
  gridOfStates,
} from "../../../../scheduler/foreman/aggregates/task-grid.ts";
import type { TaskIndex } from "../../../../scheduler/foreman/aggregates/task-index.ts";
import {
  type JobFacts,
  type JobFold,
  SETTLED_CANCELLED,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
} from "../../../../scheduler/foreman/facts.ts";
import {
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_FAILED,
  TASK_QUEUED,
} from "../../../../scheduler/foreman/queues/task-table.ts";
import { taskStateNames } from "../../../../scheduler/foreman/selectors.ts";
import type { ForemanState, LiveJob } from "../../../../scheduler/foreman/state.ts";
import type { JobReader } from "../../../reading/job-reader.ts";

export interface JobTasks extends TaskIndex {
  /** What each state is called, by state. */
  readonly names: readonly TaskState[];
  /** By index: attempts begun, and the settlement that holds the result (0: none). */
  readonly attempts: Uint16Array;
  readonly seqs: Uint32Array;
  /** Attempts that were followed by another. */
  readonly retries: number;
  /** null: the job has ended. */
  readonly live: LiveJob | null;
}

export type FindJobTasks = (job: JobFacts) => JobTasks | Promise<JobTasks>;

/** Beside the folds that the reader keeps: a byte a task and the grid. */
const ENDED_JOBS_MAX = 8;
const ENDED_TASKS_MAX = 5_000_000;

const ENDED_NAMES: readonly TaskState[] = [
  ...(["queued", "queued", "delayed", "running"] as const),
  ...(["completed", "failed", "cancelled"] as const),
];

export function createJobTasks(parts: {
  readonly state: ForemanState;
  readonly jobs: Pick<JobReader, "foldOf">;
}): FindJobTasks {
  const { state, jobs } = parts;
  /** In order of last use, oldest first. */
  const ended = new Map<JobId, { readonly nextSettleSeq: number; readonly tasks: JobTasks }>();

  async function readEnded(job: JobFacts): Promise<JobTasks> {
    const tasks = tasksOfFold(await jobs.foldOf(job));
    ended.delete(job.jobId);
    ended.set(job.jobId, { nextSettleSeq: job.nextSettleSeq, tasks });
    let count = 0;
    for (const entry of ended.values()) count += entry.tasks.count;
    for (const [oldest, entry] of ended) {
      if (ended.size === 1 || (ended.size <= ENDED_JOBS_MAX && count <= ENDED_TASKS_MAX)) break;
      ended.delete(oldest);
      count -= entry.tasks.count;
    }
    return tasks;
  }

  return (job) => {
    const live = state.jobs.get(job.jobId);
    if (live) return tasksOfLive(state, live);
    const known = ended.get(job.jobId);
    if (known?.nextSettleSeq !== job.nextSettleSeq) return readEnded(job);
    ended.delete(job.jobId);
    ended.set(job.jobId, known);
    return known.tasks;
  };
}

function tasksOfLive(state: ForemanState, live: LiveJob): JobTasks {
  const { tasks, grid, retries } = live;
  return {
    count: tasks.count,
    states: tasks.state,
    grid,
    names: taskStateNames(state, live),
    attempts: tasks.attempt,
    seqs: tasks.seq,
    retries,
    live,
  };
}

function tasksOfFold({ status, attempt, seq }: JobFold): JobTasks {
  const count = status.length;
  const states = new Uint8Array(count);
  let retries = 0;
  for (let index = 0; index < count; index++) {
    states[index] = stateOf(status[index]);
    retries += Math.max(0, (attempt[index] as number) - 1);
  }
  const grid = count > GRID_TASKS_MIN ? gridOfStates(states, count) : null;
  return {
    ...{ count, states, grid, retries },
    names: ENDED_NAMES,
    attempts: attempt,
    seqs: seq,
    live: null,
  };
}

function stateOf(settled: number | undefined): number {
  if (settled === SETTLED_COMPLETED) return TASK_COMPLETED;
  if (settled === SETTLED_FAILED) return TASK_FAILED;
  return settled === SETTLED_CANCELLED ? TASK_CANCELLED : TASK_QUEUED;
}
