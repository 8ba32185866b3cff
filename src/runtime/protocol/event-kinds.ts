/**
 * Every kind of event in the durable log, with its fields: what `cc events` can print. Who records one
 * is held to this table by its types, and docs/events.md is made from it, so neither can go stale.
 * Kinds are per job, worker and batch of tasks; the ordinary life of a task is never an event.
 */

export interface EventKindNote {
  readonly about: "foreman" | "job" | "tasks" | "worker";
  readonly meaning: string;
  /** By key; `?` at the end: not always there. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Which tasks of the job a batch is about. */
const TASKS = {
  count: "how many tasks",
  tasks: "their indexes as `[first, last]` pairs, at most 16",
  "tasks_left_out?": "how many of them the pairs do not cover",
} as const;
const CODES = { codes: "how many by failure code; `other` gathers what is beyond eight" } as const;
const BOOT = { boot: "the start of the worker process" } as const;

export const EVENT_KINDS = {
  foreman_started: {
    about: "foreman",
    meaning: "The foreman took up where the store stands.",
    fields: {
      jobs: "unfinished jobs",
      assignments: "batches that workers may still hold",
    },
  },
  foreman_stopped: {
    about: "foreman",
    meaning: "It ended in order. Without this line before the next start it was killed.",
    fields: {},
  },
  foreman_stood_still: {
    about: "foreman",
    meaning: "It was suspended, or its machine was; every worker got a whole lease anew.",
    fields: { seconds: "for how long", workers: "sessions whose lease was extended" },
  },
  clock_went_back: {
    about: "foreman",
    meaning: "The wall clock was behind the last event at the start; all waits kept their length.",
    fields: { seconds: "by how much" },
  },
  storage_full: {
    about: "foreman",
    meaning: "Its disk is full: new work is refused and nothing new starts; results are recorded.",
    fields: { folder: "the store's" },
  },
  storage_recovered: {
    about: "foreman",
    meaning: "The disk has room again, and everything goes on.",
    fields: {},
  },
  logs_dropped: {
    about: "foreman",
    meaning:
      "What tasks printed could not be kept; results are not affected. At most one such line a minute.",
    fields: { bytes: "since the last such line", reason: "in words" },
  },
  logs_set_aside: {
    about: "foreman",
    meaning: "The file of all logs was damaged: it lies under another name, and new logs began.",
    fields: { path: "where it lies", reason: "in words" },
  },
  logs_removed: {
    about: "job",
    meaning: "The log of an ended job went, to keep the quota of all logs (`--logs-size`).",
    fields: { bytes: "what it had, before it began to go" },
  },
  job_submitted: {
    about: "job",
    meaning: "The job was accepted.",
    fields: {
      name: "its name",
      owner: "whose it is",
      queue: "its queue",
      task_count: "inputs that came along",
      inputs_open: "more may follow; then `inputs_closed` tells how many there are",
    },
  },
  inputs_closed: {
    about: "job",
    meaning: "All inputs have arrived.",
    fields: { task_count: "how many" },
  },
  job_changed: {
    about: "job",
    meaning: "Options were changed (`cc set`, `cc retry` with options).",
    fields: { options: "which, by name" },
  },
  job_paused: { about: "job", meaning: "Nothing of it starts any more.", fields: {} },
  job_resumed: { about: "job", meaning: "It goes on.", fields: {} },
  job_cancelled: {
    about: "job",
    meaning: "Everything not settled was cancelled.",
    fields: {
      code: "`cancelled`, `submitter_lost`, `all_failing`, `max_fails` or `dependency_failed`",
      reason: "in words",
      count: "tasks that were not settled",
    },
  },
  job_ended: {
    about: "job",
    meaning: "Every task is settled and no more inputs come.",
    fields: {
      state: "`completed`, `failed` or `cancelled`",
      completed: "tasks",
      failed: "tasks",
      cancelled: "tasks",
      "events_left_out?": "events about its tasks that were not recorded (see `events_left_out`)",
    },
  },
  job_removed: {
    about: "job",
    meaning: "The job was forgotten with all it left, its other events too.",
    fields: {
      job_id: "its number",
      name: "its name",
      state: "how it had ended",
      why: "`request` (`cc rm`), `age` or `count` (retention)",
    },
  },
  events_left_out: {
    about: "job",
    meaning:
      "The job has had so many events about tasks that no more of them are recorded; `job_ended` says how many.",
    fields: { recorded: "events about its tasks so far" },
  },
  tasks_cancelled: {
    about: "tasks",
    meaning: "Single tasks were cancelled.",
    fields: { ...TASKS, code: "the failure code", reason: "in words" },
  },
  tasks_reopened: {
    about: "tasks",
    meaning: "Settled tasks were queued again (`cc retry`).",
    fields: TASKS,
  },
  tasks_failed: {
    about: "tasks",
    meaning: "Their last attempt failed, and so did they.",
    fields: { ...TASKS, ...CODES },
  },
  attempts_failed: {
    about: "tasks",
    meaning: "An attempt failed and counts against `--retries`; another follows.",
    fields: { ...TASKS, ...CODES, retry_in_seconds: "the shortest back-off of them" },
  },
  attempts_moved: {
    about: "tasks",
    meaning:
      "An attempt failed for want of space on its worker's disk; that counts against nothing, and the task runs elsewhere.",
    fields: { ...TASKS, ...CODES },
  },
  attempts_lost: {
    about: "tasks",
    meaning: "Their worker was lost, which never counts against `--retries`.",
    fields: {
      ...TASKS,
      ...BOOT,
      crashes: "of these tasks got a crash point, as they had started",
      unknown: "may or may not have started",
    },
  },
  attempts_aborted: {
    about: "tasks",
    meaning: "Started attempts ended on purpose; they count against nothing.",
    fields: TASKS,
  },
  crash_points_returned: {
    about: "tasks",
    meaning: "The worker came back after all: what was held against these tasks is taken back.",
    fields: { ...TASKS, ...BOOT },
  },
  tasks_run_alone: {
    about: "tasks",
    meaning: "They took workers down, or may have: from now on each runs without company.",
    fields: TASKS,
  },
  tasks_poisoned: {
    about: "tasks",
    meaning: "They failed as `poison`: too many workers were lost while they ran.",
    fields: { ...TASKS, max_crashes: "the limit, `--max-crashes`" },
  },
  tasks_refused: {
    about: "tasks",
    meaning: "The worker handed them back by itself, unstarted; they wait a moment.",
    fields: { ...TASKS, reason: "the worker's words" },
  },
  stale_attempt: {
    about: "tasks",
    meaning:
      "Results came too late and were refused: the tasks run, or ran, under another assignment.",
    fields: {
      "job_id?": "the job's number, also when the job is forgotten",
      ...TASKS,
      ...BOOT,
      assignment: "the batch they belonged to",
      status: "what the worker said of them",
    },
  },
  worker_connected: {
    about: "worker",
    meaning: "A new start of the worker is here.",
    fields: { ...BOOT, slots: "offered", host: "where it runs" },
  },
  worker_reconnected: {
    about: "worker",
    meaning: "The same start is connected again; what both sides know of goes on.",
    fields: {
      ...BOOT,
      adopted: "tasks that go on there",
      requeued: "tasks it does not have, which are queued again",
    },
  },
  worker_connection_lost: {
    about: "worker",
    meaning: "Its connection closed; it has the reconnect grace to come back.",
    fields: { ...BOOT, held: "tasks it holds" },
  },
  worker_lost: {
    about: "worker",
    meaning: "It was given up; its tasks are queued again.",
    fields: { ...BOOT, reason: "in words", running: "tasks it held" },
  },
  worker_left: {
    about: "worker",
    meaning: "It ended in order.",
    fields: { reason: "in words" },
  },
  worker_refused: {
    about: "worker",
    meaning: "A worker was turned away; at most one such line a minute for each name.",
    fields: { code: "why", reason: "in words" },
  },
  worker_paused: {
    about: "worker",
    meaning: "It gets nothing new (`cc pause`).",
    fields: { now: "what runs was handed back, too" },
  },
  worker_resumed: { about: "worker", meaning: "It takes tasks again.", fields: { now: "`false`" } },
  worker_draining: {
    about: "worker",
    meaning: "It takes nothing new and leaves when its running tasks have ended.",
    fields: {
      requested: "by `cc drain`, not by a signal or a limit",
      reason: "in words",
      "held?": "tasks it holds",
    },
  },
  worker_drain_undone: {
    about: "worker",
    meaning: "It stays after all (`cc drain --undo`).",
    fields: {},
  },
  worker_unwilling: {
    about: "worker",
    meaning: "It takes nothing new for now; at most one such line a minute.",
    fields: { reason: "the worker's words, such as its memory or its disk" },
  },
  worker_willing: { about: "worker", meaning: "It takes tasks again by itself.", fields: {} },
  worker_set_aside: {
    about: "worker",
    meaning: "It fails what it should not, and gets nothing for a while.",
    fields: { reason: "in words", seconds: "for how long" },
  },
  worker_probed: {
    about: "worker",
    meaning: "Its time aside is over: it gets one task at a time until one completes.",
    fields: {},
  },
  worker_trusted_again: {
    about: "worker",
    meaning: "A task completed there after it was set aside.",
    fields: {},
  },
} as const satisfies Readonly<Record<string, EventKindNote>>;

export type EventKind = keyof typeof EVENT_KINDS;

export const isEventKind = (word: string): word is EventKind => Object.hasOwn(EVENT_KINDS, word);

export type EventValue =
  | string
  | number
  | boolean
  | null
  | readonly string[]
  | readonly (readonly [first: number, last: number])[]
  | Readonly<Record<string, number>>;

type FieldsOf<Kind extends EventKind> = keyof (typeof EVENT_KINDS)[Kind]["fields"] & string;
type Optional<Kind extends EventKind> =
  FieldsOf<Kind> extends infer Key ? (Key extends `${infer Name}?` ? Name : never) : never;
type Required<Kind extends EventKind> =
  FieldsOf<Kind> extends infer Key ? (Key extends `${string}?` ? never : Key) : never;

/** Exactly the fields that the table names. */
export type EventBody<Kind extends EventKind> = {
  readonly [Key in Required<Kind> & string]: EventValue;
} & { readonly [Key in Optional<Kind> & string]?: EventValue };
