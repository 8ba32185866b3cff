/**
 * What counts against what: errors against `--retries`, lost workers against nothing, tasks that take
 * workers down against `--max-crashes`, and workers that fail what succeeds elsewhere against themselves.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { count, LONG, SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster({ timing: SHORT_TIMING });
}, SETUP_MS);
afterEach(() => cluster.close());

async function kinds(...words: string[]): Promise<unknown[]> {
  return (await cluster.json(["events", ...words])).map(({ kind }) => kind);
}

/** Submits a shell script that is given its input as `$1`; returns the job's number. */
async function submit(script: string, ...args: string[]): Promise<string> {
  const words = ["submit", "-d", "--max-fails", "none", "--backoff", "1ms", ...args];
  const submitted = await cluster.cc([...words, "--", "sh", "-c", script, "sh", "{}"]);
  if (submitted.exitCode !== 0) throw new Error(submitted.stderr);
  return submitted.stdout.trim();
}

test(
  "errors count against --retries, and the loss of a worker in between does not",
  async () => {
    const doomed = await cluster.worker("doomed");
    const marks = cluster.file("marks", "");
    // Attempt 2 outlives its worker's patience; the others fail at once.
    const script = `echo $CC_ATTEMPT >> ${marks}; [ $CC_ATTEMPT = 2 ] && sleep 60; exit 7`;
    const job = await submit(script, "--retries", "1", "--array", "0");
    await eventually("the second attempt runs", async () => {
      const [task] = await cluster.json(["tasks", job]);
      return task?.["attempts"] === 2 && (await Bun.file(marks).text()).includes("2");
    });
    await doomed.kill9();
    await cluster.worker("other");
    expect((await cluster.cc(["wait", job])).exitCode).toBe(1);
    const [task] = await cluster.json(["tasks", job]);
    expect(task).toMatchObject({ state: "failed", attempts: 3, worker: "other" });
    expect(await kinds(job)).toEqual([
      "job_submitted",
      "attempts_failed",
      "attempts_lost",
      "tasks_failed",
      "job_ended",
    ]);
  },
  TEST_MS,
);

test(
  "a task that takes its workers down is poison after three, and the others all complete",
  async () => {
    await cluster.foreman.stop();
    await cluster.restartForeman({ args: ["--workers", "2"] });
    const innocents = count(30, 100);
    const script = "if [ $1 = 0 ]; then sleep 0.3; kill -9 $PPID; sleep 9; fi; echo $1";
    const job = await submit(script, "--array", `0-${innocents}`);
    expect((await cluster.cc(["wait", job], { timeoutMs: TEST_MS })).exitCode).toBe(1);
    const [shown] = await cluster.json(["jobs", job]);
    expect(shown?.["tasks"]).toMatchObject({ completed: innocents, failed: 1 });
    const [poisoned] = await cluster.json(["tasks", job, "--state", "failed"]);
    expect(poisoned).toMatchObject({ index: 0, error: { code: "poison" } });
    const story = await kinds(`${job}/0`);
    expect(story.filter((kind) => kind === "attempts_lost").length).toBeGreaterThanOrEqual(3);
    expect(story.slice(-2)).toEqual(["tasks_poisoned", "job_ended"]);
    expect(story).toContain("tasks_run_alone");
    const why = await cluster.cc(["why", `${job}/0`]);
    expect(why.stdout).toContain("poison");
  },
  TEST_MS,
);

test(
  "a worker that fails what succeeds elsewhere is set aside, shown, and everything completes",
  async () => {
    await cluster.worker("good");
    await cluster.worker("hole");
    const healed = `${cluster.world.folder}/healed`;
    const script = `[ $CC_WORKER_ID = hole ] && ! [ -e ${healed} ] && exit 1; sleep 0.05; echo $1`;
    const total = count(150, 1_000);
    const job = await submit(script, "--retries", "1000", "--array", `1-${total}`);
    await eventually("the black hole is set aside", async () =>
      (await kinds("hole")).includes("worker_set_aside"),
    );
    const [worker] = await cluster.json(["workers", "hole"]);
    expect(worker?.["state"]).toBe("set aside");
    expect(worker?.["reason"]).toMatch(/failed there in a row and others complete elsewhere/);
    expect((await cluster.cc(["why", "hole"])).stdout).toMatch(/is set aside for another \d+ s:/);
    cluster.file("healed", "");
    expect((await cluster.cc(["wait", job], { timeoutMs: TEST_MS })).exitCode).toBe(0);
    expect(await kinds("good")).not.toContain("worker_set_aside");
    if (!LONG) return;
    await eventually("it is probed", async () => (await kinds("hole")).includes("worker_probed"));
    await submit(script, "--array", "1-50");
    await eventually("it is trusted again", async () =>
      (await kinds("hole")).includes("worker_trusted_again"),
    );
  },
  TEST_MS,
);

test(
  "the last worker that could run a job is never set aside, whatever it fails",
  async () => {
    await cluster.worker("hole", { args: ["--queues", "math"] });
    await cluster.worker("other", { args: ["--queues", "text"] });
    const jobs = [await submit("exit 1", "--queue", "math", "--array", "1-30")];
    jobs.push(await submit("exit 1", "--queue", "math", "--array", "1-30"));
    for (const job of jobs) {
      const { exitCode } = await within("it ends", cluster.cc(["wait", job]));
      expect(exitCode).toBe(1);
    }
    expect(await kinds("hole", "--kind", "worker_set_aside")).toEqual([]);
  },
  TEST_MS,
);
