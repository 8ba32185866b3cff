/** A function that `cc try` runs sees what it would see on a worker, and every end of it is noticed. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { callFunction } from "../../../src/commands/try/call-function.ts";
import type { Trial, TrialEnd } from "../../../src/commands/try/trial.ts";
import { createTrialFolder, type TrialFolder } from "../../../src/commands/try/trial-folder.ts";
import { createRandom } from "../../../src/runtime/job-module/seeded-random.ts";
import type { TaskContext } from "../../../src/runtime/job-module/task-context.ts";
import { VALUE_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import { decodeValue } from "../../../src/runtime/protocol/value.ts";
import { functionTrial } from "./trials.ts";

let folder: TrialFolder;
beforeEach(() => {
  folder = createTrialFolder();
});
afterEach(() => folder.remove());

function call(trial: Trial): Promise<TrialEnd> {
  if (trial.work.kind !== "function") throw new Error("a function is called");
  return callFunction(trial, trial.work, folder);
}

async function returned(trial: Trial): Promise<unknown> {
  const { value, failure } = await call(trial);
  expect(failure).toBeNull();
  return decodeValue(value ?? new Uint8Array(0));
}

describe("what the function sees", () => {
  test("its context is that of the task: numbers, names, metadata and what setup returned", async () => {
    const trial = functionTrial(
      (input, ctx) => ({
        input,
        attempt: ctx.attempt,
        task: ctx.task,
        job: ctx.job,
        metadata: ctx.metadata,
        setup: ctx.setup,
      }),
      { input: [1], metadata: { color: "red" }, exports: { setup: async () => "ready" } },
    );
    expect(await returned(trial)).toEqual({
      input: [1],
      attempt: 2,
      task: { id: "17/3", index: 3 },
      job: { id: 17, name: "job", queue: "default" },
      metadata: { color: "red" },
      setup: "ready",
    });
  });

  test("ctx.random draws the task's own numbers", async () => {
    const random = createRandom(9, 3);
    const trial = functionTrial((_, ctx) => [ctx.random(), ctx.random()], { seed: 9 });
    expect(await returned(trial)).toEqual([random(), random()]);
  });

  test("ctx.dir is a folder of its own", async () => {
    const path = (await returned(functionTrial((_, ctx: TaskContext) => ctx.dir))) as string;
    expect(existsSync(path)).toBe(true);
    expect(path).toStartWith(folder.path);
    folder.remove();
    expect(existsSync(path)).toBe(false);
  });

  test("its environment is a worker's: the job's variables, none of the caller's own", async () => {
    process.env["MINE"] = "private";
    try {
      const see = () => [process.env["MODE"], process.env["MINE"], process.env["CC_WORKER_ID"]];
      const seen = await returned(functionTrial(see, { env: { MODE: "fast" } }));
      expect(seen).toEqual(["fast", undefined, "cc-try"]);
      expect([process.env["MODE"], process.env["MINE"]]).toEqual([undefined, "private"]);
    } finally {
      delete process.env["MINE"];
    }
  });
});

test("it runs in an empty folder, as on a worker, and leaves ours as it was", async () => {
  const cwd = process.cwd();
  const seen = await returned(functionTrial(() => [process.cwd(), readdirSync(".")]));
  expect(seen).toEqual([expect.stringContaining(folder.path), []]);
  expect(process.cwd()).toBe(cwd);
});

describe("how it ends", () => {
  test("what it throws is described, by classifyError too", async () => {
    const boom = () => {
      throw new TypeError("no such row");
    };
    const plain = await call(functionTrial(boom));
    expect(plain.value).toBeNull();
    expect(plain.failure).toMatchObject({ code: "error", message: "TypeError: no such row" });
    const classifyError = () => ({ code: "bad_row", permanent: true });
    const judged = await call(functionTrial(boom, { exports: { classifyError } }));
    expect(judged.failure).toMatchObject({ code: "bad_row", permanent: true });
  });

  test("what setup throws fails the task", async () => {
    const setup = async () => {
      throw new Error("no model");
    };
    const end = await call(functionTrial(() => 1, { exports: { setup } }));
    expect(end.failure?.message).toBe("no model");
  });

  test("process.exit fails it, even where it catches everything", async () => {
    const exit = process.exit;
    const leave = async () => {
      try {
        process.exit(3);
      } catch {
        // As careless code does.
      }
      await new Promise(() => {});
    };
    expect((await call(functionTrial(leave))).failure?.code).toBe("exited");
    expect(process.exit).toBe(exit);
  });

  test("a result that cannot be carried, or is too large, fails it", async () => {
    const uncarried = await call(functionTrial(() => ({ a: [() => 1] })));
    expect(uncarried.failure).toMatchObject({ code: "unserializable" });
    expect(uncarried.failure?.message).toContain(".a[0]");
    const large = await call(functionTrial(() => new Uint8Array(VALUE_BYTES_MAX)));
    expect(large).toMatchObject({ value: null, failure: { code: "result_too_large" } });
    const largest = await call(functionTrial(() => new Uint8Array(VALUE_BYTES_MAX - 1)));
    expect(largest.failure).toBeNull();
  });
});
