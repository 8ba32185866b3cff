/**
 * What the monitor (`cc top`) looks at: one view a screen, made of what that screen shows. Lists are
 * windows of rows by id, so that a change of one cell travels as one field (view-patch.ts) and a view's
 * size follows the screen, never the number of tasks, jobs or workers. Keys are snake_case, since the
 * same objects are printed by `cc top --once --json`; figures that would change without meaning are
 * rounded by the foreman.
 */
import type {
  AttemptView,
  ErrorGroupView,
  ForemanView,
  JobState,
  JobView,
  TaskCounts,
  TaskView,
  WhyView,
  WorkerState,
  WorkerView,
} from "./views.ts";

/** Equal steps of time, the oldest first; the last one may be under way. */
export interface SeriesView {
  readonly step_seconds: number;
  /** Up to when the last step is known: the last whole second, or the end of a step further back. */
  readonly until: string;
  /** null: nothing is known of that step. */
  readonly values: readonly (number | null)[];
}

/** A part of a list in its order. `rows` has those of `order`, by id. */
export interface WindowView<Row> {
  /** Rows there are at all. */
  readonly total: number;
  /** Rows that the filter lets through. */
  readonly matching: number;
  /** Position of the first row of `order` among those. */
  readonly from: number;
  readonly order: readonly string[];
  readonly rows: Readonly<Record<string, Row>>;
  /** Where the row is that was asked for as `anchor`; null: the list does not have it. */
  readonly anchor_at: number | null;
  /** Rows that the filter was tried on so far, and that `matching` is about; absent: on all. */
  readonly tried?: number;
}

export interface RateView {
  /** Per second; null before there is a rate. */
  readonly now: number | null;
  readonly average: number | null;
  readonly peak: number | null;
}

/** Job rows are what `cc jobs --json` prints, and what the monitor shows beside it. */
export interface JobRowView extends JobView {
  /** Attempts that failed or were lost and were followed by another; null: not known any more. */
  readonly retries: number | null;
  /** Settled tasks a second over the last minute, a value each 5 seconds. */
  readonly recent: readonly number[];
  readonly elapsed_seconds: number;
  /** Why nothing runs, when nothing runs. */
  readonly why: WhyView | null;
}

export interface WorkerRowView extends Omit<WorkerView, "offer"> {
  readonly host: string;
  readonly version: string;
  readonly memory_bytes: number | null;
  readonly tasks_per_second: number | null;
  readonly recent: readonly number[];
  readonly queues: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface EventLineView {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly job_id: number | null;
  readonly task_id: string | null;
  readonly worker: string | null;
  /** `bad` is a failure or a loss, `notice` what a person did or should know. */
  readonly weight: "plain" | "notice" | "bad";
  readonly sentence: string;
}

export interface OverviewView {
  /** The foreman's clock. */
  readonly at: string;
  readonly foreman: ForemanView;
  readonly throughput: SeriesView;
  readonly failures: SeriesView;
  readonly rate: RateView;
  readonly queue: {
    readonly depth: number;
    readonly delayed: number;
    readonly blocked: number;
    readonly running: number;
    /** Growth a second over the last ten seconds; null before it is known. */
    readonly trend: number | null;
    readonly recent: readonly number[];
  };
  /** Until all unfinished jobs that are not paused are done at this rate. */
  readonly eta_seconds: number | null;
  /** Of all tasks settled in the window. */
  readonly failed_percent: number | null;
  readonly run: PercentilesView;
  readonly slots: { readonly busy: number; readonly total: number };
  readonly memory: { readonly used_bytes: number; readonly total_bytes: number };
  readonly job_states: Readonly<Record<JobState, number>>;
  readonly worker_states: Readonly<Record<WorkerState, number>>;
  readonly jobs: WindowView<JobRowView>;
  readonly workers: WindowView<WorkerRowView>;
  /** The newest first. */
  readonly events: readonly EventLineView[];
  /** What keeps work from being done, when something does. */
  readonly why: WhyView | null;
}

/** Seconds; from a histogram of fixed relative width, so within 10 %. */
export interface PercentilesView {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly max_task_id: string | null;
}

/**
 * All tasks of a job in a few hundred cells, in order of index. A cell's mark is the worst that is in
 * it: `F` one failed, `X` one was cancelled, `R` one runs, `Y` one is delayed, else `.`; `done` says
 * how much of it is settled: `0` nothing … `9` all, one digit a cell.
 */
export interface GridView {
  readonly cell_tasks: number;
  readonly marks: string;
  readonly done: string;
}

export interface ErrorGroupRowView extends ErrorGroupView {
  /** Stable while the job lives. */
  readonly group_id: string;
  readonly last_at: string | null;
  /** The first few, the newest first. */
  readonly task_ids: readonly string[];
  /** Failures by worker, the most first, at most ten. */
  readonly by_worker: readonly { readonly worker: string; readonly count: number }[];
  readonly exit_code: number | null;
}

export interface TaskRowView extends TaskView {
  /** Of a running task that is known to have started; null elsewhere. */
  readonly running_seconds: number | null;
  /** With all its retries; lost workers do not count. */
  readonly attempts_allowed: number | null;
}

export interface JobMonitorView {
  readonly at: string;
  readonly job: JobRowView;
  /** The command line or `JOB.ts`, shortened; secrets redacted. */
  readonly what: string;
  readonly submitted_from: string | null;
  readonly counts: TaskCounts;
  readonly throughput: SeriesView;
  readonly failures: SeriesView;
  readonly rate: RateView;
  readonly run: PercentilesView;
  readonly wait: PercentilesView;
  readonly slots: { readonly busy: number; readonly total: number };
  readonly grid: GridView;
  readonly errors: readonly ErrorGroupRowView[];
  readonly failures_grouped: number;
  readonly tasks: WindowView<TaskRowView>;
  /** A sentence about what the errors have in common, such as one worker that has most of them. */
  readonly advice: WhyView | null;
}

export interface TaskMonitorView extends TaskView {
  readonly at: string;
  readonly job: JobView;
  readonly history: readonly AttemptView[];
  readonly not_before: string | null;
  readonly running_seconds: number | null;
  readonly why: WhyView | null;
  /** Shortened to what a screen can hold; values that are no text are described. */
  readonly input_text: string;
  readonly input_bytes: number;
  readonly result_text: string | null;
  readonly result_bytes: number | null;
  readonly stderr_text: string | null;
  /** How a command that was started ended; both null for a function. */
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** What is in the log of its newest attempt, null lines where nobody counted them; null: nothing was printed. */
  readonly log: { readonly lines: number | null; readonly bytes: number } | null;
}

/** What one slot of a worker did, a letter a second: an index into `lane_jobs`, `.` idle, `!` failure. */
export interface LaneView {
  readonly slot: number;
  readonly lane: string;
}

export interface SlotTaskView {
  readonly slot: number;
  readonly job_id: number;
  readonly task_id: string;
  readonly attempt: number;
  readonly running_seconds: number;
  /** Of its process tree, 100 is one core; null where it cannot be told. */
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
  /** The command line, or the function's file. */
  readonly what: string;
}

export interface WorkerMonitorView {
  readonly at: string;
  readonly worker: WorkerRowView;
  readonly offer: WorkerView["offer"];
  readonly cpu: SeriesView;
  readonly memory: SeriesView;
  readonly throughput: SeriesView;
  readonly failures: SeriesView;
  readonly busy: SeriesView;
  /** Round trip of the last beat; null before one. */
  readonly round_trip_ms: number | null;
  readonly lanes: readonly LaneView[];
  /** By letter. */
  readonly lane_jobs: Readonly<Record<string, { readonly job_id: number; readonly name: string }>>;
  readonly tasks: WindowView<SlotTaskView>;
  /** The newest first. */
  readonly recent_failures: readonly {
    readonly time: string;
    readonly task_id: string;
    readonly code: string;
    readonly message: string;
  }[];
  readonly why: WhyView | null;
}
