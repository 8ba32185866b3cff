/**
 * What a worker and the foreman say to each other. A worker sends durations, never instants; `seq`
 * numbers its reports (task_started, task_result, tasks_returned) from 1 in each session, so that
 * acknowledgements are cumulative and a resend after a reconnect is recognised.
 */
import * as z from "zod/mini";
import { workerOffer } from "../job-spec.ts";
import { LANE_JOBS_MAX, LANE_SECONDS, OBSERVE_SECONDS_MAX } from "../limits.ts";
import {
  assignmentId,
  bytes,
  durationMs,
  isColumnOf,
  isWholeColumn,
  jobId,
  request,
  sequence,
  sha256,
  shortText,
  taskCount,
  u32,
  u32Column,
  u32List,
  valueColumn,
} from "./fields.ts";

const heldTasks = z.object({ assignment: assignmentId, index: u32List });

/** After each (re)connection: who this is, what it offers and what it still holds. */
export const workerReady = z.object({
  type: z.literal("worker_ready"),
  worker_id: z.string().check(z.minLength(1), z.maxLength(256)),
  boot_id: z.string().check(z.minLength(8), z.maxLength(64)),
  /** Higher with each connection of this boot; older connections are ignored. */
  connection_seq: sequence,
  offer: workerOffer,
  /** Every task it was given and has not reported: waiting, running or finished. */
  inventory: z.array(heldTasks),
  /** The last report `seq` for which it has seen an acknowledgement. */
  acknowledged_seq: sequence,
});

/** The offer has changed (thresholds, time left). `accepting: false`: no new tasks now. */
export const announce = z.object({
  type: z.literal("announce"),
  offer: workerOffer,
  accepting: z.boolean(),
  /** Why not, such as `memory 91 % > 85 %`. */
  reason: z.nullable(shortText),
  /**
   * It ends when its running tasks have. `requested` by `drain`, which may still undo it; `stopping`:
   * a signal or a limit, which nothing undoes. Absent: it stays.
   */
  draining: z.optional(z.enum(["requested", "stopping"])),
});

/** Finish what runs, hand back the rest at once, then leave; or, with `undo`, stay after all. */
export const drain = z.object({ type: z.literal("drain"), undo: z.boolean() });

export const heartbeat = z.object({
  type: z.literal("heartbeat"),
  connection_seq: sequence,
  beat: sequence,
  running: z.array(heldTasks),
  /** Per cent of the machine. */
  cpu: z.number(),
  memory: z.number(),
  free_slots: u32,
  /** From the beat before until its echo was here. */
  round_trip_us: z.optional(u32),
});

/** The foreman's echo: its absence shows a one-way cut. */
export const heartbeatEcho = z.object({ type: z.literal("heartbeat_echo"), beat: sequence });

/** Somebody looks at this worker: it tells once a second what its slots do, for so long. Said again while it is wanted. */
export const observe = z.object({
  type: z.literal("observe"),
  seconds: z.int().check(z.minimum(1), z.maximum(OBSERVE_SECONDS_MAX)),
});

/** Bytes of `activity.lanes`. */
export const LANE_IDLE = 0;
export const LANE_FAILED = 1;
/** The first row of `jobs`; the others follow. */
export const LANE_FIRST_JOB = 2;
export const LANE_OTHER_JOB = 255;

/**
 * What the slots did since it was told last, at first up to LANE_SECONDS back, and what they do now.
 * Only while observed; in memory only, and nothing is decided by it.
 */
export const activity = z
  .object({
    type: z.literal("activity"),
    slots: z.int().check(z.minimum(1), z.maximum(4096)),
    /** Told of; the last one is just over. */
    seconds: z.int().check(z.minimum(0), z.maximum(LANE_SECONDS)),
    /** Slot by slot a byte a second, the oldest first: 0 idle, 1 a failure, from 2 on row of `jobs`, 255 any other job. */
    lanes: bytes,
    jobs: z.array(jobId).check(z.maxLength(LANE_JOBS_MAX)),
    /** What runs now, one a slot. */
    tasks: z
      .array(
        z.object({
          slot: z.int().check(z.minimum(1), z.maximum(4096)),
          job_id: jobId,
          index: u32,
          attempt: u32,
          running_ms: durationMs,
          /** Of its process tree, 100 is one core; null where that is not known (yet). */
          cpu_percent: z.nullable(z.number()),
          memory_bytes: z.nullable(z.number()),
        }),
      )
      .check(z.maxLength(4096)),
  })
  .check(
    z.refine(
      (message) => message.lanes.byteLength === message.slots * message.seconds,
      "lanes must have a byte a slot and second",
    ),
  );

/** `attempt` is the number these executions carry. Consecutive indexes travel as `first_index`. */
export const assignTask = z
  .object({
    type: z.literal("assign_task"),
    assignment: assignmentId,
    job_id: jobId,
    /** The job's spec when this session sees the job, or this version of it, for the first time. */
    spec: z.optional(z.unknown()),
    /** Grows when the spec changes. */
    spec_version: u32,
    owner: shortText,
    bundle_sha256: z.nullable(sha256),
    priority: z.int(),
    attempt: u32Column,
    /** 0: none. */
    timeout_ms: durationMs,
    first_index: z.optional(u32),
    index: z.optional(u32List),
    count: taskCount,
    input: valueColumn,
  })
  .check(
    z.refine(
      (message) => isWholeColumn(message.input, message.count) && hasIndexes(message),
      "columns must have `count` rows",
    ),
  );

/** Only for tasks that have run 50 ms. */
export const taskStarted = z.object({
  type: z.literal("task_started"),
  seq: sequence,
  assignment: assignmentId,
  index: u32List,
  running_us: u32Column,
});

/** One status a message. A failure's value is of kind 5, a command's of kind 4. */
export const taskResult = z
  .object({
    type: z.literal("task_result"),
    seq: sequence,
    assignment: assignmentId,
    job_id: jobId,
    status: z.enum(["completed", "failed"]),
    first_index: z.optional(u32),
    index: z.optional(u32List),
    count: taskCount,
    attempt: u32Column,
    run_us: u32Column,
    ended_ago_us: u32,
    /** Failure codes, one a row. */
    code: z.optional(z.array(shortText)),
    /** 1 where a failure must not be retried. */
    permanent: z.optional(u32Column),
    value: valueColumn,
  })
  .check(
    z.refine(
      (message) =>
        isWholeColumn(message.value, message.count) &&
        isColumnOf(message.attempt, message.count) &&
        isColumnOf(message.run_us, message.count) &&
        (message.permanent === undefined || isColumnOf(message.permanent, message.count)) &&
        (message.status === "failed") === (message.code?.length === message.count) &&
        hasIndexes(message),
      "columns must have `count` rows, and failures a code each",
    ),
  );

/** Cumulative, sent after the commit; `stale` names what was refused. Credit is informative. */
export const taskResultAck = z.object({
  type: z.literal("task_result_ack"),
  seq: sequence,
  stale: z.optional(z.array(heldTasks)),
});

/** Takes unstarted tasks back; only the worker's answer frees a task. */
export const revokeTask = z.object({
  type: z.literal("revoke_task"),
  request,
  assignment: assignmentId,
  index: u32List,
});

/** Never started. `request` when it answers a revocation (also with no rows: all had started). */
export const tasksReturned = z.object({
  type: z.literal("tasks_returned"),
  seq: sequence,
  request: z.optional(request),
  assignment: assignmentId,
  index: u32List,
  /** `drain`, `refused`, `aborted` (had started, handed back uncounted), `worker_storage`, `overload`, … */
  reason: shortText,
});

/** The tasks are fenced already; the worker ends them and reports `tasks_gone` when nothing is left of them. */
export const cancelTask = z.object({
  type: z.literal("cancel_task"),
  assignment: assignmentId,
  index: u32List,
  reason: shortText,
});

/** The processes of these tasks are gone: their slots are free. */
export const tasksGone = z.object({
  type: z.literal("tasks_gone"),
  seq: sequence,
  assignment: assignmentId,
  index: u32List,
});

/** Orderly end of a session, either way; nothing of it remains assigned. */
export const goodbye = z.object({ type: z.literal("goodbye"), reason: shortText });

/** Code on its way: offer -> need or done -> chunks -> done. A worker begins with `blob_need`. */
export const blobOffer = z.object({
  type: z.literal("blob_offer"),
  request,
  sha256,
  kind: z.literal("bundle"),
  byte_count: u32,
});
export const blobNeed = z.object({ type: z.literal("blob_need"), request, sha256 });
export const blobChunk = z.object({
  type: z.literal("blob_chunk"),
  request,
  sha256,
  number: u32,
  data: bytes,
});
export const blobDone = z.object({ type: z.literal("blob_done"), request, sha256 });

export const workerMessages = [
  workerReady,
  announce,
  drain,
  heartbeat,
  heartbeatEcho,
  observe,
  activity,
  assignTask,
  taskStarted,
  taskResult,
  taskResultAck,
  revokeTask,
  tasksReturned,
  cancelTask,
  tasksGone,
  goodbye,
  blobOffer,
  blobNeed,
  blobChunk,
  blobDone,
] as const;

function hasIndexes(message: {
  readonly first_index?: number | undefined;
  readonly index?: Uint32Array | undefined;
  readonly count: number;
}): boolean {
  if (message.index === undefined) return message.first_index !== undefined;
  return message.first_index === undefined && message.index.length === message.count;
}
