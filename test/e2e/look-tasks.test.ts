/** `cc tasks`: the tasks of a job as a list, and one task with its attempts, input and outcome. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GATED, openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

const ROWS = `
export const inputs = [{ name: "ann", age: 40 }, { name: "bob" }, { name: "cy", age: 12 }];
export default (row: { name: string; age?: number }) => {
  console.log("reading", row.name);
  if (row.age === undefined) throw new RangeError(row.name + " has no age");
  return [row.name, row.age * 2];
};
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "1"]);
  stage.file("rows.ts", ROWS);
  await stage.cc(["submit", "-q", "rows.ts"]);
  const script = 'echo "out $1"; echo "bad $1" >&2; exit $1';
  await stage.cc(["submit", "-q", "--", "sh", "-c", script, "sh", ":::", "0", "3"]);
  await stage.cc(["submit", "-q", "--", "echo", "no input"]);
}, SETUP_MS);
afterAll(() => stage.close());

const screen = async (...args: string[]): Promise<string> =>
  plain((await stage.cc(args)).stdout, stage.world);

describe("cc tasks JOB, the list", () => {
  test("shows each task with its state and error", async () => {
    expect(await screen("tasks", "1")).toBe(
      `TASK  STATE  ATTEMPTS  RUN  WORKER  ERROR
1/0  completed  1  T  w1
1/1  failed  1  T  w1  error: RangeError: bob has no age
1/2  completed  1  T  w1
`,
    );
  });

  test("--inputs adds what each was given, as JSON", async () => {
    expect(await screen("tasks", "1", "--inputs")).toBe(
      `TASK  STATE  ATTEMPTS  RUN  WORKER  INPUT  ERROR
1/0  completed  1  T  w1  {"name":"ann","age":40}
1/1  failed  1  T  w1  {"name":"bob"}  error: RangeError: bob has no age
1/2  completed  1  T  w1  {"name":"cy","age":12}
`,
    );
    expect(await screen("tasks", "3", "--inputs")).toContain("3/0  completed  1  T  w1  -\n");
  });

  test("chooses by state, and -q prints ids", async () => {
    expect((await stage.cc(["tasks", "1", "--state", "failed", "-q"])).stdout).toBe("1/1\n");
    expect((await stage.cc(["tasks", "2", "--state", "completed,failed", "-q"])).stdout).toBe(
      "2/0\n2/1\n",
    );
  });

  test("without a match says so on stderr", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["tasks", "1", "--state", "running"]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr: "no such tasks\n",
      exitCode: 0,
    });
  });

  test("shows fifty, or as many as --limit says, and how many more there are", async () => {
    await stage.cc(["submit", "-q", "--array", "1-120", "-o", "/dev/null", "--", "true"]);
    const first = await stage.cc(["tasks", "last"]);
    expect(first.stdout.trimEnd().split("\n")).toHaveLength(51);
    expect(first.stderr).toBe("… 70 more (--limit 0)\n");
    const some = await stage.cc(["tasks", "last", "--limit", "2", "--state", "completed"]);
    expect(some.stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(some.stderr).toBe("… more (--limit 0)\n");
    const all = await stage.cc(["tasks", "last", "--limit", "0"]);
    expect(all.stdout.trimEnd().split("\n")).toHaveLength(121);
    expect(all.stderr).toBe("");
    expect(await stage.json(["tasks", "last"])).toHaveLength(120);
  });

  test("--json is one object a line", async () => {
    const rows = await stage.json(["tasks", "1", "--inputs"]);
    expect(rows[1]).toEqual({
      task_id: "1/1",
      index: 1,
      state: "failed",
      attempts: 1,
      worker: "w1",
      run_seconds: expect.any(Number),
      error: { code: "error", message: "RangeError: bob has no age" },
      input: '{"name":"bob"}',
    });
  });
});

describe("cc tasks JOB/INDEX, the details", () => {
  test("of a function that threw: input, stack and what it printed", async () => {
    expect(await screen("tasks", "1/1")).toBe(
      `task  1/1  of rows
state  failed
worker  w1
run time  T
input  {"name":"bob"}
attempts
  1  failed on w1  T  error: RangeError: bob has no age
  RangeError: bob has no age
  at rows_default (rows.ts:5:40)
console (the end)
  reading bob
`,
    );
  });

  test("of one that completed: its result", async () => {
    expect(await screen("task", "1/2")).toEndWith(
      'attempts\n  1  completed on w1  T\nresult\n  ["cy",24]\n',
    );
  });

  test("of a command: how it ended and what it wrote", async () => {
    expect(await screen("tasks", "2/1")).toBe(
      `task  2/1  of sh
state  failed
worker  w1
run time  T
input  "3"
attempts
  1  failed on w1  T  exit_status: bad 3
ended with exit 3
stdout
  out 3
stderr
  bad 3
`,
    );
  });

  test("of a command without inputs shows none", async () => {
    expect(await screen("tasks", "3/0")).not.toContain("\ninput");
  });

  test("of one that runs: where and since when", async () => {
    const gate = stage.gate("running");
    const job = await stage.submit(["--", ...GATED, ":::", gate.path]);
    await gate.started();
    const text = await screen("tasks", `${job}/0`);
    expect(text).toContain("state  running\n");
    expect(text).toMatch(/why {2}Task \d+\/0 .* worker w1/);
    expect(text).toEndWith("attempts\n  1  running on w1\n");
    await gate.open();
    await stage.cc(["wait", job]);
  });

  test("of one that was cancelled before it began: no attempt, but the reason", async () => {
    const job = await stage.submit(["--delay", "1h", "--", "true"]);
    await stage.cc(["cancel", job, "--reason", "not needed"]);
    expect(await screen("tasks", `${job}/0`)).toBe(
      `task  ${job}/0  of true
state  cancelled
attempts
  -  cancelled  cancelled: not needed
`,
    );
  });

  test("of one that was tried again: every attempt", async () => {
    await stage.cc(["retry", "2", "--", "sh", "-c", "echo mended $1", "sh"]);
    const text = await screen("tasks", "2/1");
    expect(text).toContain("  1  failed on w1  T  exit_status: bad 3\n  2  completed on w1  T\n");
    expect(text).toContain("stdout\n  mended 3\n");
  });

  test("--json is one object with its schema, history and input", async () => {
    const [task] = await stage.json(["tasks", "1/1"]);
    expect(task).toMatchObject({
      schema: "crowdcompute/v1",
      task_id: "1/1",
      state: "failed",
      input: { name: "bob" },
      job: { job_id: 1, name: "rows" },
      history: [{ attempt: 1, outcome: "failed", code: "error", worker: "w1" }],
      not_before: null,
    });
  });

  test.each([
    [["tasks", "1/7"], "cc: Job 1 has 3 tasks (0 to 2), so there is no 1/7.\nhint: cc tasks 1\n"],
    [["tasks", "77"], "cc: There is no job 77.\nhint: cc jobs\n"],
    [["tasks"], "cc: cc tasks needs JOB[/INDEX].\nhint: cc tasks JOB [options]\n"],
    [
      ["tasks", "1", "--state", "runing"],
      'cc: --state "runing" is no task state; expected blocked, queued, delayed, running, completed, failed, cancelled.\nhint: Did you mean running?\n',
    ],
  ])("%j is refused with exit 2", async (args, message) => {
    const { stdout, stderr, exitCode } = await stage.cc(args);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: message, exitCode: 2 });
  });
});
