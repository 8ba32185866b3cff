/** Ended jobs go by themselves: beyond a number and an age, never one that is kept. */
import { afterEach, expect, test } from "bun:test";
import { openStage, SETUP_MS, type Stage } from "./stage.ts";

const TIMEOUT_MS = 60_000;
let stage: Stage | null = null;

afterEach(async () => {
  await stage?.close();
  stage = null;
});

async function open(args: readonly string[]): Promise<Stage> {
  stage = await openStage(["--workers", "1", ...args]);
  return stage;
}

const listed = async ({ json }: Stage): Promise<unknown[]> =>
  (await json(["jobs"])).map((job) => job["job_id"]);

/** Resolves when so many jobs are gone by themselves. */
async function untilForgotten({ start }: Stage, count: number): Promise<void> {
  const events = start(["events", "-f"]);
  await events.untilStdout(new RegExp(`("kind":"job_removed".*\n[^]*?){${count}}`));
  events.kill("SIGTERM");
  await events.ended;
}

test(
  "beyond --retain-jobs the oldest go, a kept one stays, and no number is given twice",
  async () => {
    const opened = await open(["--retain-jobs", "2"]);
    const { cc, submit } = opened;
    for (let each = 0; each < 4; each++) await submit(["--", "true"]);
    await cc(["wait", "1", "2", "3", "4"]);
    await cc(["set", "1", "--keep"]);
    await untilForgotten(opened, 1);
    expect(await listed(opened)).toEqual([4, 3, 1]);
    const gone = await cc(["results", "2"]);
    expect([gone.exitCode, gone.stdout]).toEqual([2, ""]);
    expect(gone.stderr).toContain("There is no job 2 any more: it was forgotten");
    expect(await submit(["--", "true"])).toBe("5");
    await cc(["set", "1", "--no-keep"]);
    await untilForgotten(opened, 3);
    expect(await listed(opened)).toEqual([5, 4]);
  },
  SETUP_MS,
);

test(
  "failed jobs have an age of their own, and what is due is forgotten after a restart, too",
  async () => {
    const args = ["--retain-completed", "1s", "--retain-failed", "none"];
    const opened = await open(args);
    const { cc, submit, foreman, start } = opened;
    await submit(["--", "true"]);
    await submit(["--", "false"]);
    await cc(["wait", "1", "2"]);
    foreman.kill("SIGKILL");
    await foreman.ended;
    const again = start(["foreman", "--port", "0", ...args]);
    await again.untilStderr(/workers join with/);
    await untilForgotten(opened, 1);
    expect(await listed(opened)).toEqual([2]);
    const checked = await cc([
      "doctor",
      "--store",
      `${opened.world.env["XDG_STATE_HOME"]}/crowdcompute`,
    ]);
    expect([checked.exitCode, checked.stdout]).toEqual([
      0,
      expect.stringContaining("every page and every row agrees (1 job,"),
    ]);
  },
  TIMEOUT_MS,
);

test(
  "the submitter gets all its results, however few jobs are kept",
  async () => {
    const { cc } = await open(["--retain-jobs", "1", "--retain-completed", "1s"]);
    const submits = Array.from({ length: 6 }, () =>
      cc(["submit", "--array", "1-300", "--", "echo", "{}"]),
    );
    for (const { exitCode, stdout } of await Promise.all(submits)) {
      expect([exitCode, stdout.trim().split("\n").length]).toEqual([0, 300]);
    }
  },
  TIMEOUT_MS,
);

test("values that say nothing are refused with what is expected", async () => {
  const { cc } = await open([]);
  for (const [words, text] of [
    [["--retain-jobs", "0"], "expected a value from 1"],
    [["--retain-completed", "0s"], "expected a value from 1s"],
    [["--retain-failed", "soon"], "is not a duration"],
  ] as const) {
    const refused = await cc(["foreman", "--port", "0", ...words]);
    expect([refused.exitCode, refused.stderr]).toEqual([64, expect.stringContaining(text)]);
  }
});
