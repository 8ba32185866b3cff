/**
 * A command's stdout that is larger than a value: on its way from the worker to the foreman while the
 * command runs, and from there to whoever reads it. Its bytes never stand in a result, which only says how
 * many they are and what their SHA-256 is (value kind 6). They are fenced like results, and whoever
 * cannot keep up slows the command down: no side ever holds more than was granted.
 */
import * as z from "zod/mini";
import { assignmentId, bytes, jobId, request, shortText, u32 } from "./fields.ts";

/** A position in an output, or its length. */
const outputBytes = z.int().check(z.minimum(0));

/**
 * Bytes of one attempt's stdout, in order and only as far as was granted; without any, it asks for a grant.
 * After a reconnect a worker goes on at the first byte that it has not been told to be kept.
 */
export const outputChunk = z.object({
  type: z.literal("output_chunk"),
  assignment: assignmentId,
  job_id: jobId,
  index: u32,
  attempt: u32,
  /** Where `data` begins. */
  first_byte: outputBytes,
  data: bytes,
  /** So many more wait at the worker. */
  ready_bytes: outputBytes,
  /** Nothing follows `data`. */
  last: z.boolean(),
});

/** What is kept of an output and what more of it may be sent, or that nothing is. */
export const outputChunkAck = z.object({
  type: z.literal("output_chunk_ack"),
  assignment: assignmentId,
  index: u32,
  /** Bytes before this one are on disk: a worker may forget them. */
  kept_bytes: outputBytes,
  /** Bytes before this one may be sent. While the foreman has no room it grants nothing, and says so later. */
  until_byte: outputBytes,
  /** All is kept, also the last: a result may refer to it. */
  whole: z.boolean(),
  /** It is not taken, and what there was of it is gone: beyond the quota, or the task is somebody else's. */
  refusal: z.optional(z.object({ code: shortText, message: shortText })),
});

/** Bytes of a task's stdout that its result (kind 6) names. */
export const readOutput = z.object({
  type: z.literal("read_output"),
  request,
  job_id: jobId,
  index: u32,
  /** As in the result. */
  assignment: assignmentId,
  first_byte: outputBytes,
  bytes_max: u32,
});

/** The bytes from `first_byte` on. */
export const output = z.object({
  type: z.literal("output"),
  request,
  job_id: jobId,
  index: u32,
  first_byte: outputBytes,
  /** Fewer than were asked for where a frame or the output ends. */
  data: bytes,
  /** Of the whole output. */
  total_bytes: outputBytes,
});

export const outputMessages = [outputChunk, outputChunkAck, readOutput, output] as const;
