/**
 * What a client (submit, results, wait, jobs …) and the foreman say to each other. Every client
 * message carries `request`, echoed in its answer; an answer may also be an `error`.
 */
import * as z from "zod/mini";
import { jobPatch, jobSpec } from "../job-spec.ts";
import { MONITOR_ROWS_MAX } from "../limits.ts";
import {
  isWholeColumn,
  jobId,
  request,
  shortText,
  taskCount,
  u32,
  u32List,
  valueColumn,
} from "./fields.ts";

/** Creates the job, or finds it by its submission id; the first inputs may travel along. */
export const submitJob = z
  .object({
    type: z.literal("submit_job"),
    request,
    /** The user's idempotency key or a random UUID; unique per owner. */
    submission_id: z.string().check(z.minLength(1), z.maxLength(256)),
    /** The user chose the id: an open job waits a day for the same line, else 60 s. */
    resumable: z.boolean(),
    spec: jobSpec,
    count: taskCount,
    input: valueColumn,
    /** No inputs follow. */
    close: z.boolean(),
  })
  .check(z.refine((message) => isWholeColumn(message.input, message.count), "bad input column"));

export const jobAccepted = z.object({
  type: z.literal("job_accepted"),
  request,
  job_id: jobId,
  /** How many inputs the foreman holds; a resend begins there. */
  next_index: u32,
  /** CRC-32 over the bytes of those inputs' values. */
  input_crc32: u32,
  /** The submission id was known: this is that job. */
  existing: z.boolean(),
  credit_bytes: u32,
});

export const submitTasks = z
  .object({
    type: z.literal("submit_tasks"),
    request,
    job_id: jobId,
    first_index: u32,
    count: taskCount,
    input: valueColumn,
  })
  .check(z.refine((message) => isWholeColumn(message.input, message.count), "bad input column"));

export const tasksAccepted = z.object({
  type: z.literal("tasks_accepted"),
  request,
  job_id: jobId,
  next_index: u32,
  credit_bytes: u32,
});

/** No inputs follow; `count` must be what the foreman holds. Answered with `job_status`. */
export const closeJob = z.object({
  type: z.literal("close_job"),
  request,
  job_id: jobId,
  count: u32,
});

/** Answered with `job_status`. */
export const updateJob = z.object({
  type: z.literal("update_job"),
  request,
  job_id: jobId,
  patch: jobPatch,
});

/** Without `index` the whole job. Answered with `job_status` once committed. */
export const cancelJob = z.object({
  type: z.literal("cancel_job"),
  request,
  job_id: jobId,
  index: z.optional(u32List),
  reason: z.optional(shortText),
  /** `cancelled` unless the submitter gave the job up. */
  code: z.optional(z.enum(["cancelled", "submitter_lost"])),
});

/** Queues failed and cancelled tasks again (completed ones only with `all`). */
export const retryJob = z.object({
  type: z.literal("retry_job"),
  request,
  job_id: jobId,
  index: z.optional(u32List),
  where_code: z.optional(shortText),
  all: z.boolean(),
  patch: z.optional(jobPatch),
});

export const removeJob = z.object({ type: z.literal("remove_job"), request, job_id: jobId });

/** Applies retention now, or (dry) only says what it would forget. Answered with `garbage`. */
export const collectGarbage = z.object({
  type: z.literal("collect_garbage"),
  request,
  dry_run: z.boolean(),
});

/** `body` is views.ts's `GarbageView`; ask again while it says `more`. */
export const garbage = z.object({ type: z.literal("garbage"), request, body: z.unknown() });

/** The job as it is after the request; `affected` tasks were cancelled or queued again. */
export const jobStatus = z.object({
  type: z.literal("job_status"),
  request,
  job: z.unknown(),
  affected: u32,
  /** After a retry: the settlement that reopened the tasks; names them to `read_results`. */
  reopen_seq: z.optional(u32),
  /** A sentence when there was nothing to do. */
  note: z.optional(shortText),
});

/** Asks for `job_status` without a change. */
export const getJob = z.object({ type: z.literal("get_job"), request, job_id: jobId });

const listLimit = u32;

/** Which part of a list a monitor shows. What a sort or filter is called: row-filter.ts, docs/monitor.md. */
const listWindow = z.object({
  /** A column's name; "" for the list's own order. */
  sort: shortText,
  reverse: z.boolean(),
  filter: shortText,
  /** Position of the first row wanted; an answer may begin earlier when the list is shorter. */
  from: u32,
  rows: z.int().check(z.minimum(0), z.maximum(MONITOR_ROWS_MAX)),
  /** The id of a row whose position is asked for; with `around` the window moves so that it is inside. */
  anchor: z.optional(shortText),
  around: z.optional(z.boolean()),
});
export type ListWindow = z.infer<typeof listWindow>;

/** How far the charts reach back, and where they end. */
const chartSpan = {
  window_seconds: z.int().check(z.minimum(60), z.maximum(86_400)),
  /** The charts end so long ago; 0: now. */
  back_seconds: z.int().check(z.minimum(0), z.maximum(86_400)),
};

/** What can be looked at; answered with `snapshot`, and with `delta`s when followed. */
export const view = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("jobs"),
    states: z.optional(z.array(shortText)),
    name_glob: z.optional(shortText),
    mine: z.optional(z.boolean()),
    /** Finished jobs shown after the unfinished ones; 0: all. */
    limit: listLimit,
    /** Cursor: only jobs below this id (finished part). */
    before: z.optional(u32),
  }),
  z.object({ kind: z.literal("job"), job_id: jobId }),
  z.object({
    kind: z.literal("tasks"),
    job_id: jobId,
    states: z.optional(z.array(shortText)),
    from_index: u32,
    limit: listLimit,
    inputs: z.boolean(),
  }),
  z.object({ kind: z.literal("task"), job_id: jobId, index: u32 }),
  z.object({ kind: z.literal("workers") }),
  z.object({ kind: z.literal("worker"), worker_id: shortText }),
  z.object({
    kind: z.literal("why"),
    job_id: z.optional(jobId),
    index: z.optional(u32),
    worker_id: z.optional(shortText),
  }),
  /** Counters of a few jobs, the reason why nothing runs, and lost workers: what a progress bar needs. */
  z.object({ kind: z.literal("progress"), job_ids: z.array(jobId).check(z.maxLength(1000)) }),
  z.object({ kind: z.literal("foreman") }),
  /** The caller's newest job (`last`): its id or null. */
  z.object({ kind: z.literal("last_job") }),
  /** What the monitor's screens show; the bodies are those of monitor-views.ts. */
  z.object({
    kind: z.literal("overview"),
    ...chartSpan,
    jobs: listWindow,
    workers: listWindow,
    /** Of the newest events so many. */
    events: z.int().check(z.minimum(0), z.maximum(200)),
  }),
  z.object({
    kind: z.literal("job_monitor"),
    job_id: jobId,
    ...chartSpan,
    /** Cells of the grid of task states, at most. */
    cells: z.int().check(z.minimum(0), z.maximum(4096)),
    tasks: listWindow,
  }),
  z.object({
    kind: z.literal("task_monitor"),
    job_id: jobId,
    index: u32,
    /** Of the input, the result and stderr each at most. */
    text_characters: z.int().check(z.minimum(0), z.maximum(65_536)),
  }),
  z.object({
    kind: z.literal("worker_monitor"),
    worker_id: shortText,
    ...chartSpan,
    tasks: listWindow,
  }),
]);
export type View = z.infer<typeof view>;

/** `follow`: deltas until `unsubscribe`, at most 4 a second. */
export const subscribe = z.object({
  type: z.literal("subscribe"),
  request,
  view,
  follow: z.boolean(),
  /** Deltas carry `patch` against the view before instead of the whole `body`. */
  patches: z.optional(z.boolean()),
});

export const unsubscribe = z.object({ type: z.literal("unsubscribe"), request });

/** `body` is the JSON of views.ts for the view's kind; `input`/`value` carry opaque values along. */
export const snapshot = z.object({
  type: z.literal("snapshot"),
  request,
  seq: u32,
  body: z.unknown(),
  value: z.optional(valueColumn),
});

/**
 * The view anew: whole, where a gap in `seq` loses nothing, or (asked for with `patches`) as what changed
 * since the one numbered `seq - 1`, in the form of view-patch.ts.
 */
export const delta = z.object({
  type: z.literal("delta"),
  request,
  seq: u32,
  body: z.optional(z.unknown()),
  patch: z.optional(z.unknown()),
});

/** Pauses a worker's intake; `now` also hands back what runs. Answered with `done`. */
export const updateWorker = z.object({
  type: z.literal("update_worker"),
  request,
  worker_id: shortText,
  paused: z.boolean(),
  now: z.boolean(),
});

/**
 * Takes a worker out gracefully, or with `undo` keeps it after all. Answered with `done` once the
 * worker has said that it drains.
 */
export const drainWorker = z.object({
  type: z.literal("drain_worker"),
  request,
  worker_id: shortText,
  undo: z.boolean(),
});

/** Stops the foreman; refused with `unfinished_jobs` unless `force`. Answered with `done`. */
export const shutdown = z.object({ type: z.literal("shutdown"), request, force: z.boolean() });

/** Marks this connection as following jobs, so that a tied foreman lives as long as it does. */
export const followJobs = z.object({
  type: z.literal("follow_jobs"),
  request,
  job_ids: z.array(jobId).check(z.maxLength(1000)),
});

export const done = z.object({
  type: z.literal("done"),
  request,
  note: z.optional(shortText),
});

export const clientMessages = [
  submitJob,
  jobAccepted,
  submitTasks,
  tasksAccepted,
  closeJob,
  updateJob,
  cancelJob,
  retryJob,
  removeJob,
  collectGarbage,
  garbage,
  jobStatus,
  getJob,
  subscribe,
  unsubscribe,
  snapshot,
  delta,
  updateWorker,
  drainWorker,
  shutdown,
  followJobs,
  done,
] as const;
