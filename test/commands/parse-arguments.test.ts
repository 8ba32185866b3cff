import { describe, expect, test } from "bun:test";
import type { VerbTable } from "../../src/commands/option-table.ts";
import { parseArguments } from "../../src/commands/parse-arguments.ts";
import { FOREMAN_VERB } from "../../src/commands/tables/daemons.ts";
import { JOBS_VERB } from "../../src/commands/tables/look.ts";
import { SUBMIT_VERB } from "../../src/commands/tables/run.ts";
import { SET_VERB } from "../../src/commands/tables/steer.ts";
import { CcError } from "../../src/runtime/protocol/error.ts";

const given = (words: readonly string[], table: VerbTable = SUBMIT_VERB) =>
  Object.fromEntries(parseArguments(words, table).given);

function refusal(words: readonly string[], table: VerbTable = SUBMIT_VERB): CcError {
  try {
    parseArguments(words, table);
  } catch (error) {
    if (error instanceof CcError) return error;
    throw error;
  }
  throw new Error(`accepted: ${words.join(" ")}`);
}

describe("one option, many spellings", () => {
  test.each([[["--chunk", "5"]], [["--chunk=5"]], [["-n", "5"]], [["-n5"]], [["-n=5"]]])(
    "%p",
    (words) => {
      expect(given(words)).toEqual({ chunk: 5 });
    },
  );

  test("a dash alone, a negative number and an empty text are values", () => {
    expect(given(["-a", "-"])).toEqual({ eachLine: "-" });
    expect(given(["-a-"])).toEqual({ eachLine: "-" });
    expect(given(["--priority", "-10"])).toEqual({ priority: -10 });
    expect(given(["--note", ""])).toEqual({ note: "" });
    expect(given(["--note="])).toEqual({ note: "" });
  });

  test("a value keeps its quotes, equals signs and blanks", () => {
    expect(given(["--input", '"text"'])).toEqual({ input: '"text"' });
    expect(given(["--name=a=b c"])).toEqual({ name: "a=b c" });
    expect(given(["--note", "'x'"])).toEqual({ note: "'x'" });
  });

  test("letters may be joined, the last one with its value", () => {
    expect(given(["-dqn5"])).toEqual({ detach: true, quiet: true, chunk: 5 });
    expect(given(["-0a", "list"])).toEqual({ null: true, eachLine: "list" });
  });

  test("an optional value stands behind an equals sign only", () => {
    expect(given(["--local"])).toEqual({ local: true });
    expect(given(["--local=3"])).toEqual({ local: 3 });
    expect(parseArguments(["--local", "job.ts"], SUBMIT_VERB)).toMatchObject({
      positionals: ["job.ts"],
    });
  });

  test("a switch is turned off by its no- form or =false", () => {
    expect(given(["--no-shell"])).toEqual({ shell: false });
    expect(given(["--shell=false"])).toEqual({ shell: false });
    expect(given(["--json=true", "--no-color"])).toEqual({ json: true, noColor: true });
  });
});

describe("values by type", () => {
  test("durations, sizes, words and limits", () => {
    expect(
      given(["--timeout", "1m", "--mem", "2G", "--priority", "high", "--max-fails", "5%"]),
    ).toEqual({
      timeout: 60_000,
      mem: 2 * 1024 ** 3,
      priority: 10,
      maxFails: { kind: "percent", percent: 5 },
    });
    expect(given(["--max-fails", "none"])).toEqual({ maxFails: { kind: "none" } });
    expect(given(["17", "-j", "none", "--timeout", "none"], SET_VERB)).toEqual({
      maxRunning: "none",
      timeout: "none",
    });
  });

  test("repeated pairs become one record without a prototype", () => {
    const values = given([
      "--env",
      "A=1",
      "--env",
      "B",
      "--resource",
      "gpu=0.5",
      "--metadata",
      "toString=x",
    ]);
    expect({ ...(values["env"] as object) }).toEqual({ A: "1", B: null });
    expect({ ...(values["resource"] as object) }).toEqual({ gpu: 0.5 });
    expect(Object.getPrototypeOf(values["metadata"])).toBeNull();
  });

  test("lists are split at commas and may be repeated", () => {
    expect(given(["--after", "1,2", "--after", "3"])).toEqual({ after: ["1", "2", "3"] });
    expect(given(["--state", "failed, cancelled"], JOBS_VERB)).toEqual({
      state: ["failed", "cancelled"],
    });
  });
});

describe("where options end", () => {
  test("words after -- are untouched", () => {
    expect(
      parseArguments(["job.ts", "--", "--json", "-x", "--", ":::"], SUBMIT_VERB),
    ).toMatchObject({
      positionals: ["job.ts"],
      rest: ["--json", "-x", "--", ":::"],
      products: [],
    });
  });

  test("a command's ::: lists are cut off it", () => {
    expect(
      parseArguments(["-d", "--", "echo", "{1}", ":::", "a", "--", ":::", "-b", "c"], SUBMIT_VERB),
    ).toMatchObject({
      rest: ["echo", "{1}"],
      products: [
        ["a", "--"],
        ["-b", "c"],
      ],
    });
  });

  test("a job file may be followed by ::: lists", () => {
    expect(parseArguments(["job.ts", ":::", "a", "b"], SUBMIT_VERB)).toMatchObject({
      rest: null,
      products: [["a", "b"]],
    });
  });

  test("options stand before or after the job file", () => {
    expect(parseArguments(["-d", "job.ts", "--retries", "2"], SUBMIT_VERB).positionals).toEqual([
      "job.ts",
    ]);
  });
});

describe("refused", () => {
  test.each<[readonly string[], string, string | undefined]>([
    [["--retires", "1"], "cc submit has no option --retires.", "Did you mean --retries?"],
    [["-z"], "cc submit has no option -z.", "cc submit --help"],
    [["-dz"], "cc submit has no option -z.", "cc submit --help"],
    [["--name"], "--name needs a value.", undefined],
    [
      ["--name", "--json"],
      "--name needs a value.",
      'If "--json" is the value, write --name=--json',
    ],
    [["--json=maybe"], '--json takes no value, but got "maybe".', undefined],
    [["--retries", "1", "--retries", "2"], "--retries was given 2 times: 1, 2.", "Give it once."],
    [["--env", "A=1", "--env", "A=2"], '--env: "A" was given twice.', "Give it once."],
    [["--format", "xml"], '--format: "xml" is not one of value, jsonl, csv.', undefined],
    [
      ["--priority", "101"],
      "--priority: 101 is out of range; expected a value from -100 to 100.",
      undefined,
    ],
    [["--cpus", "0"], "--cpus: 0 is out of range; expected a value from 1 to 4096.", undefined],
    [["--resource", "gpu"], '--resource: "gpu" has no "=".', "Write --resource gpu=1."],
    [
      ["job.ts", "extra"],
      'cc submit does not take "extra".',
      'Words for the program itself stand after "--".',
    ],
    [
      ["--", "echo", ":::"],
      'A ":::" is followed by no input.',
      "Write the inputs after it: ::: A B C",
    ],
  ])("%p", (words, message, hint) => {
    const error = refusal(words);
    expect({ message: error.message, hint: error.hint, exitCode: error.exitCode }).toEqual({
      message,
      hint,
      exitCode: 2,
    });
  });

  test("words after -- where a verb takes none, and missing words", () => {
    expect(refusal(["--", "x"], FOREMAN_VERB).message).toBe(
      'cc foreman takes nothing after "--", but got "x".',
    );
    expect(refusal([], SET_VERB)).toMatchObject({
      message: "cc set needs JOB.",
      hint: "cc set JOB options",
    });
  });
});
