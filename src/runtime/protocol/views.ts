/**
 * The public JSON of jobs, tasks and workers: one shape for the command line, the protocol and (later)
 * HTTP. Keys are snake_case, times RFC 3339 UTC, durations in seconds.
 */
import type { JobSpec, WorkerOffer } from "./job-spec.ts";

export const JSON_SCHEMA_NAME = "crowdcompute/v1";

export const JOB_STATES = [
  "queued",
  "running",
  "paused",
  "completed",
  "failed",
  "cancelled",
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const TASK_STATES = [
  "blocked",
  "queued",
  "delayed",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const isJobEnded = (state: JobState): boolean =>
  state === "completed" || state === "failed" || state === "cancelled";

export const isTaskSettled = (state: TaskState): boolean =>
  state === "completed" || state === "failed" || state === "cancelled";

export interface TaskCounts {
  readonly total: number;
  readonly blocked: number;
  readonly queued: number;
  readonly delayed: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface JobView {
  readonly job_id: number;
  readonly name: string;
  readonly owner: string;
  readonly state: JobState;
  readonly inputs_open: boolean;
  readonly queue: string;
  readonly priority: number;
  readonly tasks: TaskCounts;
  /** Settled tasks a second over the last seconds; null before there is a rate. */
  readonly tasks_per_second: number | null;
  /** Estimate from that rate; null when unknown. */
  readonly eta_seconds: number | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly note: string | null;
  readonly keep: boolean;
}

export interface ErrorGroupView {
  readonly code: string;
  /** The first such message, digits, paths and hex as they were there. */
  readonly message: string;
  /** The author's frame, `job.ts:12:5`, when there is one. */
  readonly place: string | null;
  readonly count: number;
  /** One task to look at. */
  readonly task_id: string;
  readonly workers: readonly string[];
}

export interface JobDetailView extends JobView {
  /** Secrets are `***`. */
  readonly spec: JobSpec;
  readonly errors: readonly ErrorGroupView[];
  /** Of how many failures the groups tell; fewer than failed when there are very many. */
  readonly failures_grouped: number;
  readonly run_seconds: { readonly total: number; readonly mean: number | null };
  /** Why nothing runs, when nothing runs. */
  readonly why: WhyView | null;
}

export interface AttemptView {
  readonly attempt: number;
  /** `aborted`: ended on purpose and counted against nothing, as by `cc pause WORKER --now`. */
  readonly outcome: "completed" | "failed" | "lost" | "cancelled" | "aborted" | "running";
  readonly code: string | null;
  readonly message: string | null;
  readonly stack: string | null;
  readonly worker: string;
  readonly run_seconds: number | null;
  readonly ended_at: string | null;
}

export interface TaskView {
  readonly task_id: string;
  readonly index: number;
  readonly state: TaskState;
  /** Attempts begun so far. */
  readonly attempts: number;
  readonly worker: string | null;
  readonly run_seconds: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** As tagged JSON, shortened; only when asked for. */
  readonly input?: string;
}

/** The input's and the result's values travel beside the snapshot, in this order. */
export interface TaskDetailView extends TaskView {
  readonly job: JobView;
  readonly history: readonly AttemptView[];
  readonly not_before: string | null;
  readonly why: WhyView | null;
}

/** `lost` is one that should be here; `gone` has left, or has not come since the foreman's start. */
export const WORKER_STATES = ["up", "draining", "paused", "set aside", "lost", "gone"] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

export interface WorkerView {
  readonly worker_id: string;
  readonly state: WorkerState;
  /** Why it takes no new tasks though it is up, such as its memory threshold. */
  readonly reason: string | null;
  readonly slots: number;
  readonly busy_slots: number;
  /** Tasks it holds: running and waiting there. */
  readonly running: number;
  readonly prefetched: number;
  readonly completed: number;
  readonly failed: number;
  /** Its results that came too late (`stale_attempt`), since the foreman's start. */
  readonly refused: number;
  readonly cpu_percent: number | null;
  readonly memory_percent: number | null;
  readonly heartbeat_age_seconds: number | null;
  readonly connected_at: string | null;
  readonly offer: WorkerOffer;
  readonly jobs: readonly number[];
}

export interface WhyView {
  /** One stable word for scripts: `no_workers`, `no_matching_worker`, `blocked_by_job`, `paused`, … */
  readonly code: string;
  /** One sentence. */
  readonly sentence: string;
  /** What to type, or null. */
  readonly hint: string | null;
}

/** One line of `cc events`; further keys by kind, see event-kinds.ts. */
export interface EventView {
  /** Grows; gaps mean nothing, since what belonged to a removed job is gone. */
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly job_id: number | null;
  /** Only where exactly one task is meant. */
  readonly task_id: string | null;
  readonly worker: string | null;
  readonly [field: string]: unknown;
}

/** An ended job that retention forgets. */
export interface GarbageJobView {
  readonly job_id: number;
  readonly name: string;
  readonly owner: string;
  readonly state: JobState;
  readonly finished_at: string;
  readonly tasks: number;
  /** Of its inputs, results and errors. */
  readonly bytes: number;
  /** Older than it may be, or beyond the number that is kept. */
  readonly why: "age" | "count";
}

/** What `cc gc` has forgotten, or would forget. */
export interface GarbageView {
  readonly dry_run: boolean;
  /** The oldest first. */
  readonly jobs: readonly GarbageJobView[];
  /** Code that no other job has. */
  readonly bundles: readonly { readonly sha256: string; readonly bytes: number }[];
  readonly bytes: number;
  /** There are further ones. */
  readonly more: boolean;
  /** The space is still being given back to the file system. */
  readonly freeing: boolean;
}

export interface ProgressView {
  readonly jobs: readonly (JobView & { readonly why: WhyView | null })[];
  readonly connected_workers: number;
  readonly slots: number;
  /** Workers lost since the subscription began, newest last, bounded. */
  readonly lost_workers: readonly { readonly worker_id: string; readonly running: number }[];
}

export interface ForemanView {
  readonly foreman_id: string;
  readonly url: string;
  readonly store: string;
  readonly version: string;
  readonly started_at: string;
  /** It belongs to a command: it runs what somebody follows, and ends with that. */
  readonly only_followed: boolean;
  readonly connected_workers: number;
  readonly slots: number;
  readonly unfinished_jobs: number;
  readonly active_tasks: number;
  readonly queued_tasks: number;
  readonly completed_tasks: number;
  readonly failed_tasks: number;
  readonly tasks_per_second: number | null;
}
