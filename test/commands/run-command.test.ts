import { describe, expect, test } from "bun:test";
import { type CommandContext, OutputClosed } from "../../src/commands/command-context.ts";
import type { Command } from "../../src/commands/dispatch.ts";
import { defineVerb } from "../../src/commands/option-table.ts";
import { runCommand } from "../../src/commands/run-command.ts";
import { CLIENT_OPTIONS } from "../../src/commands/tables/shared.ts";
import { CcError, type ExitCode } from "../../src/runtime/protocol/error.ts";
import { createMemoryIo, type MemoryIoOptions } from "../support/memory-io.ts";

const TABLE = defineVerb({
  verb: "sample",
  group: "Run",
  summary: "try the runner",
  usage: ["sample JOB"],
  positionals: [{ name: "JOB", required: true }],
  acceptsRest: true,
  options: { limit: { type: "integer", default: 20, description: "a limit" }, ...CLIENT_OPTIONS },
  examples: [{ line: "cc sample 1", does: "try it" }],
});

type Handler = (context: CommandContext<typeof TABLE>) => Promise<ExitCode>;

async function call(
  words: readonly string[],
  handler: Handler,
  options: MemoryIoOptions & { env?: Record<string, string>; daemon?: boolean } = {},
) {
  const io = createMemoryIo(options);
  const table = options.daemon ? { ...TABLE, usageExitCode: 64 as const } : TABLE;
  const command = { table, load: async () => ({ run: handler }) } as unknown as Command;
  const env = { HOME: "/nonexistent", ...options.env };
  const exitCode = await runCommand({ command, verb: "sample", words, io, env, cwd: "/" });
  return { exitCode, stdout: io.stdoutText(), stderr: io.stderrText() };
}

const fail =
  (fields: Partial<ConstructorParameters<typeof CcError>[0]>) => async (): Promise<ExitCode> => {
    throw new CcError({ code: "sample", message: "It is so.", ...fields });
  };

test("a handler gets values, positionals, the rest and the world", async () => {
  let seen: CommandContext<typeof TABLE> | undefined;
  const run = await call(["17", "-q", "--json", "--limit", "3", "--", "a"], async (context) => {
    seen = context;
    await context.io.stdout.write("done\n");
    return 1;
  });
  expect(run).toEqual({ exitCode: 1, stdout: "done\n", stderr: "" });
  expect(seen?.values.limit).toBe(3);
  expect(seen?.origins.limit).toEqual({ kind: "flag", detail: "--limit" });
  expect(seen?.positionals[0]).toBe("17");
  expect(seen).toMatchObject({
    rest: ["a"],
    json: true,
    quiet: true,
    cwd: "/",
    words: ["sample", "17", "-q", "--json", "--limit", "3", "--", "a"],
  });
});

test("--help runs nothing, and is not looked for behind --", async () => {
  const never: Handler = async () => {
    throw new Error("ran");
  };
  expect(await call(["--help", "--nonsense"], never)).toMatchObject({
    exitCode: 0,
    stderr: "",
    stdout: expect.stringContaining("Usage:\n  cc sample JOB\n"),
  });
  expect((await call(["1", "--", "--help"], async () => 0)).stdout).toBe("");
});

describe("colour", () => {
  const colorOf = async (words: readonly string[], options: Parameters<typeof call>[2]) => {
    let color = false;
    await call(
      words,
      async (context) => {
        color = context.color.stdout;
        return 0;
      },
      options,
    );
    return color;
  };

  test("only on a terminal, and not with NO_COLOR, --no-color or TERM=dumb", async () => {
    expect(await colorOf(["1"], { isTerminal: true })).toBe(true);
    expect(await colorOf(["1"], { isTerminal: false })).toBe(false);
    expect(await colorOf(["1", "--no-color"], { isTerminal: true })).toBe(false);
    expect(await colorOf(["1"], { isTerminal: true, env: { NO_COLOR: "1" } })).toBe(false);
    expect(await colorOf(["1"], { isTerminal: true, env: { NO_COLOR: "" } })).toBe(true);
    expect(await colorOf(["1"], { isTerminal: true, env: { TERM: "dumb" } })).toBe(false);
  });
});

describe("errors", () => {
  test("are a sentence and a hint for people", async () => {
    expect(await call(["1"], fail({ hint: "Do this.", exitCode: 3 }))).toEqual({
      exitCode: 3,
      stdout: "",
      stderr: "cc: It is so.\nhint: Do this.\n",
    });
  });

  test("are one object for scripts", async () => {
    const run = await call(["1", "--json"], fail({ retryable: true, exitCode: 3 }));
    expect(JSON.parse(run.stderr)).toEqual({
      code: "sample",
      message: "It is so.",
      retryable: true,
    });
    const wrong = await call(["--json", "--nope"], async () => 0);
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: "unknown_option" });
  });

  test("cannot move the cursor of a terminal", async () => {
    const run = await call(["1"], fail({ message: "a\u001b[2Jb\u202e", exitCode: 1 }));
    expect(run.stderr).toBe("cc: a?[2Jb?\n");
  });

  test("of our own are 70 with what to report", async () => {
    const run = await call(["1"], async () => {
      throw new TypeError("x is undefined");
    });
    expect(run.exitCode).toBe(70);
    expect(run.stderr).toMatch(
      /^cc: Unexpected fault: x is undefined\nhint: .*report.*\nTypeError: x is undefined\n +at /,
    );
  });

  test("in a daemon's command line are 64, in its environment 2 becomes 64, in its configuration 78", async () => {
    expect((await call(["--nope"], async () => 0, { daemon: true })).exitCode).toBe(64);
    expect(
      (await call(["1", "--config", "/nonexistent/x.json"], async () => 0, { daemon: true }))
        .exitCode,
    ).toBe(78);
    expect((await call(["1", "--config", "/nonexistent/x.json"], async () => 0)).exitCode).toBe(2);
  });
});

test("a reader that has gone ends the command quietly", async () => {
  const run = await call(
    ["1"],
    async (context) => {
      await context.io.stdout.write("x");
      return 1;
    },
    { stdoutClosed: true },
  );
  expect(run).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(new OutputClosed()).toBeInstanceOf(Error);
});
