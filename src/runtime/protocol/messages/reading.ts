/**
 * What a client reads in pages: results of a job and events of the log. Pull is back-pressure: whoever
 * reads slowly asks rarely, and nothing is kept for it between two requests.
 */
import * as z from "zod/mini";
import {
  isWholeColumn,
  jobId,
  request,
  shortText,
  taskCount,
  u32,
  u32Column,
  u32List,
  valueColumn,
} from "./fields.ts";

export const readResults = z.object({
  type: z.literal("read_results"),
  request,
  job_id: jobId,
  order: z.enum(["index", "settled"]),
  /** The cursor: first index (or settlement position) wanted; `next_after` of the answer before. */
  after: z.int().check(z.minimum(0)),
  bytes_max: u32,
  /** Wait for the next result (an answer comes at the latest after 30 s) instead of ending there. */
  wait: z.boolean(),
  /** In order of index: go past unsettled tasks instead of stopping at the first. */
  skip_holes: z.boolean(),
  /** Only tasks that this settlement reopened. */
  reopened_by: z.optional(u32),
  /** The tasks' inputs travel along (`--tag`, `--output` with placeholders). */
  inputs: z.optional(z.boolean()),
});

export const results = z
  .object({
    type: z.literal("results"),
    request,
    job_id: jobId,
    next_after: z.int().check(z.minimum(0)),
    /** Nothing further will come: every task is settled and before the cursor (or, without `wait`,
     * nothing more is settled now). */
    end: z.boolean(),
    /** The job itself has ended. */
    finished: z.boolean(),
    count: taskCount,
    index: u32List,
    /** 0 completed, 1 failed, 2 cancelled. */
    status: u32Column,
    attempt: u32Column,
    run_us: u32Column,
    /** Row in `worker_name`. */
    worker: u32Column,
    worker_name: z.array(shortText),
    value: valueColumn,
    /** One a row, when they were asked for. */
    input: z.optional(valueColumn),
  })
  .check(
    z.refine(
      (message) =>
        isWholeColumn(message.value, message.count) &&
        (message.input === undefined || isWholeColumn(message.input, message.count)),
      "bad value column",
    ),
  );

/** Pull is back-pressure: whoever reads slowly asks rarely, and nothing is kept for it. */
export const readEvents = z.object({
  type: z.literal("read_events"),
  request,
  /** Events with a larger number only; `next_after` of the answer before. */
  after: z.int().check(z.minimum(0)),
  bytes_max: u32,
  /** Wait for the next event (an answer comes at the latest after 30 s) instead of ending there. */
  wait: z.boolean(),
  /** Only those about this job, or with `index` about this task and its whole job. */
  job_id: z.optional(jobId),
  index: z.optional(u32),
  /** Only those about this worker. */
  worker_id: z.optional(shortText),
  /** Only these kinds. */
  kinds: z.optional(z.array(shortText).check(z.maxLength(100))),
});

export const events = z.object({
  type: z.literal("events"),
  request,
  /** Everything up to here has been looked at. */
  next_after: z.int().check(z.minimum(0)),
  /** Nothing newer is recorded now. */
  end: z.boolean(),
  /** Before this number only some jobs' own events are kept: a cursor below it has a gap. */
  oldest_seq: z.int().check(z.minimum(1)),
  /** The newest number that was given out: a cursor beyond it is from another store. */
  last_seq: z.optional(z.int().check(z.minimum(0))),
  /** In order of `seq`; further fields by kind, see docs/events.md. */
  events: z.array(
    z.looseObject({
      seq: z.int().check(z.minimum(1)),
      time: z.string(),
      kind: z.string(),
      job_id: z.nullable(jobId),
      task_id: z.nullable(z.string()),
      worker: z.nullable(z.string()),
    }),
  ),
});

export const readingMessages = [readResults, results, readEvents, events] as const;
