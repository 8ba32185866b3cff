/** `cc why`: one sentence about a job, a task or a worker, and the line to type, on stdout. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GATED, type Gate, openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, SETUP_MS);
afterAll(() => stage.close());

async function why(subject: string): Promise<string> {
  const { stdout, stderr, exitCode } = await stage.cc(["why", subject]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return plain(stdout, stage.world);
}

describe("why a job waits", () => {
  test("nobody works here yet", async () => {
    const job = await stage.submit(["--", "true"]);
    expect(await why(job)).toBe("No workers are connected.\ncc worker\n");
    expect(await why(`${job}/0`)).toBe("No workers are connected.\ncc worker\n");
    await stage.cc(["cancel", job]);
  });

  test("paused, delayed, or after another job", async () => {
    const paused = await stage.submit(["--", "true"]);
    await stage.cc(["pause", paused]);
    expect(await why(paused)).toBe(`Job ${paused} is paused.\ncc resume ${paused}\n`);
    const after = await stage.submit(["--after", paused, "--", "true"]);
    expect(await why(after)).toBe(
      `Job ${paused} must complete first (paused, 0 % done).\ncc why ${paused}\n`,
    );
    const delayed = await stage.submit(["--delay", "50m", "--", "true"]);
    expect(await why(delayed)).toBe(`Job ${delayed} starts in T (--delay).\n`);
    await stage.cc(["cancel", delayed, paused]);
    expect(await why(after)).toBe(
      `Job ${after} was cancelled as dependency_failed: Job ${paused}, which had to complete first, was cancelled.\ncc retry ${after}\n`,
    );
  });
});

describe("with a worker", () => {
  let gate: Gate;
  let busy: string;
  beforeAll(async () => {
    await stage.worker("w1", ["--slots", "1", "--queues", "*,!gpu.*"]);
    gate = stage.gate("busy");
    busy = await stage.submit(["--", ...GATED, ":::", gate.path]);
    await gate.started();
  });
  afterAll(async () => {
    await gate.open();
    await stage.cc(["wait", "-q", busy]);
  });

  test.each([
    [["--worker-label", "rack=b"], "label rack=b", "cc worker --label rack=b"],
    [["--resource", "gpu=1"], "gpu=1", "cc worker --resource gpu=1"],
    [["--queue", "gpu.big"], "queue gpu.big", "cc worker --queues gpu.big"],
    [["--role", "builder"], "role builder", "cc worker --role builder"],
    [["-c", "8"], "8 slots", "cc worker --slots 8"],
  ])("a job with %j names what is missing", async (options, missing, hint) => {
    const job = await stage.submit([...options, "--", "true"]);
    expect(await why(job)).toBe(`No worker offers ${missing} (1 connected).\n${hint}\n`);
    await stage.cc(["cancel", "-q", job]);
  });

  test("slots are busy, with whom, and how to go first", async () => {
    const job = await stage.submit(["--", "true"]);
    expect(await why(job)).toBe(
      `The only slot that could run it is busy, mostly with job ${busy}.\n`,
    );
    await stage.cc(["set", busy, "--priority", "5"]);
    expect(await why(job)).toBe(
      `The only slot that could run it is busy, mostly with job ${busy} of higher priority (5).\ncc set ${job} --priority 5\n`,
    );
    await stage.cc(["cancel", "-q", job]);
  });

  test("what runs says so: the job, the task and the worker", async () => {
    expect(await why(busy)).toBe(`Job ${busy} runs 1 task.\n`);
    expect(await why(`${busy}/0`)).toMatch(new RegExp(`^Task ${busy}/0 .*worker w1`));
    expect(await why("w1")).toBe(`Worker w1 holds 1 task of job ${busy} on 1 slot.\n`);
  });

  test("a paused worker", async () => {
    await stage.cc(["pause", "w1"]);
    expect(await why("w1")).toBe("Worker w1 is paused.\ncc resume w1\n");
    const job = await stage.submit(["--", "true"]);
    expect(await why(job)).toBe(
      "The only worker that could run it, w1, is paused.\ncc resume w1\n",
    );
    await stage.cc(["cancel", "-q", job]);
    await stage.cc(["resume", "w1"]);
  });
});

describe("why it ended so", () => {
  test("a failed job, and its task", async () => {
    await stage.cc(["submit", "-q", "--", "sh", "-c", "echo out of paper >&2; exit 7"]);
    const [{ job_id: job } = {}] = await stage.json(["jobs", "last"]);
    expect(await why("last")).toBe(
      `Job ${job} failed: 1 failed. exit_status: out of paper (1 time, such as ${job}/0).\ncc why ${job}/0\n`,
    );
    expect(await why("last/0")).toBe(
      `Task ${job}/0 failed on w1 in attempt 1: exit_status: out of paper.\ncc try ${job}/0\n`,
    );
  });

  test("a completed one, without a hint", async () => {
    await stage.cc(["submit", "-q", "--", "true"]);
    expect(await why("last")).toMatch(/^Job \d+ completed: 1 completed\.\n$/);
    expect(await why("last/0")).toMatch(/^Task \d+\/0 completed on w1\.\n$/);
  });

  test("a retry that waits for its turn", async () => {
    const job = await stage.submit(["--retries", "1", "--backoff", "1h", "--", "false"]);
    const states = async (): Promise<string> =>
      (await stage.cc(["tasks", job, "--state", "delayed", "-q"])).stdout;
    while ((await states()) === "");
    expect(await why(job)).toMatch(
      new RegExp(
        `^1 task of job ${job} failed and will be tried again, the first in \\S.*\\ncc tasks ${job} --state delayed\\n$`,
      ),
    );
    expect(await why(`${job}/0`)).toMatch(
      /failed 1 time and is tried again in .* \(2 of 2 tries\)\. Last on /,
    );
    await stage.cc(["cancel", "-q", job]);
  });
});

test("--json is one object with a stable code", async () => {
  const [answer] = await stage.json(["why", "w1"]);
  expect(answer).toEqual({
    schema: "crowdcompute/v1",
    code: "idle",
    sentence: "Worker w1 idles: nothing is queued.",
    hint: null,
  });
});

test("what is no job, task or worker is refused with exit 2", async () => {
  const { stdout, stderr, exitCode } = await stage.cc(["why", "nobody"]);
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: "",
    stderr: 'cc: There is no worker "nobody".\nhint: cc workers\n',
    exitCode: 2,
  });
});
