import { afterAll, beforeAll, describe, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ServedWorld } from "../submit-support.ts";
import { createIdleWorld, expectRefused, type Refusal } from "./refusals.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createIdleWorld();
  served.file("ok.ts", "export const inputs = [1];\nexport default (n: number) => n;\n");
  mkdirSync(join(served.world.folder, "folder"));
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

/** `ok.ts` with one more option. */
const withOption = (
  option: readonly string[],
  code: string,
  message: string,
  hint?: string,
): Refusal => ({
  args: ["submit", ...option, "ok.ts"],
  code,
  message,
  ...(hint === undefined ? {} : { hint }),
});

describe("what does not exist is answered with the nearest that does", () => {
  test(
    "verbs and flags",
    () =>
      expectRefused(served, [
        {
          args: ["sumbit", "ok.ts"],
          code: "unknown_verb",
          message: 'There is no verb "sumbit".',
          hint: "Did you mean cc submit?",
        },
        withOption(
          ["--retires", "3"],
          "unknown_option",
          "cc submit has no option --retires.",
          "Did you mean --retries?",
        ),
        withOption(["-Z"], "unknown_option", "cc submit has no option -Z.", "cc submit --help"),
        {
          args: ["jobs", "--stat", "failed"],
          code: "unknown_option",
          message: "cc jobs has no option --stat.",
          hint: "Did you mean --state?",
        },
      ]),
    LONG,
  );

  test(
    "jobs",
    () =>
      expectRefused(served, [
        withOption(
          ["--after", "99"],
          "no_such_job",
          "There is no job 99 to wait for (--after 99).",
        ),
        withOption(
          ["--after", "soon"],
          "bad_job",
          '"soon" names no job or task; expected a number, JOB/INDEX, or last.',
        ),
        ...["wait", "results", "cancel", "retry", "why", "tasks", "rm", "pause", "resume"].map(
          (verb) => ({ args: [verb, "99"], code: "no_such_job", message: "There is no job 99." }),
        ),
      ]),
    LONG,
  );
});

describe("a value is refused with its flag", () => {
  test(
    "durations and sizes",
    () =>
      expectRefused(served, [
        withOption(["--timeout", "5x"], "bad_duration", '--timeout: "5x" is not a duration.'),
        withOption(
          ["--timeout", "30"],
          "bad_duration",
          '--timeout: "30" has no unit.',
          "Write --timeout 30s for seconds; units are ms, s, m, h and d.",
        ),
        withOption(["--timeout", "-5s"], "bad_duration", '--timeout: "-5s" is not a duration.'),
        withOption(
          ["--timeout", "0s"],
          "out_of_range",
          "--timeout: 0s is out of range; expected a value from 1ms to 36525d.",
        ),
        withOption(["--delay", "1e3s"], "bad_duration", '--delay: "1e3s" is not a duration.'),
        withOption(["--mem", "4Q"], "bad_size", '--mem: "4Q" is not a size.'),
        withOption(["--mem", "4"], "bad_size", '--mem: "4" has no unit.'),
      ]),
    LONG,
  );

  test(
    "numbers, shares and priorities",
    () =>
      expectRefused(served, [
        withOption(
          ["--retries", "many"],
          "bad_number",
          '--retries: "many" is not a whole number from 0 to 1000000.',
        ),
        withOption(
          ["-n", "0"],
          "out_of_range",
          "--chunk: 0 is out of range; expected a value from 1 to 1000000.",
        ),
        withOption(
          ["--head", "0"],
          "out_of_range",
          "--head: 0 is out of range; expected a value of at least 1.",
        ),
        withOption(
          ["--priority", "101"],
          "out_of_range",
          "--priority: 101 is out of range; expected a value from -100 to 100.",
        ),
        withOption(
          ["--priority", "urgent"],
          "bad_choice",
          '--priority: "urgent" is no priority.',
          "Write low, normal, high, critical or a number from -100 to 100.",
        ),
        withOption(
          ["--max-fails", "101%"],
          "out_of_range",
          "--max-fails: 101 is out of range; expected a value from 0 to 100.",
        ),
        withOption(["--max-fails", "few"], "bad_number", '--max-fails: "few" is no limit.'),
        withOption(
          ["--format", "xml"],
          "bad_choice",
          '--format: "xml" is not one of value, jsonl, csv.',
        ),
      ]),
    LONG,
  );

  test(
    "pairs and variables",
    () =>
      expectRefused(served, [
        withOption(["--metadata", "team"], "bad_pair", '--metadata: "team" has no "=".'),
        withOption(
          ["--metadata", "=x"],
          "bad_pair",
          '--metadata: "=x" has no usable name before "=".',
        ),
        withOption(
          ["--metadata", "__proto__=x"],
          "bad_pair",
          '--metadata: "__proto__=x" has no usable name before "=".',
        ),
        withOption(["--worker-label", "disk"], "bad_pair", '--worker-label: "disk" has no "=".'),
        withOption(
          ["--resource", "gpu=some"],
          "bad_number",
          '--resource gpu: "some" is not a number of at least 0.',
        ),
        withOption(
          ["--env", "TEST_UNSET"],
          "no_such_variable",
          "--env TEST_UNSET: there is no variable TEST_UNSET in this environment.",
          "Write --env TEST_UNSET=VALUE, or set it first.",
        ),
        withOption(
          ["--env", "CC_TASK_ID=1"],
          "reserved_variable",
          "--env CC_TASK_ID: variables that begin with CC_ are set for each task by CrowdCompute itself.",
        ),
      ]),
    LONG,
  );

  test(
    "names and remarks",
    async () => {
      const long = "x".repeat(5000);
      const tooLong = (option: string, text: string, range: string): Refusal =>
        withOption(
          [option, text],
          "bad_length",
          `${option}: ${text === "" ? "it is empty" : `it has ${text.length} characters`}; expected ${range} characters.`,
        );
      await expectRefused(served, [
        tooLong("--name", "", "1 to 256"),
        tooLong("--name", long, "1 to 256"),
        tooLong("--note", long, "0 to 4096"),
        tooLong("--idempotency-key", "", "1 to 256"),
        withOption(
          ["--metadata", `a=${long}`],
          "bad_length",
          "--metadata a: it has 5000 characters; expected 0 to 256 characters.",
        ),
        withOption(["--queue", "a b"], "bad_queue", '--queue: "a b" is no queue\'s name.'),
        {
          args: ["cancel", "1", "--reason", long],
          code: "bad_length",
          message: "--reason: it has 5000 characters; expected 1 to 1000 characters.",
        },
        ...["0", "1/4294967296", "-"].map((word) => ({
          args: ["tasks", word],
          code: "bad_job",
          message: `"${word}" names no job or task; expected a number, JOB/INDEX, or last.`,
        })),
      ]);
    },
    LONG,
  );

  test(
    "an output that cannot be written",
    () =>
      expectRefused(served, [
        withOption(
          ["-o", "nowhere/out.txt"],
          "output_not_written",
          "--output: nowhere/out.txt cannot be written: its folder does not exist.",
        ),
        withOption(
          ["-o", "folder"],
          "output_not_written",
          "--output: folder cannot be written: that is a folder.",
        ),
        withOption(
          ["-o", "ok.ts/{}.txt"],
          "output_not_written",
          "--output: ok.ts/{}.txt cannot be written: a file stands where a folder is needed.",
        ),
      ]),
    LONG,
  );
});
