import { describe, expect, test } from "bun:test";
import { allCommands, findCommand, verbWords } from "../../src/commands/dispatch.ts";
import { renderOverview, renderVerbHelp, wrap } from "../../src/commands/help.ts";
import { flagNameOf, keyOfFlagName, type VerbTable } from "../../src/commands/option-table.ts";
import { FOREMAN_VERB, WORKER_VERB } from "../../src/commands/tables/daemons.ts";
import {
  JOBS_VERB,
  RESULTS_VERB,
  TASKS_VERB,
  WAIT_VERB,
  WHY_VERB,
  WORKERS_VERB,
} from "../../src/commands/tables/look.ts";
import { SUBMIT_VERB, TRY_VERB } from "../../src/commands/tables/run.ts";
import {
  BENCH_VERB,
  COMPLETION_VERB,
  DOCTOR_VERB,
  INIT_VERB,
  VERSION_VERB,
} from "../../src/commands/tables/setup.ts";
import {
  CANCEL_VERB,
  PAUSE_VERB,
  RESUME_VERB,
  RETRY_VERB,
  RM_VERB,
  SET_VERB,
  SHUTDOWN_VERB,
} from "../../src/commands/tables/steer.ts";

const TABLES: readonly VerbTable[] = [
  FOREMAN_VERB,
  WORKER_VERB,
  SUBMIT_VERB,
  TRY_VERB,
  JOBS_VERB,
  TASKS_VERB,
  WORKERS_VERB,
  RESULTS_VERB,
  WHY_VERB,
  WAIT_VERB,
  CANCEL_VERB,
  RETRY_VERB,
  PAUSE_VERB,
  RESUME_VERB,
  SET_VERB,
  RM_VERB,
  SHUTDOWN_VERB,
  INIT_VERB,
  DOCTOR_VERB,
  BENCH_VERB,
  COMPLETION_VERB,
  VERSION_VERB,
];

const SHORT_FORMS = ["a", "0", "c", "d", "f", "I", "j", "k", "n", "o", "q"];

describe("every table", () => {
  test.each(TABLES.map((table) => [table.verb, table] as const))(
    "%s has a usage, an example, and consistent options",
    (verb, table) => {
      expect(table.usage.length).toBeGreaterThan(0);
      for (const line of table.usage) expect(line).toStartWith(verb);
      expect(table.examples.length).toBeGreaterThan(0);
      for (const [key, spec] of Object.entries(table.options)) {
        expect(keyOfFlagName(flagNameOf(key))).toBe(key);
        expect(spec.description).toMatch(/^[a-z0-9$-].*[^.]$/s);
        if (spec.short !== undefined) expect(SHORT_FORMS).toContain(spec.short);
      }
      const shorts = Object.values(table.options).flatMap(({ short }) => short ?? []);
      expect(new Set(shorts).size).toBe(shorts.length);
      for (const keys of Object.values(table.sections ?? {})) {
        for (const key of keys) expect(Object.keys(table.options)).toContain(key);
      }
    },
  );

  test("help is never wider than the terminal, but for words and lines to type", () => {
    for (const table of TABLES) {
      for (const width of [80, 100]) {
        const lines = renderVerbHelp(table, width).split("\n");
        const prose = lines.filter((line) => !line.startsWith("  "));
        for (const line of prose) expect(line.length).toBeLessThanOrEqual(width);
        const options = lines.filter((line) => /^ {2}(-\w| {3}) ?-/.test(line));
        for (const line of options) expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });
});

test("a verb's help shows sections, defaults, repetition and examples, aligned", () => {
  const text = renderVerbHelp(SUBMIT_VERB, 100);
  expect(text).toStartWith(
    "cc submit: run a job file or a command over inputs and print the results\n\nUsage:\n  cc submit [options] JOB.ts [-- ARG…]\n",
  );
  expect(text).toContain(
    "\nInputs:\n      --array A-B[:STEP]             the numbers from A to B as inputs\n  -a, --each-line FILE|-             each line of a file as an input\n",
  );
  expect(text).toContain(
    "  -j, --max-running N                run at most so many tasks at a time (default: as many as there\n                                     are slots)\n",
  );
  expect(text).toContain("--[no-]shell");
  expect(text).toContain("--local[=N]");
  expect(text).toContain("(repeatable)");
  expect(text).toContain(
    "\nExamples:\n  cc submit job.ts\n      run the job file over its own inputs\n",
  );
  expect(renderVerbHelp(FOREMAN_VERB, 80)).toContain("default: 3s");
  expect(renderVerbHelp(WORKER_VERB, 80)).toContain("CC_MAX_MEMORY is --max-memory");
});

test("hidden options are in no help", () => {
  expect(renderVerbHelp(FOREMAN_VERB, 80)).not.toContain("tied-fd");
});

test("the overview lists verbs in groups, and only those that exist", () => {
  const text = renderOverview(
    allCommands().map(({ table }) => table),
    80,
  );
  for (const { table } of allCommands()) expect(text).toContain(`  ${table.verb} `);
  expect(text).toContain("\nAbout:\n");
  for (const absent of ["artifacts", "key", "invite"])
    expect(text).not.toMatch(new RegExp(`^  ${absent} `, "m"));
});

test("a verb is found by its name and its synonyms, never by an object's own words", () => {
  for (const word of verbWords()) expect(findCommand(word)).toBeDefined();
  for (const word of ["constructor", "toString", "__proto__", ""])
    expect(findCommand(word)).toBeUndefined();
});

test("text is broken at blanks only", () => {
  expect(wrap("one two three", 7)).toBe("one two\nthree");
  expect(wrap("unbreakable", 3)).toBe("unbreakable");
});
