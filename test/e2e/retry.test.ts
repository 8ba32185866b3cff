/** `cc retry`: what it queues again, with which code, and what it prints and judges. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

const ODD = `
export const inputs = [0, 1, 2, 3, 4, 5];
export default (n: number) => {
  if (n % 2 === 1) throw new Error("odd: " + n);
  return "first " + n;
};
export const classifyError = (error: Error) =>
  error.message.endsWith("3") ? { code: "unlucky" } : undefined;
`;
const MENDED = `
export const inputs: number[] = [];
export default (n: number) => "mended " + n;
export const reduce = (all: string[], value: string) => [...all, value];
export const initial: string[] = [];
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2"]);
  stage.file("odd.ts", ODD);
  stage.file("mended.ts", MENDED);
  stage.file("plain.ts", MENDED.split("export const reduce")[0] ?? "");
}, SETUP_MS);
afterAll(() => stage.close());

async function oddJob(): Promise<string> {
  const { stderr, exitCode } = await stage.cc(["submit", "odd.ts"]);
  expect(exitCode).toBe(1);
  return /job (\d+) failed: 3 completed, 3 failed/.exec(stderr)?.[1] ?? "none";
}

describe("cc retry", () => {
  test("runs what failed again, prints only that, and judges only that", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", job, "--with", "plain.ts"]);
    expect(again.stdout).toBe("mended 1\nmended 3\nmended 5\n");
    expect(plain(again.stderr, stage.world)).toBe(`job ${job}, 3 tasks again: 3 completed, T\n`);
    expect(again.exitCode).toBe(0);
    expect((await stage.cc(["results", job])).stdout).toBe(
      "first 0\nmended 1\nfirst 2\nmended 3\nfirst 4\nmended 5\n",
    );
    const [task] = await stage.json(["tasks", `${job}/1`]);
    expect(task).toMatchObject({
      attempts: 2,
      history: [
        { attempt: 1, outcome: "failed", message: "odd: 1" },
        { attempt: 2, outcome: "completed" },
      ],
    });
  });

  test("--where code=C takes those alone; the others stay as they are", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", job, "--where", "code=unlucky", "--with", "plain.ts"]);
    expect(again.stdout).toBe("mended 3\n");
    expect(again.exitCode).toBe(0);
    expect((await stage.cc(["tasks", job, "--state", "failed", "-q"])).stdout).toBe(
      `${job}/1\n${job}/5\n`,
    );
  });

  test("single tasks, several at once", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", `${job}/5`, `${job}/1`, "--with", "plain.ts"]);
    expect([again.stdout, again.exitCode]).toEqual(["mended 1\nmended 5\n", 0]);
    expect((await stage.cc(["jobs", job, "--json"])).stdout).toContain('"state":"failed"');
  });

  test("that fails again says so with the errors and ends with 1", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", `${job}/1`]);
    expect([again.stdout, again.exitCode]).toEqual(["", 1]);
    expect(plain(again.stderr, stage.world)).toBe(
      `task ${job}/1 failed: error: odd: 1
job ${job}, 1 task again: 0 completed, 1 failed, T
  1x error: odd: 1 (odd.ts:4:30) ${job}/1
next: cc tasks ${job} --state failed · cc logs ${job} --failed · cc try ${job}/1 · cc retry ${job}
`,
    );
  });

  test("--all runs completed tasks too, and a reduce goes over the whole job", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", job, "--all", "--with", "mended.ts"]);
    expect(again.exitCode).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `mended ${n}`));
  });

  test("-d prints the number and leaves; cc wait judges the whole job", async () => {
    const job = await oddJob();
    const again = await stage.cc(["retry", "-d", job, "--with", "plain.ts"]);
    expect([again.stdout, again.stderr, again.exitCode]).toEqual([
      `${job}\n`,
      `job ${job}: 3 tasks queued again\n`,
      0,
    ]);
    expect((await stage.cc(["wait", "-q", job])).exitCode).toBe(0);
  });

  test("a command in another version, and other options", async () => {
    await stage.cc(["submit", "-q", "--", "sh", "-c", "exit 3", "sh", ":::", "a", "b"]);
    const again = await stage.cc(["retry", "last", "--", "echo", "again"]);
    expect([again.stdout, again.exitCode]).toEqual(["again a\nagain b\n", 0]);
  });

  test("nothing to queue again is 0 with a note", async () => {
    await stage.cc(["submit", "-q", "--", "echo", "fine"]);
    const [{ job_id: job } = {}] = await stage.json(["jobs", "last"]);
    const again = await stage.cc(["retry", "last"]);
    expect([again.stdout, again.exitCode]).toEqual(["", 0]);
    expect(again.stderr).toBe(
      `job ${job}: nothing to queue again: no such task has failed or was cancelled\n`,
    );
  });

  test("cancelled tasks run again", async () => {
    await stage.cc(["pause", "w1"]);
    const job = await stage.submit(["--", "echo", ":::", "x", "y"]);
    await stage.cc(["cancel", "-q", job]);
    await stage.cc(["resume", "w1"]);
    const again = await stage.cc(["retry", job]);
    expect([again.stdout, again.exitCode]).toEqual(["x\ny\n", 0]);
  });

  test.each([
    [["retry", "99"], "cc: There is no job 99.\nhint: cc jobs\n"],
    [["retry", "1/99"], "cc: Job 1 has 6 tasks (0 to 5), so there is no 1/99.\nhint: cc tasks 1\n"],
    [
      ["retry", "1", "--where", "error=x"],
      'cc: --where: "error" is no such fact.\nhint: Write --where code=C.\n',
    ],
    [["retry", "1", "--with", "missing.ts"], "cc: There is no file missing.ts.\n"],
    [
      ["retry", "1", "--with", "plain.ts", "--", "echo"],
      'cc: --with and a command after "--" both say what runs; give one.\n',
    ],
  ])("%j is refused with exit 2 and changes nothing", async (args, message) => {
    const { stdout, stderr, exitCode } = await stage.cc(args);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: message, exitCode: 2 });
  });
});
