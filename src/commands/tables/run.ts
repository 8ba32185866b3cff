/** The verbs that run something once: `submit` and `try`. */
import { usageError } from "../../runtime/protocol/error.ts";
import { NAME_BYTES_MAX } from "../../runtime/protocol/limits.ts";
import { defineVerb } from "../option-table.ts";
import {
  CLIENT_OPTIONS,
  FOLLOW_OPTIONS,
  JOB_OPTIONS,
  OUTPUT_OPTIONS,
  PROGRESS_OPTIONS,
  REDUCE_OPTIONS,
} from "./shared.ts";

export const SUBMIT_VERB = defineVerb({
  verb: "submit",
  group: "Run",
  summary: "run a job file or a command over inputs and print the results",
  usage: ["submit [options] JOB.ts [-- ARG…]", "submit [options] -- CMD ARG… [::: INPUT…]…"],
  positionals: [{ name: "JOB.ts", required: false, completes: "file" }],
  acceptsRest: true,
  acceptsProducts: true,
  options: {
    array: {
      type: "string",
      value: "A-B[:STEP]",
      description: "the numbers from A to B as inputs",
    },
    eachLine: {
      type: "string",
      short: "a",
      value: "FILE|-",
      completes: "file",
      description: "each line of a file as an input",
    },
    null: { type: "boolean", short: "0", description: "with --each-line: split at NUL instead" },
    eachJson: {
      type: "string",
      value: "FILE|-",
      completes: "file",
      description: "each value of a JSON array or of JSON lines",
    },
    eachCsv: {
      type: "string",
      value: "FILE|-",
      completes: "file",
      description: "each row as an object named by the header",
    },
    input: { type: "string", value: "JSON", description: "one task with this input" },
    stdin: { type: "boolean", description: "give the input to the command's stdin" },
    head: { type: "integer", min: 1, description: "only the first N inputs" },
    placeholder: { type: "string", short: "I", value: "STR", description: "another name for {}" },
    dryRun: {
      type: "boolean",
      description: "print the number of tasks and the first ten, and leave",
    },
    ...JOB_OPTIONS,
    after: {
      type: "list",
      value: "JOB,…",
      separator: ",",
      completes: "job",
      description: "start when these jobs have completed",
    },
    idempotencyKey: {
      type: "custom",
      value: "KEY",
      parse: parseIdempotencyKey,
      description: "submitting again under this key returns the same job",
    },
    ...FOLLOW_OPTIONS,
    ...OUTPUT_OPTIONS,
    ...REDUCE_OPTIONS,
    ...PROGRESS_OPTIONS,
    ...CLIENT_OPTIONS,
  },
  sections: {
    Inputs: [
      "array",
      "eachLine",
      "null",
      "eachJson",
      "eachCsv",
      "input",
      "chunk",
      "stdin",
      "head",
      "placeholder",
      "dryRun",
    ],
    Job: [
      "name",
      "note",
      "queue",
      "role",
      "metadata",
      "priority",
      "retries",
      "backoff",
      "timeout",
      "maxCrashes",
      "maxFails",
      "maxRunning",
      "delay",
      "after",
      "timeRequest",
      "cpus",
      "mem",
      "resource",
      "workerLabel",
      "env",
      "cwd",
      "scratch",
      "shell",
      "seed",
      "idempotencyKey",
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
    { line: "cc submit job.ts", does: "run the job file over its own inputs" },
    { line: "cc submit job.ts -- *.txt", does: "its inputs(args) gets the file names" },
    { line: "cc submit --each-line urls.txt -- curl -sf {}", does: "one download a line" },
    {
      line: "cc submit --array 1-1000 job.ts > out",
      does: "call it with 1 to 1000, results in that order",
    },
    {
      line: "cc submit -- convert {1} -resize {2} {1.}-{2}.png ::: *.jpg ::: 64 128",
      does: "every picture in every size",
    },
    { line: "id=$(cc submit -d job.ts); cc wait $id", does: "submit now, wait later" },
  ],
  notes: [
    "Placeholders in CMD, --cwd, --env and --output: {} the input, {.} without extension, {/} its base name, {/.} base name without extension, {//} its folder, {#} number from 1, {%} slot from 1, {1} {2} of a ::: product, {name} a field of an object. Without one, the input is appended. Values are arguments and never pass through a shell unless --shell asks for it.",
    "Inputs have at most one source; without one a command runs once and a job file uses its own inputs.",
    "With no foreman in reach it runs here, and the job can still be looked at afterwards.",
    "Exit codes: 0 every task completed, 1 some did not, 2 wrong command line, job file or inputs, 3 no foreman, 130 interrupted.",
  ],
});

export const TRY_VERB = defineVerb({
  verb: "try",
  group: "Run",
  summary: "run one task here, its output straight to the terminal",
  usage: ["try JOB/INDEX [--with JOB.ts]", "try JOB.ts [-- ARG…]"],
  positionals: [{ name: "JOB/INDEX|JOB.ts", required: true, completes: "file" }],
  acceptsRest: true,
  options: {
    with: {
      type: "string",
      value: "JOB.ts",
      completes: "file",
      description: "run this code instead of the job's",
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "cc try 17/3", does: "run that task's input here again" },
    { line: "cc try 17/3 --with job.ts", does: "see whether the corrected file mends it" },
    { line: "cc try job.ts", does: "run the file's first input" },
  ],
  notes: [
    "Nothing is recorded: no attempt is counted, and the job keeps its state. No time-out and no memory limit applies; Ctrl-C ends it.",
    "The task sees the environment it would see on a worker, a function an empty folder too. Variables given as --env NAME are secret: they take this shell's value, or are missing.",
    "Exit codes: 0 it completed, 1 it failed, 2 there is no such task or the job file is wrong.",
  ],
});

function parseIdempotencyKey(text: string, flag: string): string {
  if (text !== "" && text.length <= NAME_BYTES_MAX) return text;
  throw usageError(
    "bad_key",
    `${flag}: a key of ${text.length} characters; expected 1 to ${NAME_BYTES_MAX}.`,
  );
}
