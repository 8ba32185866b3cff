/** `cc jobs`: lists and details of jobs in every state, against a foreman with one worker. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

const DEFECTIVE = `
export const options = { name: "squares", note: "first try", retries: 1, backoff: "1ms" };
export const inputs = [1, 2, 3, 4];
export default (n: number) => {
  if (n === 3) throw new Error("cannot square " + n);
  return n * n;
};
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2"]);
  stage.file("squares.ts", DEFECTIVE);
  await stage.cc(["submit", "squares.ts"]);
  await stage.cc(["submit", "--name", "greet", "--", "echo", "hello"]);
  await stage.submit([
    "--name",
    "held-1",
    "--worker-label",
    "gpu=yes",
    "--",
    "echo",
    ":::",
    "a",
    "b",
  ]);
  await stage.submit(["--name", "held-2", "--delay", "1h", "--priority", "high", "--", "true"]);
  await stage.cc(["pause", "3"]);
}, SETUP_MS);
afterAll(() => stage.close());

const ids = async (...args: string[]): Promise<string> =>
  (await stage.cc(["jobs", "-q", ...args])).stdout.trim().split("\n").join(" ");

describe("cc jobs, the list", () => {
  test("shows unfinished jobs first, aligned, on stdout alone", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["jobs"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    // The owner's name and the ages behind it differ from machine to machine.
    const lines = stdout.split("\n");
    const owner = lines[0]?.indexOf("OWNER") ?? 0;
    expect(lines.map((line) => line.slice(0, owner).trimEnd()).join("\n")).toBe(
      [
        "ID  NAME     STATE      DONE  TASKS  RUNNING  FAILED  RATE  ETA  QUEUE    PRIO",
        " 4  held-2   queued       0%      1        -       -     -    -  default    10",
        " 3  held-1   paused       0%      2        -       -     -    -  default     -",
        " 2  greet    completed  100%      1        -       -     -    -  default     -",
        " 1  squares  failed     100%      4        -       1     -    -  default     -",
        "",
      ].join("\n"),
    );
  });

  test("-q prints numbers and nothing else", async () => {
    expect((await stage.cc(["jobs", "-q"])).stdout).toBe("4\n3\n2\n1\n");
  });

  test("chooses by state, several at once", async () => {
    expect(await ids("--state", "failed")).toBe("1");
    expect(await ids("--state", "paused,queued")).toBe("4 3");
    expect(await ids("--state", "running")).toBe("");
  });

  test("chooses by name", async () => {
    expect(await ids("--name", "held-*")).toBe("4 3");
    expect(await ids("--name", "greet")).toBe("2");
  });

  test("--mine are the jobs of this key", async () => {
    expect(await ids("--mine")).toBe("4 3 2 1");
  });

  test("--limit prints so many lines and says how many are left", async () => {
    const { stdout, stderr } = await stage.cc(["jobs", "--limit", "1"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(stderr).toBe("… 3 more (--limit 0)\n");
    expect(await ids("--limit", "3")).toBe("4 3 2");
    expect(await ids("--limit", "0")).toBe("4 3 2 1");
  });

  test("without a match says so on stderr", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["jobs", "--name", "nothing*"]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr: "no such jobs\n",
      exitCode: 0,
    });
  });

  test("--json is one object a line with the keys of the public shape", async () => {
    const rows = await stage.json(["jobs"]);
    expect(rows.map((row) => row["job_id"])).toEqual([4, 3, 2, 1]);
    expect(rows[3]).toEqual({
      job_id: 1,
      name: "squares",
      owner: expect.any(String),
      state: "failed",
      inputs_open: false,
      queue: "default",
      priority: 0,
      tasks: {
        total: 4,
        blocked: 0,
        queued: 0,
        delayed: 0,
        running: 0,
        completed: 3,
        failed: 1,
        cancelled: 0,
      },
      tasks_per_second: null,
      eta_seconds: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      finished_at: expect.stringMatching(/Z$/),
      note: "first try",
      keep: false,
    });
    expect(rows[0]).toMatchObject({ state: "queued", priority: 10, tasks: { blocked: 1 } });
  });

  test("an unknown state names the nearest", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["jobs", "--state", "fialed"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
    expect(stderr).toBe(
      'cc: --state "fialed" is no job state; expected queued, running, paused, completed, failed, cancelled.\nhint: Did you mean failed?\n',
    );
  });
});

describe("cc jobs JOB, the details", () => {
  test("of a failed job: what it is, what it cost, and its errors", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["jobs", "1"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(plain(stdout, stage.world).replace(/by \S+ on/, "by OWNER on")).toBe(
      `job  1  squares
state  failed
tasks  4: 3 completed, 1 failed
run time  T in all, T a task
submitted  TIME by OWNER on HOST
finished  TIME, took T
runs  squares.ts  (code HASH)
folder  FOLDER
command  cc submit squares.ts
note  first try
options  retries 1 (backoff 0.001 s)
errors
  1 x error cannot square 3 at squares.ts:5:26  such as 1/2 on w1
`,
    );
  });

  test("of a waiting job: why, and what to type", async () => {
    const { stdout } = await stage.cc(["jobs", "3"]);
    expect(stdout).toContain("state      paused\nwhy        Job 3 is paused.  (cc resume 3)\n");
    expect(stdout).toContain("tasks      2: 2 queued\n");
    expect(stdout).toContain(`runs       echo  in ${stage.world.folder}\n`);
    expect(stdout).toContain("options    label gpu=yes\n");
  });

  test("of the newest one by the word last, also as `cc job`", async () => {
    expect((await stage.cc(["job", "last", "-q"])).stdout).toBe("4\n");
  });

  test("--json is one object with its schema, spec and errors", async () => {
    const [job] = await stage.json(["jobs", "1"]);
    expect(job).toMatchObject({
      schema: "crowdcompute/v1",
      job_id: 1,
      state: "failed",
      spec: { name: "squares", retries: 1, work: { kind: "function", entry_file: "squares.ts" } },
      errors: [
        {
          code: "error",
          message: "cannot square 3",
          place: "squares.ts:5:26",
          count: 1,
          task_id: "1/2",
          workers: ["w1"],
        },
      ],
      failures_grouped: 1,
      why: null,
    });
  });

  test.each([
    [["jobs", "99"], "cc: There is no job 99.\nhint: cc jobs\n"],
    [
      ["jobs", "greet"],
      'cc: "greet" names no job or task; expected a number, JOB/INDEX, or last.\nhint: cc jobs\n',
    ],
    [["jobs", "1/2"], 'cc: "1/2" names a task; expected a job such as 1 or last.\n'],
    [["jobs", "1", "2"], 'cc: cc jobs takes one JOB, not also "2".\nhint: cc jobs --help\n'],
  ])("%j is refused with exit 2", async (args, message) => {
    const { stdout, stderr, exitCode } = await stage.cc(args);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: message, exitCode: 2 });
  });

  test("with --json the refusal is an object", async () => {
    const { stdout, stderr } = await stage.cc(["jobs", "99", "--json"]);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toEqual({
      code: "no_such_job",
      message: "There is no job 99.",
      hint: "cc jobs",
      retryable: false,
    });
  });
});
