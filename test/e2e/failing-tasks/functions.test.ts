// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are code of job files
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";
import { BAD_LINE, type BadFunction, expectFailure, runBadFunction } from "./bad-task.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld(1);
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

const failing = (bad: BadFunction, code: string, message: string | RegExp) =>
  expectFailure(runBadFunction(served, bad), code, message);

/** Its stack begins in the author's file, on this line. */
async function failingThere(bad: BadFunction, code: string, message: string | RegExp) {
  const row = await failing(bad, code, message);
  expect(row.error?.stack).toMatch(new RegExp(`\\bjob-\\d+\\.ts:${BAD_LINE}:\\d+`));
  return row;
}

describe("a function that throws fails alone, with its message and its place", () => {
  test(
    "an Error, from asynchronous and synchronous code",
    async () => {
      await failingThere({ code: 'throw new Error("boom");' }, "error", "boom");
      await failingThere({ code: 'throw new Error("boom");', isSync: true }, "error", "boom");
      await failingThere(
        { code: "return (undefined as any).x;" },
        "error",
        /^TypeError: .*undefined/,
      );
    },
    LONG,
  );

  test(
    "an Error with a cause keeps both stacks",
    async () => {
      const { error } = await failingThere(
        { code: 'throw new Error("outer", { cause: new RangeError("inner") });' },
        "error",
        "outer",
      );
      expect(error?.stack).toMatch(
        /^Error: outer\n.*\ncaused by: RangeError: inner\n.*job-\d+\.ts:6/s,
      );
    },
    LONG,
  );

  test(
    "what is no Error",
    async () => {
      await failing({ code: 'throw "plain words";' }, "error", "plain words");
      await failing({ code: "throw undefined;" }, "error", /^undefined was thrown/);
      await failing({ code: "throw { status: 404 };" }, "error", /^\{ status: 404 \} was thrown/);
    },
    LONG,
  );

  test(
    "a rejected promise",
    async () => {
      const code = 'return Promise.reject(new RangeError("no"));';
      await failingThere({ code }, "error", "RangeError: no");
      await failingThere({ code, isSync: true }, "error", "RangeError: no");
    },
    LONG,
  );

  test(
    "a code of the author's own",
    async () => {
      const also =
        'class Bad extends Error {} export const classifyError = (e: unknown) => (e instanceof Bad ? { code: "bad_input" } : undefined);';
      await failingThere({ also, code: 'throw new Bad("no number");' }, "bad_input", "no number");
      await failingThere({ also, code: 'throw new Error("other");' }, "error", "other");
    },
    LONG,
  );

  test(
    "its console output is kept with the failure",
    async () => {
      const { error } = await failing(
        { code: 'console.log("row", 4); console.error("why"); throw new Error("x");' },
        "error",
        "x",
      );
      expect(error?.console).toBe("row 4\nwhy\n");
    },
    LONG,
  );

  test(
    "a callback of its own while it waits",
    () =>
      failingThere(
        {
          code: 'setTimeout(() => { throw new Error("in a timer"); }, 5); await new Promise(() => {});',
        },
        "error",
        "in a timer",
      ),
    LONG,
  );

  test(
    "a promise that nobody handles, where it waits for ever",
    () =>
      failingThere(
        { code: 'Promise.reject(new Error("floating")); await new Promise(() => {});' },
        "error",
        "floating",
      ),
    LONG,
  );
});

describe("what a function starts and leaves behind fails nobody else", () => {
  const leaving = async (code: string): Promise<void> => {
    const { bad, exitCode } = await runBadFunction(served, {
      code,
      others: "await Bun.sleep(20);",
    });
    expect({ status: bad.status, value: bad.value, exitCode }).toEqual({
      status: "completed",
      value: 40,
      exitCode: 0,
    });
  };

  test(
    "a throw after it has returned is in the worker's log, with the task",
    async () => {
      await leaving('setTimeout(() => { throw new Error("thrown late"); }, 30); return 40;');
      await served.foreman.untilStderr(/after task \d+\/4 had ended: Error: thrown late/);
    },
    LONG,
  );

  test(
    "a rejection after it has returned is in the worker's log",
    async () => {
      await leaving(
        '(async () => { await Bun.sleep(30); throw new Error("rejected late"); })(); return 40;',
      );
      await served.foreman.untilStderr(/Error: rejected late/);
    },
    LONG,
  );

  test(
    "a folder that it changed to or removed",
    async () => {
      const also =
        'const home = process.cwd(); const stay = () => { if (process.cwd() !== home) throw new Error("moved"); };';
      await runBadFunction(served, {
        also: 'import { rmSync } from "node:fs";',
        code: "rmSync(process.cwd(), { recursive: true }); return 40;",
        others: "ctx.dir;",
      });
      for (const folder of ['"/tmp"', "ctx.dir"]) {
        const { bad } = await runBadFunction(served, {
          also,
          code: `process.chdir(${folder}); return 40;`,
          others: "stay();",
        });
        expect(bad).toMatchObject({ status: "completed", value: 40 });
      }
    },
    LONG,
  );
});

describe("a value that cannot be carried back fails the task with the path inside it", () => {
  test(
    "a function, a cycle, an instance of a class",
    async () => {
      const what = (text: string) => `The value${text}, which cannot be carried.`;
      await failing({ code: "return () => 1;" }, "unserializable", what(" is a function"));
      await failing(
        { code: "return { rows: [1, { f() {} }] };" },
        "unserializable",
        what(" at .rows[1].f is a function"),
      );
      await failing(
        { code: "const a: any = {}; a.b = { a }; return a;" },
        "unserializable",
        what(" at .b.a is a cycle"),
      );
      await failing(
        { code: "return { m: new (class Model {})() };" },
        "unserializable",
        what(" at .m is an instance of Model"),
      );
    },
    LONG,
  );

  test(
    "one that defends itself",
    async () => {
      await failing({ code: 'return { get x() { throw new Error("get"); } };' }, "error", "get");
      await failing(
        { code: 'return new Proxy({}, { ownKeys() { throw new Error("trap"); } });' },
        "error",
        "trap",
      );
      await failing({ code: 'return { then() { throw new Error("then"); } };' }, "error", "then");
    },
    LONG,
  );

  test(
    "more than 8 MiB",
    () =>
      failing(
        { code: 'return "x".repeat(9 * 2 ** 20);' },
        "result_too_large",
        "The result takes 9437187 bytes; at most 8 MiB are carried.",
      ),
    LONG,
  );
});

describe("retries", () => {
  const flags = ["--retries", "5", "--backoff", "5ms"];

  test(
    "a PermanentError is tried once",
    () =>
      failingThere(
        {
          also: 'import { PermanentError } from "crowdcompute";',
          code: 'throw new PermanentError("never again", { code: "bad_row" });',
          flags,
        },
        "bad_row",
        "never again",
      ),
    LONG,
  );

  test(
    "a flaky task completes, and sees its attempt's number",
    async () => {
      const code =
        "if (ctx.attempt < 3) throw new Error(`try ${ctx.attempt}`); return ctx.attempt;";
      const { bad, exitCode } = await runBadFunction(served, { code, flags });
      expect(bad).toMatchObject({ status: "completed", value: 3, attempts: 3 });
      expect(exitCode).toBe(0);
    },
    LONG,
  );

  test(
    "a task that fails to the end has its last error",
    async () => {
      const code = "throw new Error(`try ${ctx.attempt}`);";
      const { bad, exitCode } = await runBadFunction(served, {
        code,
        flags: ["--retries", "2", "--backoff", "5ms"],
      });
      expect(bad).toMatchObject({
        status: "failed",
        attempts: 3,
        error: { code: "error", message: "try 3" },
      });
      expect(exitCode).toBe(1);
    },
    LONG,
  );
});
