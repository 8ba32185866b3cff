/** `cc try` on the compiled binary: tasks of a served job, a job file, and a store without a foreman. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRecordedTask } from "../../src/commands/try/recorded-task.ts";
import { openConnection } from "../../src/runtime/client/connection.ts";
import { openOfflineForeman } from "../../src/runtime/foreman/offline.ts";
import { systemClock } from "../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../src/runtime/platform/logger.ts";
import { findPaths } from "../../src/runtime/platform/paths.ts";
import { asJobId } from "../../src/runtime/protocol/ids.ts";
import { createWorld, type RunningCc, type World } from "../support/binary.ts";

const ROWS_JOB = `
import { parse } from "./parse.ts";
export const options = { env: { UNIT: "km" }, seed: 5 };
export const inputs = ["1", "two", "3"];
export const setup = (ctx) => { ctx.log("warm"); };
export default (text, ctx) => {
  console.log("parsing", text);
  return { value: parse(text), unit: process.env.UNIT, random: ctx.random() };
};
`;
const PARSE = `
export function parse(text) {
  if (!/^\\d+$/.test(text)) throw new RangeError("not a number: " + text);
  return Number(text);
}
`;

let world: World;
let foreman: RunningCc;

beforeAll(async () => {
  world = await createWorld();
  file("rows.ts", ROWS_JOB);
  file("parse.ts", PARSE);
  foreman = world.start(["foreman", "--port", "0", "--workers", "2"]);
  await foreman.untilStderr(/workers join with/);
  await world.cc(["submit", "-q", "rows.ts"]);
  await world.cc(["submit", "-q", "--env", "TOKEN", "--", "sh", "-c", 'echo "[$TOKEN]"; exit 4'], {
    env: { TOKEN: "secret" },
  });
});
afterAll(() => world.close());

const file = (name: string, text: string): void => writeFileSync(join(world.folder, name), text);

describe("a recorded task", () => {
  test("prints the value that the worker returned, and its prints on stderr", async () => {
    const recorded = await world.cc(["results", "1"]);
    const tried = await world.cc(["try", "1/2"]);
    expect(tried.stdout).toBe(`${recorded.stdout.split("\n")[1]}\n`);
    expect(tried.stderr).toMatch(/^warm\nparsing 3\n1\/2 completed, /);
    expect(tried.exitCode).toBe(0);
  });

  test("that throws prints the author's frames and ends with 1", async () => {
    const tried = await world.cc(["try", "1/1"]);
    expect({ stdout: tried.stdout, exitCode: tried.exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(tried.stderr).toContain("1/1 failed: error, ");
    expect(tried.stderr).toContain("RangeError: not a number: two\n    at parse (parse.ts:3:");
  });

  test("runs corrected code on the recorded input, and nothing is recorded", async () => {
    file("fixed.ts", "export default (text) => '<' + text + '>';");
    const tried = await world.cc(["try", "1/1", "--with", "fixed.ts"]);
    expect({ stdout: tried.stdout, exitCode: tried.exitCode }).toEqual({
      stdout: "<two>\n",
      exitCode: 0,
    });
    const task = JSON.parse((await world.cc(["tasks", "1/1", "--json"])).stdout);
    expect(task).toMatchObject({ state: "failed", attempts: 1 });
  });

  test("as JSON is one object", async () => {
    const good = JSON.parse((await world.cc(["try", "--json", "1/0"])).stdout);
    expect(good).toMatchObject({
      schema: "crowdcompute/v1",
      task_id: "1/0",
      status: "completed",
      value: { value: 1, unit: "km" },
    });
    const bad = JSON.parse((await world.cc(["try", "--json", "1/1"])).stdout);
    expect(bad).toMatchObject({ status: "failed", error: { code: "error" } });
  });

  test("of a command gets the caller's value of a secret, or says that it is missing", async () => {
    const without = await world.cc(["try", "2/0"]);
    expect(without.stderr).toContain("the task's TOKEN is secret and not set here");
    expect(without.stderr).toContain("The command ended with status 4.");
    expect({ stdout: without.stdout, exitCode: without.exitCode }).toEqual({
      stdout: "[]\n",
      exitCode: 1,
    });
    const given = await world.cc(["try", "2/0"], { env: { TOKEN: "mine" } });
    expect(given.stdout).toBe("[mine]\n");
    expect(given.stderr).not.toContain("TOKEN");
  });

  test("that is none is refused with 2 and what to type", async () => {
    const words: readonly (readonly string[])[] = [
      ["1"],
      ["1/9"],
      ["77/0"],
      ["absent.ts"],
      ["1/0", "--", "word"],
      ["rows.ts", "--with", "fixed.ts"],
      ["1/0", "1/1"],
    ];
    for (const args of words) {
      const run = await world.cc(["try", ...args]);
      expect({ args, exitCode: run.exitCode, stdout: run.stdout }).toEqual({
        args,
        exitCode: 2,
        stdout: "",
      });
    }
    expect((await world.cc(["try", "1"])).stderr).toContain("hint: cc try 1/0");
  });
});

describe("a job file", () => {
  test("runs its first input with its options and arguments, without any foreman", async () => {
    file(
      "args.ts",
      `export const options = { metadata: { who: "me" }, chunk: 2 };
       export function* inputs(words) { console.log("listing"); yield* words; }
       export default (words, ctx) => [words, ctx.metadata.who, ctx.task.id];`,
    );
    const run = await world.cc(["try", "args.ts", "--", "a b", "c", "d"], {
      env: { CC_FOREMAN: "ws://127.0.0.1:1" },
    });
    expect(run.stdout).toBe('[["a b","c"],"me","0/0"]\n');
    expect(run.stderr).toMatch(/^listing\nargs completed, /);
    expect(run.exitCode).toBe(0);
  });

  test("with an error that nobody caught fails with that error", async () => {
    file(
      "stray.ts",
      `export default async () => {
         setTimeout(() => { throw new Error("in a timer"); }, 1);
         await new Promise(() => {});
       };`,
    );
    const run = await world.cc(["try", "stray.ts"]);
    expect(run.stderr).toContain("Error: in a timer\n    at <anonymous> (stray.ts:2:");
    expect(run.exitCode).toBe(1);
  });

  test("that never ends is ended by an interrupt, even where it blocks", async () => {
    const loops = {
      "blocks.ts": `export default () => { console.log("in"); for (;;); };`,
      "waits.ts": `export default async () => { console.log("in"); await new Promise(() => {}); };`,
    };
    for (const [name, text] of Object.entries(loops)) {
      file(name, text);
      const running = world.start(["try", name]);
      await running.untilStderr(/^in$/m);
      running.kill("SIGINT");
      expect((await running.ended).signal).toBe("SIGINT");
    }
    await world.cc(["try", "args.ts", "--", "a"]);
    const left = readdirSync(world.env["TMPDIR"] ?? "").filter((name) =>
      name.startsWith("cc-try-"),
    );
    expect(left).toEqual([]);
  });
});

test("a store without a foreman gives the input and the code as well", async () => {
  foreman.kill("SIGTERM");
  expect((await foreman.ended).exitCode).toBe(0);
  const storeFolder = findPaths(world.env).defaultStore;
  const parts = { storeFolder, owner: "tester", clock: systemClock, logger: silentLogger };
  const offline = await openOfflineForeman(parts);
  try {
    const connection = await openConnection("store", async (handler) =>
      offline.connect(() => handler),
    );
    const folder = world.folder;
    const request = { jobId: asJobId(1), index: 1, callerEnv: {}, folder, corrected: null };
    const { trial, missingVariables } = await readRecordedTask(connection, request);
    expect(trial).toMatchObject({ taskId: "1/1", input: "two", seed: 5, env: { UNIT: "km" } });
    expect(missingVariables).toEqual([]);
    if (trial.work.kind !== "function") throw new Error("a function was submitted");
    expect((await trial.work.load()).hasInputs).toBe(true);
    const change = connection.request({ type: "cancel_job", job_id: 1 });
    await expect(change).rejects.toMatchObject({ code: "read_only" });
    connection.close();
  } finally {
    await offline.close();
  }
});
