import { describe, expect, test } from "bun:test";
import { INPUT_ENV_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import {
  executorEnvironment,
  inheritEnvironment,
  jobEnvironment,
  type TaskVariables,
  taskEnvironment,
} from "../../../../src/runtime/worker/host/task-environment.ts";

const task: TaskVariables = {
  jobId: 17,
  index: 3,
  attempt: 2,
  slot: 1,
  inputText: "a b",
  inputFile: "/tmp/input-1",
};

describe("the environment of a task", () => {
  test("inherits the machine and the account, and nothing that could be a secret or harm", () => {
    const own = {
      PATH: "/bin",
      HOME: "/home/ada",
      LC_TIME: "C",
      TZ: "UTC",
      CC_KEY_FILE: "/k",
      CC_FOREMAN: "ws://x",
      BUN_OPTIONS: "--preload x",
      NODE_OPTIONS: "--require x",
      LD_PRELOAD: "/x.so",
      AWS_SECRET_ACCESS_KEY: "s",
    };
    expect(inheritEnvironment(own)).toEqual({
      PATH: "/bin",
      HOME: "/home/ada",
      LC_TIME: "C",
      TZ: "UTC",
    });
  });

  test("always has a PATH", () => {
    expect(inheritEnvironment({})["PATH"]).toContain("/usr/bin");
  });

  test("takes the job's variables but for our own names", () => {
    const env = { TZ: "CET", MODE: "fast", CC_FOREMAN: "ws://evil", CC_JOB_ID: "9" };
    const inherited = inheritEnvironment({ PATH: "/bin", TZ: "UTC" });
    expect(jobEnvironment(inherited, { env, cpus: 4, workerId: "w1" })).toEqual({
      PATH: "/bin",
      TZ: "CET",
      MODE: "fast",
      OMP_NUM_THREADS: "4",
      CC_WORKER_ID: "w1",
    });
  });

  test("lets a job decide OMP_NUM_THREADS for itself", () => {
    const job = { env: { OMP_NUM_THREADS: "7" }, cpus: 2, workerId: "w1" };
    expect(jobEnvironment({}, job)["OMP_NUM_THREADS"]).toBe("7");
  });

  test("names the task", () => {
    expect(taskEnvironment({ PATH: "/bin" }, task)).toEqual({
      PATH: "/bin",
      CC_JOB_ID: "17",
      CC_TASK_ID: "17/3",
      CC_TASK_INDEX: "3",
      CC_ATTEMPT: "2",
      CC_SLOT: "1",
      CC_INPUT: "a b",
      CC_INPUT_FILE: "/tmp/input-1",
    });
  });

  test("holds an input of exactly the limit, and none beyond it, with a NUL or without text", () => {
    const inputOf = (inputText: string | null) =>
      taskEnvironment({}, { ...task, inputText })["CC_INPUT"];
    const largest = "é".repeat(INPUT_ENV_BYTES_MAX / 2);
    expect(inputOf(largest)).toBe(largest);
    expect(inputOf(`${largest}x`)).toBeUndefined();
    expect(inputOf("a\0b")).toBeUndefined();
    expect(inputOf(null)).toBeUndefined();
  });

  test("keeps what our own executable would obey from an executor's start", () => {
    const job = { PATH: "/bin", BUN_OPTIONS: "--preload x", NODE_ENV: "production" };
    expect(executorEnvironment(job, 2)).toEqual({
      atStart: { PATH: "/bin", CC_SLOT: "2" },
      afterStart: { BUN_OPTIONS: "--preload x", NODE_ENV: "production" },
    });
  });
});
