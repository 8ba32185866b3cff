/** The verbs that change jobs, tasks, workers or the foreman. */
import { defineVerb } from "../option-table.ts";
import {
  CLIENT_OPTIONS,
  FOLLOW_OPTIONS,
  JOB_OPTIONS,
  OUTPUT_OPTIONS,
  PROGRESS_OPTIONS,
  REDUCE_OPTIONS,
} from "./shared.ts";

/** So much reaches the running functions. */
const REASON_CHARACTERS_MAX = 1_000;

export const CANCEL_VERB = defineVerb({
  verb: "cancel",
  group: "Steer",
  summary: "cancel jobs or tasks",
  usage: ["cancel JOB[/INDEX]… [options]"],
  positionals: [{ name: "JOB[/INDEX]", required: true, many: true, completes: "job" }],
  options: {
    reason: {
      type: "string",
      value: "TEXT",
      lengthMin: 1,
      lengthMax: REASON_CHARACTERS_MAX,
      description: "told to the running functions and kept",
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc cancel 17", does: "cancel what of job 17 has not ended" },
    { line: "cc cancel 17/3 17/4", does: "cancel two tasks" },
  ],
  notes: [
    "The decision is durable when the command returns; running tasks then get SIGTERM and, five seconds later, SIGKILL.",
  ],
});

export const RETRY_VERB = defineVerb({
  verb: "retry",
  group: "Steer",
  summary: "run failed and cancelled tasks again, in the same job",
  usage: ["retry JOB[/INDEX]… [options] [-- CMD ARG…]"],
  positionals: [{ name: "JOB[/INDEX]", required: true, many: true, completes: "job" }],
  acceptsRest: true,
  options: {
    where: { type: "pairs", value: "code=C", description: "only tasks that failed with this code" },
    with: {
      type: "string",
      value: "JOB.ts",
      completes: "file",
      description: "with corrected code",
    },
    all: { type: "boolean", description: "completed tasks too" },
    name: JOB_OPTIONS.name,
    note: JOB_OPTIONS.note,
    priority: JOB_OPTIONS.priority,
    retries: JOB_OPTIONS.retries,
    backoff: JOB_OPTIONS.backoff,
    timeout: JOB_OPTIONS.timeout,
    maxCrashes: JOB_OPTIONS.maxCrashes,
    maxFails: JOB_OPTIONS.maxFails,
    maxRunning: JOB_OPTIONS.maxRunning,
    cwd: JOB_OPTIONS.cwd,
    scratch: JOB_OPTIONS.scratch,
    shell: JOB_OPTIONS.shell,
    ...FOLLOW_OPTIONS,
    ...OUTPUT_OPTIONS,
    ...REDUCE_OPTIONS,
    ...PROGRESS_OPTIONS,
    ...CLIENT_OPTIONS,
  },
  sections: {
    Job: [
      "name",
      "note",
      "priority",
      "retries",
      "backoff",
      "timeout",
      "maxCrashes",
      "maxFails",
      "maxRunning",
      "cwd",
      "scratch",
      "shell",
    ],
    Follow: [
      "detach",
      "attached",
      "local",
      "output",
      "format",
      "unordered",
      "keepOrder",
      "tag",
      "partial",
      "progress",
    ],
  },
  examples: [
    { line: "cc retry 17", does: "queue what failed again and follow it" },
    { line: "cc retry 17 --with job.ts", does: "with the corrected file" },
    {
      line: "cc retry 17 --where code=timeout --timeout 5m",
      does: "only the slow ones, with more time",
    },
  ],
});

export const PAUSE_VERB = defineVerb({
  verb: "pause",
  group: "Steer",
  summary: "start no more tasks of a job, or on a worker",
  usage: ["pause JOB|WORKER… [options]"],
  positionals: [{ name: "JOB|WORKER", required: true, many: true, completes: "job" }],
  options: {
    now: {
      type: "boolean",
      description: "also give running tasks back; it is not counted against them",
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc pause 17", does: "let the running tasks of job 17 finish and start no others" },
    { line: "cc pause alpha --now", does: "free that worker at once" },
  ],
});

export const DRAIN_VERB = defineVerb({
  verb: "drain",
  group: "Steer",
  summary: "take workers out gracefully",
  usage: ["drain WORKER… [options]"],
  positionals: [{ name: "WORKER", required: true, many: true, completes: "worker" }],
  options: {
    undo: { type: "boolean", description: "keep them after all, as long as a task still runs" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc drain alpha", does: "let its running tasks finish, give the others back, end it" },
    { line: "cc drain alpha --undo", does: "keep it after all" },
  ],
  notes: [
    "The command returns when the worker has begun; the worker exits with 0 when its last task has ended. To take none for a while without ending: cc pause.",
  ],
});

export const RESUME_VERB = defineVerb({
  verb: "resume",
  group: "Steer",
  summary: "let a paused job or worker go on",
  usage: ["resume JOB|WORKER…"],
  positionals: [{ name: "JOB|WORKER", required: true, many: true, completes: "job" }],
  options: { ...CLIENT_OPTIONS },
  examples: [{ line: "cc resume 17", does: "go on with job 17" }],
});

export const SET_VERB = defineVerb({
  verb: "set",
  group: "Steer",
  summary: "change a job's options",
  usage: ["set JOB options"],
  positionals: [{ name: "JOB", required: true, completes: "job" }],
  options: {
    priority: JOB_OPTIONS.priority,
    maxRunning: { ...JOB_OPTIONS.maxRunning, value: "N|none", words: ["none"] },
    timeout: { ...JOB_OPTIONS.timeout, value: "DUR|none", words: ["none"] },
    name: JOB_OPTIONS.name,
    note: JOB_OPTIONS.note,
    keep: { type: "boolean", negatable: true, description: "keep it beyond every retention" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc set 17 --priority high", does: "let it go before others" },
    { line: "cc set 17 -j 4", does: "run at most four of its tasks at a time" },
    { line: "cc set 17 --keep", does: "never let retention forget it; --no-keep lets it" },
  ],
});

export const RM_VERB = defineVerb({
  verb: "rm",
  group: "Steer",
  summary: "forget finished jobs with all they left",
  usage: ["rm JOB…"],
  positionals: [{ name: "JOB", required: true, many: true, completes: "job" }],
  options: { ...CLIENT_OPTIONS },
  examples: [{ line: "cc rm 17 18", does: "forget two jobs, their inputs and their results" }],
});

export const GC_VERB = defineVerb({
  verb: "gc",
  group: "Steer",
  summary: "forget what retention would, now, and name it",
  usage: ["gc [options]"],
  positionals: [],
  options: {
    dryRun: { type: "boolean", description: "only name what would be forgotten" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc gc --dry-run", does: "see which ended jobs have had their time" },
    { line: "cc gc", does: "forget them with their inputs, results and unused code" },
  ],
  notes: [
    "How long jobs are kept the foreman's options say: --retain-completed, --retain-failed, --retain-jobs. A running foreman applies them by itself. A job that is kept (cc set JOB --keep), read right now, or named by an unfinished job's --after stays.",
  ],
});

export const SHUTDOWN_VERB = defineVerb({
  verb: "shutdown",
  group: "Steer",
  summary: "stop the foreman gracefully",
  usage: ["shutdown [options]"],
  positionals: [],
  options: {
    yes: { type: "boolean", description: "do not ask, even with unfinished jobs" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc shutdown --yes", does: "stop it; unfinished jobs go on after its next start" },
  ],
});
