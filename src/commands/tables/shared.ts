/** Options that several verbs have, written once so that they mean the same everywhere. */
import { usageError } from "../../runtime/protocol/error.ts";
import type { MaxFails } from "../../runtime/protocol/job-spec.ts";
import { NAME_BYTES_MAX, NOTE_BYTES_MAX } from "../../runtime/protocol/limits.ts";
import { parseInteger, parsePercent } from "../../runtime/protocol/quantity.ts";
import { defineOptions } from "../option-table.ts";

const DURATION_MIN_MS = 1;

/** How to reach a foreman. */
export const CONNECTION_OPTIONS = defineOptions({
  foreman: {
    type: "string",
    value: "URL",
    scope: "connection",
    description: "the foreman's address",
    defaultText: "ws://127.0.0.1:9000",
  },
  keyFile: {
    type: "string",
    value: "FILE",
    scope: "connection",
    completes: "file",
    description: "the key to prove who asks",
    defaultText: "this account's own key",
  },
});

/** What every verb takes that reads the configuration or prints. */
export const GENERAL_OPTIONS = defineOptions({
  config: {
    type: "string",
    value: "FILE",
    completes: "file",
    description: "read this configuration file",
    defaultText: "~/.config/crowdcompute/config.json",
  },
  noColor: { type: "boolean", description: "no colours (as with NO_COLOR set)" },
});

/** What the daemons have beside. */
export const DAEMON_OPTIONS = defineOptions({
  quiet: {
    type: "boolean",
    short: "q",
    scope: "daemon",
    description: "no live status, and of the log only warnings and errors",
  },
  ...GENERAL_OPTIONS,
});

/** What every client verb has. */
export const CLIENT_OPTIONS = defineOptions({
  ...CONNECTION_OPTIONS,
  json: { type: "boolean", description: "print JSON; errors too" },
  quiet: { type: "boolean", short: "q", description: "ids only; on submit and wait, no progress" },
  ...GENERAL_OPTIONS,
});

/** What a person may say about a job; the same names stand in a job file's `options`. */
export const JOB_OPTIONS = defineOptions({
  name: {
    type: "string",
    value: "NAME",
    lengthMin: 1,
    lengthMax: NAME_BYTES_MAX,
    scope: "job",
    description: "the job's name on screens",
    defaultText: "the job file's or the command's",
  },
  note: {
    type: "string",
    value: "TEXT",
    lengthMax: NOTE_BYTES_MAX,
    scope: "job",
    description: "a remark kept with the job",
  },
  queue: {
    type: "string",
    value: "NAME",
    scope: "job",
    description: "the queue; workers subscribe with patterns",
    defaultText: '"default"',
  },
  role: {
    type: "string",
    value: "ROLE",
    lengthMin: 1,
    lengthMax: NAME_BYTES_MAX,
    scope: "job",
    description: "only workers with this role",
  },
  metadata: {
    type: "pairs",
    scope: "job",
    description: "facts for the job's functions (ctx.metadata)",
  },
  priority: {
    type: "custom",
    value: "N|WORD",
    parse: parsePriority,
    scope: "job",
    description: "-100 to 100 or low, normal, high, critical; larger first",
    defaultText: "normal",
  },
  retries: {
    type: "integer",
    min: 0,
    max: 1_000_000,
    scope: "job",
    description: "run a failed task again so often",
    defaultText: "0",
  },
  backoff: {
    type: "duration",
    min: 0,
    scope: "job",
    description: "base of the wait before a retry, doubled each time",
    defaultText: "1s",
  },
  timeout: {
    type: "duration",
    min: DURATION_MIN_MS,
    scope: "job",
    description: "end a task that runs longer",
    defaultText: "none",
  },
  maxCrashes: {
    type: "integer",
    min: 1,
    max: 1000,
    scope: "job",
    description: "give up a task whose workers died so often",
    defaultText: "3",
  },
  maxFails: {
    type: "custom",
    value: "N|P%|none",
    parse: parseMaxFails,
    scope: "job",
    description: "cancel the rest after so many failed tasks",
    defaultText: "when the first 20 all failed",
  },
  maxRunning: {
    type: "integer",
    short: "j",
    min: 1,
    scope: "job",
    description: "run at most so many tasks at a time",
    defaultText: "as many as there are slots",
  },
  delay: {
    type: "duration",
    min: 0,
    scope: "job",
    description: "start nothing before so long from now",
  },
  timeRequest: {
    type: "duration",
    min: DURATION_MIN_MS,
    scope: "job",
    description: "only workers with so much of their time limit left",
  },
  cpus: {
    type: "integer",
    short: "c",
    min: 1,
    max: 4096,
    scope: "job",
    description: "slots a task; sets OMP_NUM_THREADS",
    defaultText: "1",
  },
  mem: {
    type: "size",
    min: 1,
    scope: "job",
    description: "memory reserved a task; beyond it out_of_memory",
  },
  resource: {
    type: "amounts",
    scope: "job",
    description: "what a task takes of a worker's resource",
  },
  workerLabel: { type: "pairs", scope: "job", description: "only workers with this label" },
  env: {
    type: "environment",
    scope: "job",
    description: "set for the tasks; NAME alone takes its value now, shown as ***",
  },
  cwd: {
    type: "string",
    value: "DIR",
    scope: "job",
    completes: "folder",
    description: "the commands' folder",
    defaultText: "this folder",
  },
  scratch: {
    type: "boolean",
    scope: "job",
    negatable: true,
    description: "run each command in a fresh folder",
  },
  shell: {
    type: "boolean",
    scope: "job",
    negatable: true,
    description: "run CMD by /bin/sh, placeholders quoted",
  },
  seed: {
    type: "integer",
    min: 0,
    max: 0xffffffff,
    scope: "job",
    description: "seed of ctx.random()",
    defaultText: "0",
  },
  chunk: {
    type: "integer",
    short: "n",
    min: 1,
    max: 1_000_000,
    scope: "job",
    description: "so many inputs a task, as arguments or an array",
  },
});

/** How results are printed. */
export const OUTPUT_OPTIONS = defineOptions({
  output: {
    type: "string",
    short: "o",
    value: "FILE",
    completes: "file",
    description: "write results there; with a placeholder, one file a task",
    defaultText: "stdout",
  },
  format: {
    type: "choice",
    choices: ["value", "jsonl", "csv"],
    description: "how results are printed",
    defaultText: "value",
  },
  unordered: { type: "boolean", description: "print results as they come, not in input order" },
  keepOrder: {
    type: "boolean",
    short: "k",
    description: "print in input order (which is the default)",
  },
  tag: { type: "boolean", description: "begin each line with its input" },
});

export const REDUCE_OPTIONS = defineOptions({
  partial: { type: "boolean", description: "reduce what completed even if tasks failed" },
});

export const PROGRESS_OPTIONS = defineOptions({
  progress: {
    type: "choice",
    choices: ["auto", "bar", "json", "none"],
    default: "auto",
    description: "how progress is shown on stderr",
  },
});

/** How a verb that queues tasks follows them. */
export const FOLLOW_OPTIONS = defineOptions({
  detach: { type: "boolean", short: "d", description: "print the job's id and leave" },
  attached: {
    type: "boolean",
    description: "cancel the job when this command ends for any reason",
  },
  local: {
    type: "optional-integer",
    value: "N",
    min: 1,
    max: 4096,
    description: "run here with N slots and no server",
  },
});

export const LIST_OPTIONS = defineOptions({
  limit: {
    type: "integer",
    min: 0,
    description: "print at most so many lines; 0 for all",
    defaultText: "what fits a look",
  },
});

/** `5`, `10%` or `none`. */
export function parseMaxFails(text: string, flag: string): MaxFails {
  if (text === "none") return { kind: "none" };
  const percent = parsePercent(text, flag);
  if (percent !== null) return { kind: "percent", percent };
  if (!/^\d+$/.test(text)) {
    throw usageError(
      "bad_number",
      `${flag}: "${text}" is no limit.`,
      "Write a number such as 5, a share such as 10%, or none.",
    );
  }
  return { kind: "count", count: parseInteger(text, flag, { min: 0, max: 100_000_000 }) };
}

const PRIORITY_OF_WORD: Readonly<Record<string, number>> = {
  low: -10,
  normal: 0,
  high: 10,
  critical: 20,
};

/** `-100` to `100`, or one of four words. */
export function parsePriority(text: string, flag: string): number {
  const priority = Object.hasOwn(PRIORITY_OF_WORD, text) ? PRIORITY_OF_WORD[text] : undefined;
  if (priority !== undefined) return priority;
  if (/^[a-z]/i.test(text)) {
    throw usageError(
      "bad_choice",
      `${flag}: "${text}" is no priority.`,
      "Write low, normal, high, critical or a number from -100 to 100.",
    );
  }
  return parseInteger(text, flag, { min: -100, max: 100 });
}
