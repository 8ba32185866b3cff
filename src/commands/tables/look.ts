/** The verbs that only look: lists, details, results and reasons. */

import { NAME_BYTES_MAX } from "../../runtime/protocol/limits.ts";
import { GRAPHS, THEME_NAMES } from "../../tui/theme/theme.ts";
import { parseSince } from "../logs/since.ts";
import { defineVerb } from "../option-table.ts";
import {
  CLIENT_OPTIONS,
  LIST_OPTIONS,
  OUTPUT_OPTIONS,
  PROGRESS_OPTIONS,
  REDUCE_OPTIONS,
} from "./shared.ts";

export const TOP_VERB = defineVerb({
  verb: "top",
  group: "Look",
  summary: "watch and steer jobs, tasks and workers on the terminal",
  usage: ["top [JOB[/INDEX]|WORKER] [options]"],
  positionals: [{ name: "JOB[/INDEX]|WORKER", required: false, completes: "job" }],
  options: {
    readOnly: { type: "boolean", description: "hide everything that changes something" },
    theme: {
      type: "choice",
      choices: THEME_NAMES,
      description: "colours; cb for colour-blind eyes",
    },
    graph: { type: "choice", choices: GRAPHS, description: "how charts are drawn" },
    ascii: { type: "boolean", description: "plain ASCII only" },
    once: { type: "boolean", description: "print it once as text, as without a terminal" },
    columns: {
      type: "integer",
      min: 40,
      max: 500,
      description: "width of the text",
      defaultText: "the terminal's, or 80",
    },
    watch: { type: "boolean", description: "with --json: an object for each change" },
    ...CLIENT_OPTIONS,
  },
  sections: { "Without a screen": ["once", "columns", "watch"] },
  examples: [
    { line: "cc top", does: "the whole installation; ? shows the keys" },
    { line: "cc top 17", does: "open at job 17; 17/3 at a task, alpha at a worker" },
    { line: "cc top --once", does: "the same as text, also in a pipe" },
    { line: "cc top --json --watch | jq .rate", does: "an object for each change" },
  ],
  notes: [
    "It only shows until you answer a question with y. docs/monitor.md tells of its screens and keys.",
  ],
});

export const JOBS_VERB = defineVerb({
  verb: "jobs",
  synonyms: ["job"],
  group: "Look",
  summary: "list jobs, or show one",
  usage: ["jobs [options]", "jobs JOB"],
  positionals: [{ name: "JOB", required: false, completes: "job" }],
  options: {
    mine: { type: "boolean", description: "only jobs submitted with this key" },
    state: {
      type: "list",
      value: "S,…",
      separator: ",",
      description: "only jobs that are queued, running, paused, completed, failed or cancelled",
    },
    name: {
      type: "string",
      value: "GLOB",
      lengthMax: NAME_BYTES_MAX,
      description: "only jobs of such a name",
    },
    ...LIST_OPTIONS,
    wide: { type: "boolean", description: "every column, in full" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc jobs", does: "unfinished jobs first, then the last ones that ended" },
    { line: "cc jobs last", does: "the newest job in detail" },
    { line: "cc jobs --state failed --json | jq .job_id", does: "the numbers of failed jobs" },
  ],
});

export const TASKS_VERB = defineVerb({
  verb: "tasks",
  synonyms: ["task"],
  group: "Look",
  summary: "list a job's tasks, or show one",
  usage: ["tasks JOB [options]", "tasks JOB/INDEX"],
  positionals: [{ name: "JOB[/INDEX]", required: true, completes: "job" }],
  options: {
    state: {
      type: "list",
      value: "S,…",
      separator: ",",
      description:
        "only tasks that are blocked, queued, delayed, running, completed, failed or cancelled",
    },
    inputs: { type: "boolean", description: "show what each task was given" },
    ...LIST_OPTIONS,
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc tasks 17 --state failed", does: "what failed, and how" },
    { line: "cc tasks 17/3", does: "one task with all its attempts" },
  ],
});

export const WORKERS_VERB = defineVerb({
  verb: "workers",
  group: "Look",
  summary: "list workers, or show one",
  usage: ["workers [options]", "workers WORKER"],
  positionals: [{ name: "WORKER", required: false, completes: "worker" }],
  options: { ...LIST_OPTIONS, ...CLIENT_OPTIONS },
  examples: [
    { line: "cc workers", does: "who is connected and what they do" },
    { line: "cc workers alpha", does: "what that worker offers and runs" },
  ],
  notes: ["COMPLETED and FAILED count from the foreman's last start."],
});

export const RESULTS_VERB = defineVerb({
  verb: "results",
  group: "Look",
  summary: "print a job's results",
  usage: ["results JOB [options]"],
  positionals: [{ name: "JOB", required: true, completes: "job" }],
  options: {
    follow: { type: "boolean", short: "f", description: "go on until the job has ended" },
    ...OUTPUT_OPTIONS,
    reduce: { type: "boolean", description: "print the job file's reduced value instead" },
    ...REDUCE_OPTIONS,
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc results 17", does: "what is settled so far, in input order" },
    { line: "cc results last -f", does: "follow the newest job to its end" },
    {
      line: "cc results 17 --format csv -o out.csv",
      does: "a table with status, error and timing",
    },
  ],
});

export const LOGS_VERB = defineVerb({
  verb: "logs",
  group: "Look",
  summary: "print what tasks have printed",
  usage: ["logs JOB [options]", "logs JOB/INDEX [options]"],
  positionals: [{ name: "JOB[/INDEX]", required: true, completes: "job" }],
  options: {
    follow: {
      type: "boolean",
      short: "f",
      description: "go on until the job or the task has ended",
    },
    failed: { type: "boolean", description: "only of tasks that have failed" },
    attempt: {
      type: "integer",
      value: "N",
      min: 0,
      max: 65_535,
      description: "only of this attempt; 0: of each task's newest",
    },
    stderr: {
      type: "boolean",
      description: "without commands' stdout: stderr, ctx.log and the console of functions",
    },
    since: {
      type: "custom",
      value: "TIME",
      parse: parseSince,
      description: "only what was printed since then: 10m ago, or 2026-11-22T14:00:00Z",
    },
    tail: { type: "integer", value: "N", min: 0, description: "only the last N lines" },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc logs 17/3", does: "all that task 3 of job 17 has printed, as it was" },
    { line: "cc logs 17 --failed --tail 50", does: "the last lines of the tasks that failed" },
    { line: "cc logs last -f", does: "follow the newest job; each line names its task" },
    { line: "cc logs 17/3 --attempt 1 --stderr", does: "what its first attempt had to say" },
    { line: "cc logs 17 --json | jq -r .text", does: "lines with task, attempt, stream and time" },
  ],
  notes: [
    "Of what one attempt prints 8 MiB are kept, head and tail; what was dropped between them is counted and said.",
    "Lines of several tasks stand in the order in which they reached the foreman.",
  ],
});

export const WHY_VERB = defineVerb({
  verb: "why",
  group: "Look",
  summary: "say in a sentence why something waits, failed or idles",
  usage: ["why JOB|JOB/INDEX|WORKER"],
  positionals: [{ name: "JOB|JOB/INDEX|WORKER", required: true, completes: "job" }],
  options: { ...CLIENT_OPTIONS },
  examples: [
    { line: "cc why 17", does: "why job 17 makes no progress, and what to type" },
    { line: "cc why 17/3", does: "why that task failed or waits" },
  ],
});

export const EVENTS_VERB = defineVerb({
  verb: "events",
  group: "Look",
  summary: "print the log of what happened, as JSON lines",
  usage: ["events [options]", "events JOB|JOB/INDEX|WORKER [options]"],
  positionals: [{ name: "JOB|JOB/INDEX|WORKER", required: false, completes: "job" }],
  options: {
    since: {
      type: "integer",
      value: "SEQ",
      min: 0,
      description: "only events with a larger number: give the last one you have",
    },
    follow: { type: "boolean", short: "f", description: "go on with what happens from now on" },
    kind: {
      type: "list",
      value: "KIND,…",
      separator: ",",
      description: "only such events (docs/events.md)",
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc events", does: "everything that is kept, the oldest first" },
    { line: "cc events 17", does: "the story of job 17; 17/3 that of one task" },
    { line: "cc events alpha -f", does: "what happens to the worker alpha" },
    { line: "cc events --since 1042 -f", does: "what came after number 1042, without a gap" },
    { line: "cc events --kind worker_lost,stale_attempt", does: "lost workers, late results" },
  ],
  notes: [
    "Events tell of jobs, workers and batches of tasks; the attempts of one task stand in `cc tasks JOB/INDEX`.",
  ],
});

export const WAIT_VERB = defineVerb({
  verb: "wait",
  group: "Look",
  summary: "wait until jobs have ended",
  usage: ["wait JOB… [options]"],
  positionals: [{ name: "JOB", required: true, many: true, completes: "job" }],
  options: {
    waitTimeout: { type: "duration", min: 0, description: "give up after so long, with exit 124" },
    reduce: { type: "boolean", description: "print the job file's reduced value at the end" },
    ...REDUCE_OPTIONS,
    ...PROGRESS_OPTIONS,
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc wait 17 && echo done", does: "go on only if every task completed" },
    { line: "cc wait last --wait-timeout 10m", does: "at most ten minutes" },
  ],
  notes: [
    "Exit codes: 0 every task completed, 1 some did not, 2 no such job, 3 no foreman, 124 timed out, 130 interrupted.",
  ],
});
