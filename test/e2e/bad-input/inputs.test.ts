import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { BINARY } from "../../support/binary.ts";
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

/** A command over these inputs. */
const command = (...options: string[]): readonly string[] => [
  "submit",
  ...options,
  "--",
  "echo",
  "{}",
];

describe("--array", () => {
  test(
    "is refused with what is wrong with the range",
    async () => {
      const badRange = (text: string, what: string): Refusal => ({
        args: command("--array", text),
        code: "bad_range",
        message: `--array: "${text}" ${what}.`,
        hint: "Write for example 1-1000 or 0-100:5; the first number is the smaller one.",
      });
      await expectRefused(served, [
        badRange("5-1", "goes from 5 down to 1"),
        badRange("1-", "is no range"),
        badRange("1-10:0", "has a step below 1"),
        badRange("1-10:-1", "is no range"),
        badRange("1.5-3", "is no range"),
        badRange("", "is no range"),
        badRange("1-100000001", "has 100000001 numbers, a job at most 100000000"),
        badRange("1-9007199254740993", "is out of range"),
      ]);
    },
    LONG,
  );
});

describe("a file of inputs is refused", () => {
  test(
    "when it is missing or a folder",
    async () => {
      for (const option of ["--each-line", "--each-json", "--each-csv"]) {
        await expectRefused(served, [
          {
            args: command(option, "nope.txt"),
            code: "no_such_file",
            message: `${option} nope.txt: there is no such file.`,
          },
          {
            args: command(option, "folder"),
            code: "unreadable_file",
            message: `${option} folder: that is a folder, expected a file.`,
          },
        ]);
      }
    },
    LONG,
  );

  test(
    "when a line is no text, with its number",
    async () => {
      served.file("latin.txt", Buffer.from("one\ntwo\ncaf\xe9\nfour\n", "latin1"));
      served.file("nul.txt", "one\nt\0wo\n");
      await expectRefused(served, [
        {
          args: command("--each-line", "latin.txt"),
          code: "not_utf8",
          message: "--each-line latin.txt: line 3 is not UTF-8 text.",
        },
        {
          args: command("--each-csv", "latin.txt"),
          code: "not_utf8",
          message: "--each-csv latin.txt: line 3 is not UTF-8 text.",
        },
        {
          args: command("--each-line", "nul.txt"),
          code: "nul_in_line",
          message: "--each-line nul.txt: line 2 holds a NUL.",
          hint: "Write --null where entries end in NUL, as find -print0 prints them.",
        },
      ]);
    },
    LONG,
  );

  test(
    "when it is broken JSON or a ragged table, with the line",
    async () => {
      served.file("broken.jsonl", '{"a":1}\n{"a":2\n');
      served.file("words.json", "[1,\n2,\nthree]\n");
      served.file("ragged.csv", "name,size\na,1\nb\n");
      served.file("quote.csv", 'name,size\na,1\n"b,2\n');
      served.file("twice.csv", "name,name\na,1\n");
      const json = (file: string, message: string): Refusal => ({
        args: command("--each-json", file),
        code: "bad_json",
        message: `--each-json ${file}: ${message}`,
      });
      const csv = (file: string, message: string): Refusal => ({
        args: command("--each-csv", file),
        code: "bad_csv",
        message: `--each-csv ${file}: ${message}`,
      });
      await expectRefused(served, [
        json("broken.jsonl", `line 2: "{\\"a\\":2" is not JSON (JSON Parse error: Expected '}').`),
        json(
          "words.json",
          'line 3: "three" is not JSON (JSON Parse error: Unexpected identifier "three").',
        ),
        csv("ragged.csv", "line 3: the row has 1 field, the header 2."),
        csv("quote.csv", "line 3: a quoted field begins here and does not end."),
        csv("twice.csv", 'line 1: the header has two columns "name".'),
      ]);
    },
    LONG,
  );

  test(
    "when there is nothing in it",
    async () => {
      served.file("empty.txt", "");
      served.file("header.csv", "name,size\n");
      served.file("empty.json", "[]\n");
      const nothing = (option: string, file: string): Refusal => ({
        args: command(option, file),
        code: "inputs_empty",
        message: `${option} ${file} has no inputs, expected at least one.`,
      });
      await expectRefused(served, [
        nothing("--each-line", "empty.txt"),
        nothing("--each-json", "empty.json"),
        nothing("--each-csv", "header.csv"),
        {
          args: ["submit", "--", "echo", ":::"],
          code: "no_inputs",
          message: 'A ":::" is followed by no input.',
        },
      ]);
    },
    LONG,
  );

  test(
    "before a foreman is needed: none is called, none is started",
    async () => {
      const { cc, folder, env } = served.world;
      const unreachable = await cc([
        "submit",
        "--foreman",
        "ws://127.0.0.1:9",
        "-a",
        "gone",
        "--",
        "true",
      ]);
      expect(unreachable).toMatchObject({ exitCode: 2, stdout: "" });
      expect(
        await cc(["submit", "--local", "-a", "gone", "--", "true"], { cwd: folder }),
      ).toMatchObject({
        exitCode: 2,
        stderr: "cc: --each-line gone: there is no such file.\n",
      });
      expect(
        existsSync(join(env["XDG_STATE_HOME"] ?? "", "crowdcompute", "logs", "tied-foreman.log")),
      ).toBe(false);
    },
    LONG,
  );
});

describe("inputs from two sources", () => {
  test(
    "are refused, whichever two they are",
    async () => {
      served.file("lines.txt", "a\n");
      const two = (first: string, second: string, ...args: string[]): Refusal => ({
        args: ["submit", ...args],
        code: "two_sources",
        message: `Inputs come from one source, but both ${first} and ${second} were given.`,
        hint: "Leave out one of the two.",
      });
      await expectRefused(served, [
        two("--array", "--input", "--array", "1-2", "--input", "3", "--", "echo"),
        two("--array", "--each-line lines.txt", "--array", "1-2", "-a", "lines.txt", "--", "echo"),
        two("--array", ":::", "--array", "1-2", "--", "echo", ":::", "a"),
        {
          args: ["submit", "--array", "1-2", "ok.ts", "--", "word"],
          code: "two_sources",
          message: 'The words after "--" go to the job file\'s inputs, which --array replaces.',
        },
        {
          args: ["submit", "--null", "--", "echo"],
          code: "null_without_lines",
          message: "--null says how --each-line splits; give both.",
        },
      ]);
    },
    LONG,
  );
});

test(
  "arguments that are no UTF-8 are refused, as they would reach the task changed",
  async () => {
    const cc = BINARY;
    const script = (word: string) => `${cc} submit -q -- echo "$(printf '${word}')" 2>&1; echo $?`;
    const run = (word: string) =>
      Bun.spawnSync(["/bin/sh", "-c", script(word)], {
        env: { ...served.world.env, CC_FOREMAN: served.url },
        timeout: 20_000,
      }).stdout.toString();
    expect(run("caf\\351")).toMatch(
      /^cc: The argument "caf\ufffd" is not UTF-8 text.*\nhint: .*\n2\n$/,
    );
    await expectRefused(served, []);
  },
  LONG,
);

test(
  "values that are nested too deeply are refused by a path that can be read",
  async () => {
    served.file("deep.json", `${"[".repeat(600)}${"]".repeat(600)}\n`);
    const refusal = {
      args: command("--each-json", "deep.json"),
      code: "unserializable",
      message: `Input 0: The value at ${"[0]".repeat(33)}[…]${"[0]".repeat(33)} is nested deeper than 500 levels, which cannot be carried.`,
    };
    await expectRefused(served, [refusal]);
  },
  LONG,
);

test(
  "--input that is no JSON is refused",
  () =>
    expectRefused(served, [
      {
        args: command("--input", "hello"),
        code: "bad_json",
        message: '--input: "hello" is not JSON (JSON Parse error: Unexpected identifier "hello").',
        hint: "A text needs its quotes: --input '\"text\"'",
      },
    ]),
  LONG,
);
