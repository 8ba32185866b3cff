/** `cc gc`: names what retention would forget, forgets it, and the file becomes small again. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../support/binary.ts";
import { openStage, SETUP_MS, type Stage } from "./stage.ts";

const TIMEOUT_MS = 60_000;
let closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  closing = [];
});

afterEach(async () => {
  for (const close of closing) await close();
});

async function openStageOf(args: readonly string[]): Promise<Stage> {
  const stage = await openStage(["--workers", "1", ...args]);
  closing.push(stage.close);
  return stage;
}

const databaseOf = (world: World): string =>
  join(world.env["XDG_STATE_HOME"] ?? "", "crowdcompute", "foreman.db");

async function garbage({ json }: Stage, args: readonly string[]) {
  const [body = {}] = await json(["gc", ...args]);
  const jobs = body["jobs"] as readonly { job_id: number; why: string; bytes: number }[];
  return { body, jobs: jobs.map(({ job_id, why }) => `${job_id} ${why}`) };
}

test(
  "a dry run names jobs and their code and takes nothing; without it they are gone, but not what is in use",
  async () => {
    const stage = await openStageOf(["--retain-jobs", "1"]);
    const { cc, submit, file } = stage;
    const code = file("job.ts", "export default (n: number) => n + 1;\n");
    await cc(["submit", code, "--array", "1-3", "-q"]);
    for (let each = 0; each < 3; each++) await cc(["submit", "-q", "--", "true"]);
    await cc(["set", "2", "--keep"]);
    await submit(["--after", "3", "--delay", "1h", "--", "true"]);
    const dry = await garbage(stage, ["--dry-run"]);
    expect(dry.body).toMatchObject({ dry_run: true, more: false, freeing: false });
    expect(dry.body["bundles"]).toHaveLength(1);
    expect(dry.jobs).toEqual(["1 count"]);
    expect((await cc(["jobs", "-q"])).stdout).toContain("1\n");
    const done = await garbage(stage, []);
    expect(done.body).toEqual({ ...dry.body, dry_run: false });
    expect((await cc(["jobs", "-q"])).stdout.trim().split("\n")).toEqual(["5", "4", "3", "2"]);
    const nothing = await cc(["gc"]);
    expect([nothing.exitCode, nothing.stdout, nothing.stderr]).toEqual([
      0,
      "",
      "nothing to forget\n",
    ]);
  },
  SETUP_MS,
);

test(
  "for a person it is a table and a sentence",
  async () => {
    const { cc } = await openStageOf(["--retain-jobs", "1"]);
    for (let each = 0; each < 3; each++) await cc(["submit", "-q", "--", "echo", "hello"]);
    const { stdout, stderr } = await cc(["gc"]);
    expect(stdout.split("\n")[0]).toMatch(/^ID {2}STATE +NAME +ENDED +TASKS +SIZE +FOR$/);
    expect(stdout.split("\n")[1]).toMatch(/^ 1 {2}completed .* ago +1 +\d+ B {2}their number$/);
    expect(stderr).toMatch(/^2 jobs forgotten: \d+ B\n$/);
  },
  TIMEOUT_MS,
);

test(
  "the database is small again when cc gc returns, and stays sound",
  async () => {
    const { world, cc, file } = await openStageOf(["--retain-jobs", "1"]);
    const code = file("big.ts", "export default (n: number) => 'x'.repeat(1e6) + n;\n");
    for (let each = 0; each < 2; each++) await cc(["submit", code, "--array", "1-40", "-q"]);
    await cc(["submit", "-q", "--", "true"]);
    const before = statSync(databaseOf(world)).size;
    expect(before).toBeGreaterThan(60e6);
    const { stderr } = await cc(["gc"]);
    expect(stderr).toMatch(/^2 jobs and 1 bundle forgotten: 7\d\.\d MiB\n$/);
    // A few MiB of free pages are kept for the next job.
    expect(statSync(databaseOf(world)).size).toBeLessThan(10e6);
    expect(statSync(`${databaseOf(world)}-wal`).size).toBeLessThan(10e6);
    const checked = await cc(["doctor", "--store", join(databaseOf(world), "..")]);
    expect([checked.exitCode, checked.stdout]).toEqual([
      0,
      expect.stringContaining("every page and every row agrees (1 job,"),
    ]);
  },
  TIMEOUT_MS,
);

test(
  "a job that is not kept any more may be gone at once, and that is no error",
  async () => {
    const { cc, start } = await openStageOf(["--retain-completed", "1s"]);
    const events = start(["events", "-f", "--kind", "job_removed"]);
    await cc(["submit", "-q", "--", "true"]);
    await cc(["set", "1", "--keep"]);
    // Once the second one is forgotten for its age, the first one is older still.
    await cc(["submit", "-q", "--", "true"]);
    await events.untilStdout(/"job_id":2/);
    const { exitCode, stderr } = await cc(["set", "1", "--no-keep"]);
    expect([exitCode, stderr]).toEqual([0, "job 1 changed: keep\n"]);
    await events.untilStdout(/"job_id":1/);
    events.kill("SIGTERM");
    await events.ended;
  },
  TIMEOUT_MS,
);

test(
  "without a foreman it runs one just for this, which names them, too",
  async () => {
    const { world, cc, foreman } = await openStageOf([]);
    for (let each = 0; each < 3; each++) await cc(["submit", "-q", "--", "true"]);
    foreman.kill("SIGTERM");
    await foreman.ended;
    const { exitCode, stdout } = await world.cc(["gc", "--json"], { env: { CC_RETAIN_JOBS: "1" } });
    expect(exitCode).toBe(0);
    const { jobs } = JSON.parse(stdout) as { jobs: { job_id: number }[] };
    expect(jobs.map(({ job_id }) => job_id)).toEqual([1, 2]);
  },
  TIMEOUT_MS,
);
