/**
 * What tasks print, on its way: from a worker to the foreman, and from there to whoever reads it. A log is
 * a sequence of pieces (about a line each) with a stream and an instant; pieces are columns over one run
 * of bytes. Logs are fenced like results, and nothing waits for them: where they cannot be kept up with,
 * bytes are dropped and counted.
 */
import * as z from "zod/mini";
import type { U32Column } from "../columns.ts";
import { u32At } from "../columns.ts";
import { LOG_PIECES_MAX } from "../limits.ts";
import {
  assignmentId,
  bytes,
  isColumnOf,
  jobId,
  request,
  sequence,
  taskCount,
  u32,
  u32Column,
} from "./fields.ts";

/** `log` is `ctx.log` and what the console prints of a function; `gap` says what was dropped. */
export const LOG_STREAMS = ["stdout", "stderr", "log", "gap"] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

export const LOG_STREAM_STDOUT = 0;
export const LOG_STREAM_STDERR = 1;
export const LOG_STREAM_LOG = 2;
/** The piece's text is how many bytes were dropped here, in decimal. */
export const LOG_STREAM_GAP = 3;

const pieceCount = z.int().check(z.minimum(0), z.maximum(LOG_PIECES_MAX));

/**
 * What tasks of one assignment have printed: parts, each consecutive bytes of one attempt's log, and their
 * pieces. A worker keeps it until it is acknowledged and sends it again on its next connection.
 */
export const taskLog = z
  .object({
    type: z.literal("task_log"),
    /** From 1 in each boot. */
    log_seq: sequence,
    assignment: assignmentId,
    job_id: jobId,
    /** It was sent before, on another connection. */
    again: z.optional(z.boolean()),
    /** More of this job's logs waits at the worker, such as for an acknowledgement. */
    more: z.optional(z.boolean()),
    part_count: taskCount,
    /** Of each part: its task and attempt. */
    index: u32Column,
    attempt: u32Column,
    /**
     * Of each part: bytes of its attempt's log before it, dropped ones included; so a repetition is
     * recognised, and so is what was dropped. Modulo 2^32.
     */
    first_byte: u32Column,
    /** The rest of `first_byte`, divided by 2^32. Absent: 0. */
    first_byte_high: z.optional(u32Column),
    /** Of each part: how many of the pieces are its own. */
    pieces: u32Column,
    /** Pieces of all parts. */
    count: pieceCount,
    /** Of each piece: row in LOG_STREAMS (no gaps), how long ago it was printed when this was sent, its bytes. */
    stream: u32Column,
    ago_ms: u32Column,
    length: u32Column,
    data: bytes,
  })
  .check(
    z.refine((message) => {
      const { part_count: parts, count } = message;
      return (
        isColumnOf(message.index, parts) &&
        isColumnOf(message.attempt, parts) &&
        isColumnOf(message.first_byte, parts) &&
        isHighColumn(message.first_byte_high ?? 0, parts) &&
        isColumnOf(message.pieces, parts) &&
        sumOf(message.pieces, parts) === count &&
        isColumnOf(message.stream, count) &&
        isColumnOf(message.ago_ms, count) &&
        isColumnOf(message.length, count) &&
        sumOf(message.length, count) === message.data.byteLength &&
        areBelow(message.stream, count, LOG_STREAM_GAP)
      );
    }, "columns must have `part_count` and `count` rows, and lengths add up to the data"),
  );

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
  /** Only these; what was dropped is told where `gap` is among them. */
  streams: z.optional(z.array(z.enum(LOG_STREAMS)).check(z.maxLength(LOG_STREAMS.length))),
  /** Only of tasks that have failed: their state now. */
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

/** Pieces in the order in which they arrived, also of an answer backward. */
export const logs = z.object({
  type: z.literal("logs"),
  request,
  job_id: jobId,
  /** Cursors before the first and behind the last piece of this answer. */
  first_cursor: z.number(),
  next_cursor: z.number(),
  /** Whether the search has come to the start, or the end, of what there is: an answer without pieces may be in its midst. */
  at_start: z.boolean(),
  at_end: z.boolean(),
  /** Nothing will follow: what it was asked of has ended. */
  finished: z.boolean(),
  /** Bytes kept of the job, the task or its attempt, also outside this answer, and how many were dropped. */
  total_bytes: z.number(),
  dropped_bytes: z.number(),
  count: u32,
  index: u32Column,
  attempt: u32Column,
  /** Row in LOG_STREAMS. A gap's text is how many bytes were dropped there, in decimal. */
  stream: u32Column,
  /** When each piece was printed: milliseconds after `base_ms`. */
  base_ms: z.number(),
  after_ms: u32Column,
  length: u32Column,
  data: bytes,
});

export const logMessages = [taskLog, taskLogAck, readLogs, logs] as const;

/** A number must hold what it stands for exactly. */
const isHighColumn = (column: U32Column, count: number): boolean =>
  isColumnOf(column, count) && areBelow(column, count, 2 ** 20);

function sumOf(column: U32Column, count: number): number {
  if (typeof column === "number") return column * count;
  let sum = 0;
  for (let row = 0; row < count; row++) sum += column[row] as number;
  return sum;
}

function areBelow(column: U32Column, count: number, limit: number): boolean {
  if (typeof column === "number") return count === 0 || column < limit;
  for (let row = 0; row < count; row++) if (u32At(column, row) >= limit) return false;
  return true;
}
