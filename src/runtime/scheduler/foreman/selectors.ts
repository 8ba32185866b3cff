/**
 * What the shell reads of the machine's memory for its views: counters and single look-ups, never a
 * walk over all tasks of a job beyond the rows that were asked for. Nothing here changes anything.
 */
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type { WorkerOffer } from "../../protocol/job-spec.ts";
import type { JobState, TaskCounts, TaskState, WorkerState } from "../../protocol/views.ts";
import { formatDuration } from "./explain/wording.ts";
import type { JobFacts } from "./facts.ts";
import {
  countOf,
  factsOf,
  isBlocked,
  liveState,
  queuedCount,
  settledCount,
} from "./jobs/live-job.ts";
import { attemptOfRow, rowOfIndex } from "./outcomes/assignments.ts";
import {
  TASK_ALONE,
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_QUEUED,
  TASK_RUNNING,
  TASK_STATE_COUNT,
} from "./queues/task-table.ts";
import { ratePerSecond } from "./rate.ts";
import {
  type Assignment,
  type ForemanState,
  isLiveRow,
  type LiveJob,
  type Session,
  submissionKey,
  type Worker,
} from "./state.ts";

/** A lost worker is shown so long. */
const LOST_SHOWN_MS = 3_600_000;

export interface JobProgress {
  readonly state: JobState;
  readonly counts: TaskCounts;
  readonly tasksPerSecond: number | null;
  readonly etaSeconds: number | null;
}

export interface TaskPlace {
  readonly state: TaskState;
  /** Attempts begun. */
  readonly attempts: number;
  /** Where it runs, or waits to run. */
  readonly workerId: WorkerId | null;
  /** The end of its back-off. */
  readonly notBeforeMs: number | null;
  /** The settlement that holds its result; 0: none. */
  readonly seq: number;
}

export interface SessionSummary {
  readonly workerId: WorkerId;
  readonly state: WorkerState;
  /** Why it takes no new tasks though it is connected. */
  readonly reason: string | null;
  readonly offer: WorkerOffer;
  readonly busySlots: number;
  readonly running: number;
  readonly prefetched: number;
  /** Since the foreman's start. */
  readonly completed: number;
  readonly failed: number;
  /** Its results that came too late and were refused. */
  readonly stale: number;
  readonly jobIds: readonly JobId[];
}

export interface ForemanTotals {
  readonly connectedWorkers: number;
  readonly slots: number;
  readonly unfinishedJobs: number;
  readonly runningTasks: number;
  /** Queued, blocked and delayed. */
  readonly queuedTasks: number;
  /** Settled since the foreman's start. */
  readonly completedTasks: number;
  readonly failedTasks: number;
  readonly tasksPerSecond: number | null;
}

/** Whether this submission is a job already, ended or not. */
export const isKnownSubmission = (
  state: ForemanState,
  owner: string,
  submissionId: string,
): boolean => state.submissions.has(submissionKey(owner, submissionId));

/** Unfinished jobs, oldest first. */
export const liveJobIds = (state: ForemanState): JobId[] => [...state.jobs.keys()];

/** The row of an unfinished job as it now is; null of any other. */
export function jobFacts(state: ForemanState, jobId: JobId): JobFacts | null {
  const job = state.jobs.get(jobId);
  return job ? factsOf(job) : null;
}

/** null unless the job is unfinished. */
export function jobProgress(state: ForemanState, jobId: JobId, nowMs: number): JobProgress | null {
  const job = state.jobs.get(jobId);
  if (!job) return null;
  return {
    state: liveState(job),
    counts: taskCounts(state, job),
    tasksPerSecond: ratePerSecond(job.pace.rate, nowMs),
    etaSeconds: secondsLeft(job, nowMs),
  };
}

/** At the rate of now; null: nobody knows, as of a job that is paused or whose inputs are open. */
export function secondsLeft(job: LiveJob, nowMs: number): number | null {
  if (job.isPaused || job.inputsClosedAtMs === null) return null;
  const rate = ratePerSecond(job.pace.rate, nowMs);
  return rate === null || rate === 0 ? null : (job.tasks.count - settledCount(job)) / rate;
}

export function taskCounts(state: ForemanState, job: LiveJob): TaskCounts {
  const queued = queuedCount(job);
  const blocked = isBlocked(job, state.nowMs);
  return {
    total: job.tasks.count,
    blocked: blocked ? queued : 0,
    queued: blocked ? 0 : queued,
    delayed: countOf(job, TASK_DELAYED),
    running: countOf(job, TASK_RUNNING),
    completed: countOf(job, TASK_COMPLETED),
    failed: countOf(job, TASK_FAILED),
    cancelled: countOf(job, TASK_CANCELLED),
  };
}

/** The settlement that holds a task's result; 0: not settled, or not an unfinished job's. */
export function settleSeqOf(state: ForemanState, jobId: JobId, index: number): number {
  return state.jobs.get(jobId)?.tasks.seq[index] ?? 0;
}

/** null unless the job is unfinished and has such a task. */
export function taskAt(state: ForemanState, jobId: JobId, index: number): TaskPlace | null {
  const job = state.jobs.get(jobId);
  if (!job || index >= job.tasks.count) return null;
  const { tasks } = job;
  const taskState = tasks.state[index] as number;
  const assignment = taskState === TASK_RUNNING ? findAssignmentOf(job, index) : null;
  return {
    state: publicState(state, job, taskState),
    attempts: tasks.attempt[index] as number,
    workerId: assignment?.session.worker.workerId ?? null,
    notBeforeMs: taskState === TASK_DELAYED ? delayedUntil(job, index) : null,
    seq: tasks.seq[index] as number,
  };
}

/** The boot that runs exactly this attempt under exactly this assignment; null: nobody does. */
export function holderOf(
  { assignments }: ForemanState,
  attempt: {
    readonly assignmentId: AssignmentId;
    readonly jobId: number;
    readonly index: number;
    readonly attempt: number;
  },
): BootId | null {
  const assignment = assignments.get(attempt.assignmentId);
  if (assignment === undefined || assignment.job.jobId !== attempt.jobId) return null;
  const row = rowOfIndex(assignment, attempt.index);
  const isHeld = row >= 0 && isLiveRow(assignment.rows[row] as number);
  return isHeld && attemptOfRow(assignment, row) === attempt.attempt
    ? assignment.session.bootId
    : null;
}

/** Indexes from `fromIndex` on whose tasks are in one of the states (null: any), at most `limit`. */
export function findTasks(
  state: ForemanState,
  jobId: JobId,
  states: ReadonlySet<TaskState> | null,
  fromIndex: number,
  limit: number,
): number[] {
  const job = state.jobs.get(jobId);
  const found: number[] = [];
  if (!job) return found;
  const wanted = taskStateNames(state, job).map((name) => states === null || states.has(name));
  const { tasks } = job;
  for (let index = fromIndex; index < tasks.count && found.length < limit; index++) {
    if (wanted[tasks.state[index] as number]) found.push(index);
  }
  return found;
}

/** The live assignment under which a running task runs. */
export function findAssignmentOf(job: LiveJob, index: number): Assignment | null {
  for (const assignment of job.assignments) {
    const row = rowOfIndex(assignment, index);
    if (row >= 0 && isLiveRow(assignment.rows[row] as number)) return assignment;
  }
  return null;
}

export function delayedUntil({ queue }: LiveJob, index: number): number | null {
  const at = queue.delayed.entries.lastIndexOf(index);
  return queue.delayed.atMs[at] ?? null;
}

/** Connected workers and those lost lately. */
export function shownWorkers(state: ForemanState): Worker[] {
  const shown: Worker[] = [];
  for (const worker of state.workers.values()) {
    const isHere = state.sessions.has(worker.bootId);
    if (isHere || state.nowMs - worker.lastSeenAtMs <= LOST_SHOWN_MS) shown.push(worker);
  }
  return shown;
}

export const sessionSummaries = (state: ForemanState): SessionSummary[] =>
  shownWorkers(state).map((worker) => workerSummary(state, worker));

export const workerSummary = (state: ForemanState, worker: Worker): SessionSummary =>
  summaryOf(state, worker, state.sessions.get(worker.bootId) ?? null);

export const workerStateOf = (state: ForemanState, worker: Worker): WorkerState =>
  workerState(state, worker, state.sessions.get(worker.bootId) ?? null);

/** Slots that tasks occupy there, running or on their way out. */
export function busySlotsOf({ sessions }: ForemanState, { bootId, offer }: Worker): number {
  const session = sessions.get(bootId);
  return session === undefined ? 0 : Math.min(offer.slots, session.heldSlots + session.fencedSlots);
}

export function foremanTotals(state: ForemanState, nowMs: number): ForemanTotals {
  let connectedWorkers = 0;
  let slots = 0;
  for (const session of state.sessions.values()) {
    if (!session.isConnected) continue;
    connectedWorkers++;
    slots += session.offer.slots;
  }
  let runningTasks = 0;
  let queuedTasks = 0;
  for (const job of state.jobs.values()) {
    runningTasks += countOf(job, TASK_RUNNING);
    queuedTasks += queuedCount(job) + countOf(job, TASK_DELAYED);
  }
  return {
    connectedWorkers,
    slots,
    unfinishedJobs: state.jobs.size,
    runningTasks,
    queuedTasks,
    completedTasks: state.totals.completed,
    failedTasks: state.totals.failed,
    tasksPerSecond: ratePerSecond(state.totals.rate, nowMs),
  };
}

/** What the states of the job's table are called just now, by state. */
export const taskStateNames = (state: ForemanState, job: LiveJob): TaskState[] =>
  Array.from({ length: TASK_STATE_COUNT }, (_, taskState) => publicState(state, job, taskState));

function publicState(state: ForemanState, job: LiveJob, taskState: number): TaskState {
  switch (taskState) {
    case TASK_QUEUED:
    case TASK_ALONE:
      return isBlocked(job, state.nowMs) ? "blocked" : "queued";
    case TASK_DELAYED:
      return "delayed";
    case TASK_RUNNING:
      return "running";
    case TASK_COMPLETED:
      return "completed";
    case TASK_FAILED:
      return "failed";
    default:
      return "cancelled";
  }
}

function summaryOf(state: ForemanState, worker: Worker, session: Session | null): SessionSummary {
  const slots = worker.offer.slots;
  const held = session?.heldTasks ?? 0;
  const heldSlots = session?.heldSlots ?? 0;
  const running = heldSlots <= slots ? held : Math.floor((held * slots) / heldSlots);
  return {
    workerId: worker.workerId,
    state: workerState(state, worker, session),
    reason: workerReason(state, worker, session),
    offer: worker.offer,
    busySlots: Math.min(slots, heldSlots + (session?.fencedSlots ?? 0)),
    running,
    prefetched: held - running,
    completed: worker.completed,
    failed: worker.failed,
    stale: worker.stale,
    jobIds: session ? [...session.holdings.keys()] : [],
  };
}

function workerState(state: ForemanState, worker: Worker, session: Session | null): WorkerState {
  // Who is away may have left in order, or before our start.
  if (session === null && !state.lostBoots.has(worker.bootId)) return "gone";
  if (!session?.isConnected) return "lost";
  if (session.draining !== null) return "draining";
  if (worker.isPaused) return "paused";
  return worker.setAsideUntilMs === null ? "up" : "set aside";
}

function workerReason(state: ForemanState, worker: Worker, session: Session | null): string | null {
  if (session === null) return null;
  if (!session.isConnected) return "its connection is gone and it may still come back";
  if (worker.setAsideUntilMs !== null) {
    const left = formatDuration(worker.setAsideUntilMs - state.nowMs);
    return `for another ${left}: ${worker.setAsideReason ?? "tasks failed there"}`;
  }
  if (worker.isOnProbation) return "on trial after it was set aside: one task at a time";
  return session.reason;
}
