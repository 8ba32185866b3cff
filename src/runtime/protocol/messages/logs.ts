/**
 * What tasks print, on its way: from a worker to the foreman, and from there to whoever reads it. A log is
 * a sequence of pieces (about a line each) with a stream and an instant; pieces are columns over one run
 * of bytes. Logs are fenced like results, and nothing waits for them: where they cannot be kept up with,
 * bytes are dropped and counted.
 */
import * as z from "zod/mini";
import { assignmentId, bytes, jobId, request, sequence, u32, u32Column } from "./fields.ts";

/** `log` is `ctx.log` and what the console prints of a function; `gap` says what was dropped. */
export const LOG_STREAMS = ["stdout", "stderr", "log", "gap"] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** Consecutive bytes of one attempt's log. A worker keeps it until it is acknowledged. */
export const taskLog = z.object({
  type: z.literal("task_log"),
  /** From 1 in each boot. */
  log_seq: sequence,
  assignment: assignmentId,
  job_id: jobId,
  index: u32,
  attempt: u32,
  /** Bytes of this attempt's log before these, dropped ones included: a repetition is recognised. */
  first_byte: z.number().check(z.minimum(0)),
  /** Of each piece: row in LOG_STREAMS, how long ago it was printed when this was sent, its bytes. */
  stream: u32Column,
  ago_ms: u32Column,
  length: u32Column,
  count: u32,
  data: bytes,
  /** Nothing follows of this attempt. */
  last: z.boolean(),
});

/** Cumulative; what was refused by the fence is acknowledged too. `pause_ms`: send nothing meanwhile. */
export const taskLogAck = z.object({
  type: z.literal("task_log_ack"),
  log_seq: sequence,
  pause_ms: z.optional(u32),
});

export const readLogs = z.object({
  type: z.literal("read_logs"),
  request,
  job_id: jobId,
  /** Of this task only. */
  index: z.optional(u32),
  /** Of this attempt only; 0: of each task's newest. */
  attempt: z.optional(u32),
  streams: z.optional(z.array(z.enum(LOG_STREAMS)).check(z.maxLength(LOG_STREAMS.length))),
  /** Only of tasks that have failed. */
  failed: z.optional(z.boolean()),
  /** Only what was printed at or after this instant. */
  since_ms: z.optional(z.number()),
  /** Forward from the cursor on (left out: from the start), or the last ones before it (the end). */
  direction: z.enum(["forward", "backward"]),
  cursor: z.optional(z.number().check(z.minimum(0))),
  bytes_max: u32,
  /** Forward: wait for more (an answer comes at the latest after 30 s) instead of ending there. */
  wait: z.boolean(),
});

export const logs = z.object({
  type: z.literal("logs"),
  request,
  job_id: jobId,
  /** Cursors before the first and behind the last piece of this answer. */
  first_cursor: z.number(),
  next_cursor: z.number(),
  at_start: z.boolean(),
  at_end: z.boolean(),
  /** Nothing will follow: what it was asked of has ended. */
  finished: z.boolean(),
  /** Bytes of all that matches, also outside this answer, and how many were dropped of it. */
  total_bytes: z.number(),
  dropped_bytes: z.number(),
  count: u32,
  index: u32Column,
  attempt: u32Column,
  stream: u32Column,
  /** When each piece was printed: milliseconds after `base_ms`. */
  base_ms: z.number(),
  after_ms: u32Column,
  length: u32Column,
  data: bytes,
});

export const logMessages = [taskLog, taskLogAck, readLogs, logs] as const;
