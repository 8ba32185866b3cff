/**
 * A job's specification: everything that was decided at submission, complete (the submitter fills in
 * the defaults), stored as JSON with the job and shown by `cc jobs JOB`. Secrets in `env` never
 * leave the foreman except to the worker that runs the task.
 */
import * as z from "zod/mini";
import { JOB_TASKS_MAX, NAME_BYTES_MAX, NOTE_BYTES_MAX } from "./limits.ts";
import { DURATION_MS_MAX } from "./quantity.ts";

const name = z.string().check(z.minLength(1), z.maxLength(NAME_BYTES_MAX));
const seconds = z.number().check(z.minimum(0), z.maximum(DURATION_MS_MAX / 1000));
const count = (max: number) => z.int().check(z.minimum(0), z.maximum(max));
const labels = z.record(name, z.string().check(z.maxLength(NAME_BYTES_MAX)));

/** Queue names are dotted words: `math.add`. */
export const queueName = z
  .string()
  .check(z.maxLength(NAME_BYTES_MAX), z.regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/));

/** A bundle's default export, called once a task. */
const functionWork = z.object({
  kind: z.literal("function"),
  bundle_sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** As the author named it, for messages. */
  entry_file: z.string(),
});

/** A command, started once a task from a template that the worker fills in. */
const commandWork = z.object({
  kind: z.literal("command"),
  /** Words with placeholders; see command-template.ts. */
  argv: z.array(z.string()).check(z.minLength(1)),
  /** `argv` is one text for `/bin/sh -c`, its placeholders quoted. */
  shell: z.boolean(),
  /** Another name for `{}`; null means `{}`. */
  placeholder: z.nullable(z.string()),
  /** The input goes to the command's stdin instead of an argument. */
  stdin: z.boolean(),
  /** Run in a fresh folder that is removed afterwards. */
  scratch: z.boolean(),
  /** The submitter's folder or `--cwd`, which may hold placeholders. */
  cwd: z.string(),
  /** From which a `cwd` counts that is not absolute once it is filled in. */
  folder: z.optional(z.string()),
});

export const workSpec = z.discriminatedUnion("kind", [functionWork, commandWork]);
export type WorkSpec = z.infer<typeof workSpec>;

/** How a task's input was made, so that placeholders know what `{1}` and `{name}` mean. */
export const inputShape = z.object({
  /** Sources of a `:::` product; a task's input is then an array of so many. 0: no product. */
  product_sources: count(64),
  /** Inputs a task (`-n`); the task's input is an array of them. 0: one, not in an array. */
  chunk: count(1_000_000),
  /** Nothing was given: one task without input. */
  none: z.boolean(),
});
export type InputShape = z.infer<typeof inputShape>;

export const maxFails = z.discriminatedUnion("kind", [
  /** When the first 20 settled tasks all failed, on at least two workers where two are connected. */
  z.object({ kind: z.literal("default") }),
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("count"), count: count(JOB_TASKS_MAX) }),
  z.object({ kind: z.literal("percent"), percent: z.number().check(z.minimum(0), z.maximum(100)) }),
]);
export type MaxFails = z.infer<typeof maxFails>;

const environmentEntry = z.object({
  value: z.string(),
  /** Given as `--env NAME`: shown as `***`. */
  secret: z.boolean(),
});

export const jobSpec = z.object({
  name,
  note: z.nullable(z.string().check(z.maxLength(NOTE_BYTES_MAX))),
  queue: queueName,
  role: z.nullable(name),
  metadata: labels,
  /** -100 to 100, larger first. */
  priority: z.int().check(z.minimum(-100), z.maximum(100)),
  work: workSpec,
  input: inputShape,
  /** Further attempts after failures; lost workers never count. */
  retries: count(1_000_000),
  /** The base of the full-jitter back-off between attempts. */
  backoff_seconds: seconds,
  timeout_seconds: z.nullable(seconds),
  max_crashes: z.int().check(z.minimum(1), z.maximum(1000)),
  max_fails: maxFails,
  /** null: as many as there are slots. */
  max_running: z.nullable(z.int().check(z.minimum(1))),
  /** Nothing starts before so long after the submission. */
  delay_seconds: seconds,
  /** Jobs that must complete first. */
  after: z.array(z.int()).check(z.maxLength(10_000)),
  /** Only workers with so much of their `--time-limit` left are asked. */
  time_request_seconds: z.nullable(seconds),
  /** Slots a task. */
  cpus: z.int().check(z.minimum(1), z.maximum(4096)),
  /** Reserved a task; beyond it the task fails as `out_of_memory`. */
  memory_bytes: z.nullable(z.number().check(z.minimum(1))),
  resources: z.record(name, z.number().check(z.minimum(0))),
  worker_labels: labels,
  env: z.record(name, environmentEntry),
  /** Seeds `ctx.random()`. */
  seed: z.int().check(z.minimum(0), z.maximum(0xffffffff)),
  /** A client that disappears takes the job with it. */
  attached: z.boolean(),
  /** Where it came from, for `cc jobs JOB`; secrets redacted by the submitter. */
  submitted_from: z.object({
    host: z.string(),
    user: z.string(),
    folder: z.string(),
    command_line: z.string(),
  }),
});
export type JobSpec = z.infer<typeof jobSpec>;

/** What `cc set`, `cc pause`, `cc resume` and `cc retry` may change of a job. */
export const jobPatch = z.object({
  name: z.optional(name),
  note: z.optional(z.string().check(z.maxLength(NOTE_BYTES_MAX))),
  priority: z.optional(z.int().check(z.minimum(-100), z.maximum(100))),
  max_running: z.optional(z.nullable(z.int().check(z.minimum(1)))),
  timeout_seconds: z.optional(z.nullable(seconds)),
  retries: z.optional(count(1_000_000)),
  backoff_seconds: z.optional(seconds),
  max_fails: z.optional(maxFails),
  max_crashes: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
  paused: z.optional(z.boolean()),
  /** Kept beyond every retention. */
  keep: z.optional(z.boolean()),
  /** Corrected code for the tasks that run from now on. */
  work: z.optional(workSpec),
});
export type JobPatch = z.infer<typeof jobPatch>;

/** What a worker offers; sent when it is ready and whenever it changes. */
export const workerOffer = z.object({
  slots: z.int().check(z.minimum(1), z.maximum(4096)),
  /** Patterns: `math.*`, `!math.slow`; `*` matches any characters, dots too. */
  queues: z.array(z.string()).check(z.maxLength(256)),
  roles: z.array(name).check(z.maxLength(256)),
  labels,
  resources: z.record(name, z.number().check(z.minimum(0))),
  /** What jobs may reserve with `--mem`. */
  memory_bytes: z.number(),
  /** Tasks that it keeps ready beside the running ones (`--queue-size`); null: the foreman decides. */
  queue_size: z.optional(z.nullable(z.int().check(z.minimum(0)))),
  /** Milliseconds of `--time-limit` left; null: no limit. */
  time_left_ms: z.nullable(z.number()),
  sandbox: z.enum(["none", "process"]),
  host: z.string(),
  platform: z.string(),
  version: z.string(),
  pid: z.int(),
  /** What it can do beyond the least: WORKER_FEATURES in messages.ts. */
  features: z.optional(z.array(name).check(z.maxLength(64))),
});
export type WorkerOffer = z.infer<typeof workerOffer>;
