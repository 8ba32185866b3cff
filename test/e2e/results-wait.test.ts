/** `cc results`, `cc wait` and `cc shutdown`: what is printed where, and the exit codes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GATED, openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

const PARTLY = `
export const inputs = ["a", "b", "c"];
export default (text: string) => {
  if (text === "b") throw new Error("no b");
  return text.toUpperCase();
};
export const reduce = (all: string, value: string) => all + value;
export const initial = "";
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2"]);
  stage.file("partly.ts", PARTLY);
  await stage.cc(["submit", "-q", "partly.ts"]);
  await stage.cc(["submit", "-q", "--", "echo", ":::", "x", "y"]);
}, SETUP_MS);
afterAll(() => stage.close());

describe("cc results", () => {
  test("prints what completed, in input order, and judges nothing", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["results", "1"]);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "A\nC\n", stderr: "", exitCode: 0 });
    expect((await stage.cc(["results", "2", "-f"])).stdout).toBe("x\ny\n");
  });

  test("as JSON lines has every task, the failed one with its error", async () => {
    const rows = await stage.json(["results", "1"]);
    expect(rows).toMatchObject([
      { index: 0, status: "completed", value: "A", attempts: 1, worker: "w1" },
      { index: 1, status: "failed", error: { code: "error", message: "no b" } },
      { index: 2, status: "completed", value: "C" },
    ]);
  });

  test("as CSV is a table, into a file where that is asked for", async () => {
    const { stdout, exitCode } = await stage.cc([
      "results",
      "1",
      "--format",
      "csv",
      "-o",
      "out.csv",
    ]);
    expect([stdout, exitCode]).toEqual(["", 0]);
    const lines = readFileSync(join(stage.world.folder, "out.csv"), "utf8").split("\r\n");
    expect(lines[0]).toBe(
      "index,status,value,error_code,error_message,attempts,run_seconds,worker",
    );
    expect(lines[2]).toMatch(/^1,failed,,error,no b,1,[\d.]+,w1$/);
    expect(lines).toHaveLength(5);
  });

  test("--tag begins each line with its input", async () => {
    expect((await stage.cc(["results", "2", "--tag"])).stdout).toBe("x\tx\ny\ty\n");
  });

  test("--reduce prints the reduced value, or why there is none", async () => {
    const none = await stage.cc(["results", "1", "--reduce"]);
    expect([none.stdout, none.exitCode]).toEqual(["", 1]);
    expect(none.stderr).toBe(
      "job 1: nothing is reduced, as 1 task did not complete (--partial reduces the rest)\n",
    );
    const partial = await stage.cc(["results", "1", "--reduce", "--partial"]);
    expect([partial.stdout, partial.exitCode]).toEqual(["AC\n", 1]);
  });

  test("of a running job skips holes and says so; -f goes on to the end", async () => {
    const [first, second] = [stage.gate("one"), stage.gate("two")];
    const job = await stage.submit(["--", ...GATED, ":::", first.path, second.path]);
    await Promise.all([first.started(), second.started()]);
    const early = await stage.cc(["results", job]);
    expect(early.stdout).toBe("");
    expect(early.stderr).toBe(
      `job ${job} has not ended: 0 of 2 tasks are settled (cc results ${job} -f goes on)\n`,
    );
    const following = stage.start(["results", job, "-f", "--unordered"]);
    await second.open();
    await following.untilStdout(/two\n/);
    const hole = await stage.cc(["results", job]);
    expect([hole.stdout, hole.exitCode]).toEqual(["two\n", 0]);
    expect(hole.stderr).toContain("1 of 2 tasks are settled");
    expect((await stage.cc(["results", job, "-q"])).stderr).toBe("");
    await first.open();
    const { stdout, exitCode } = await following.ended;
    expect([stdout, exitCode]).toEqual(["two\none\n", 0]);
    expect((await stage.cc(["results", job])).stdout).toBe("one\ntwo\n");
  });
});

describe("cc wait", () => {
  test("prints nothing on stdout, and ends with 0 or 1 by what became of every job", async () => {
    const good = await stage.cc(["wait", "2"]);
    expect([good.stdout, good.exitCode]).toEqual(["", 0]);
    expect(plain(good.stderr, stage.world)).toBe("job 2 completed: 2 completed, T\n");
    const both = await stage.cc(["wait", "2", "1"]);
    expect(both.exitCode).toBe(1);
    expect(plain(both.stderr, stage.world)).toBe(
      `job 2 completed: 2 completed, T
job 1 failed: 2 completed, 1 failed, T
  1x error: no b (partly.ts:4:31) 1/1
next: cc tasks 1 --state failed · cc logs 1 --failed · cc try 1/1 · cc retry 1
`,
    );
    const quiet = await stage.cc(["wait", "-q", "1"]);
    expect([quiet.stdout, quiet.stderr, quiet.exitCode]).toEqual(["", "", 1]);
  });

  test("waits for all of several, then says each one's end", async () => {
    const [first, second] = [stage.gate("w-one"), stage.gate("w-two")];
    const jobs = [
      await stage.submit(["--", ...GATED, ":::", first.path]),
      await stage.submit(["--", ...GATED, ":::", second.path]),
    ];
    await Promise.all([first.started(), second.started()]);
    const waiting = stage.start(["wait", ...jobs]);
    await first.open();
    await stage.cc(["wait", jobs[0] ?? ""]);
    const late = await stage.cc(["wait", ...jobs, "--wait-timeout", "50ms"]);
    expect([late.stdout, late.stderr, late.exitCode]).toEqual([
      "",
      `job ${jobs[1]} has not ended after 50ms (cc wait ${jobs[1]} goes on)\n`,
      124,
    ]);
    await second.open();
    const { exitCode, stderr } = await waiting.ended;
    expect(exitCode).toBe(0);
    expect(plain(stderr, stage.world)).toBe(
      jobs.map((job) => `job ${job} completed: 1 completed, T\n`).join(""),
    );
  });

  test("--reduce prints the value of what has ended", async () => {
    const { stdout, exitCode } = await stage.cc(["wait", "1", "--reduce", "--partial"]);
    expect([stdout, exitCode]).toEqual(["AC\n", 1]);
  });

  test.each([
    [["wait", "99"], "cc: There is no job 99.\nhint: cc jobs\n"],
    [["wait", "2", "99"], "cc: There is no job 99.\nhint: cc jobs\n"],
    [["wait"], "cc: cc wait needs JOB.\nhint: cc wait JOB… [options]\n"],
    [["wait", "1", "2", "--reduce"], "cc: --reduce makes one value of one job; name one.\n"],
    [
      ["wait", "1", "--wait-timeout", "soon"],
      'cc: --wait-timeout: "soon" is not a duration.\nhint: Write for example 250ms, 30s, 5m, 2h or 1d.\n',
    ],
  ])("%j is refused with exit 2", async (args, message) => {
    const { stdout, stderr, exitCode } = await stage.cc(args);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: message, exitCode: 2 });
  });
});

describe("cc shutdown", () => {
  test("wants --yes while jobs are unfinished; then the foreman ends with 0", async () => {
    const job = await stage.submit(["--delay", "1h", "--", "true"]);
    const asked = await stage.cc(["shutdown"]);
    expect([asked.stdout, asked.stderr, asked.exitCode]).toEqual([
      "",
      "cc: The foreman has 1 unfinished job; it would go on after its next start.\nhint: cc shutdown --yes\n",
      2,
    ]);
    const done = await stage.cc(["shutdown", "--yes"]);
    expect([done.stdout, done.stderr, done.exitCode]).toEqual([
      "",
      `the foreman at ${stage.url} stops\n`,
      0,
    ]);
    expect((await stage.foreman.ended).exitCode).toBe(0);
    // The job is still there, in the store.
    expect((await stage.cc(["jobs", "--state", "queued", "-q"])).stdout).toBe(`${job}\n`);
    const nobody = await stage.cc(["shutdown"]);
    expect([nobody.stderr, nobody.exitCode]).toEqual([
      "cc: No foreman is running here.\nhint: cc foreman\n",
      3,
    ]);
  });
});
