/** Everything is restarted in turn, in order, under load: nothing is lost and nothing runs twice. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, type Member, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

/** Ends it in order and says how. */
async function stopped(member: Member, what: string): Promise<number | null> {
  member.kill("SIGTERM");
  return (await within(`${what} ends`, member.ended, member)).exitCode;
}

test(
  "a rolling restart of workers and foreman under load loses and repeats nothing",
  async () => {
    const history = createHistory(cluster);
    const rounds = count(1, 4);
    const taskCount = 5_000 * rounds;
    let workers = await Promise.all(["w1", "w2"].map((id) => cluster.worker(id, { slots: 2 })));
    // What a submitter that follows all the while prints is part of the promise.
    const lines = Array.from({ length: 400 * rounds }, (_, i) => `line ${i}`);
    cluster.file("lines.txt", `${lines.join("\n")}\n`);
    const words = ["submit", "--progress", "none", "-a", "lines.txt", "--", "echo"];
    const following = cluster.start(words, { timeoutMs: TEST_MS });
    await history.submit({ taskCount, taskMs: 2 });

    let reached = 0;
    /** So much more has started: the load is on. */
    const underLoad = async (): Promise<void> => {
      reached += Math.floor(taskCount / (8 * rounds));
      await history.untilStarted(reached);
    };
    for (let round = 0; round < rounds; round++) {
      for (const [at, id] of ["w1", "w2"].entries()) {
        await underLoad();
        expect(await stopped(workers[at] as Member, id)).toBe(0);
        workers = workers.with(at, await cluster.worker(id, { slots: 2 }));
      }
      await underLoad();
      expect(await stopped(cluster.foreman, "the foreman")).toBe(0);
      await cluster.restartForeman();
      await underLoad();
    }
    const verdict = await history.check({ startsMax: 1, unheardJobsMax: 1 });
    expect(verdict.startCount).toBe(taskCount);
    const end = await within("cc submit ends", following.ended, following);
    expect(end.exitCode).toBe(0);
    expect(end.stdout.trimEnd().split("\n")).toEqual(lines);
    const jobs = await cluster.json(["jobs"]);
    const completed = jobs.map(({ tasks }) => (tasks as { completed: number }).completed);
    expect(completed.sort((a, b) => a - b)).toEqual([lines.length, taskCount]);
    // Nobody was taken for lost: every word that was owed was said.
    const kinds = new Set((await cluster.json(["events"])).map(({ kind }) => kind));
    for (const loss of ["worker_lost", "attempts_lost", "attempts_aborted", "stale_attempt"]) {
      expect(kinds).not.toContain(loss);
    }
    report(`rolling restart: ${verdict.taskCount} tasks, ${verdict.rerunCount} reruns`);
  },
  TEST_MS,
);

test(
  "a worker that is stopped while the foreman is away leaves its results to its next start",
  async () => {
    const history = createHistory(cluster);
    const worker = await cluster.worker("w1", { slots: 2 });
    const gate = history.gate("away");
    await history.submit({ taskCount: 2, gate });
    await history.untilStarted(2);
    expect(await stopped(cluster.foreman, "the foreman")).toBe(0);
    worker.kill("SIGTERM");
    await within("it drains", worker.untilStderr(/worker drains/), worker);
    gate.open();
    // It waits for the foreman for a while, and then for no longer.
    expect((await within("the worker ends", worker.ended, worker)).exitCode).toBe(0);
    await cluster.restartForeman();
    await cluster.worker("w1", { slots: 2 });
    expect((await history.check({ startsMax: 1 })).startCount).toBe(2);
  },
  TEST_MS,
);

test(
  "a drain goes on over a foreman that is killed in the middle of it",
  async () => {
    const history = createHistory(cluster);
    const leaving = await cluster.worker("leaving");
    const gate = history.gate("drain");
    await history.submit({ taskCount: 2, gate });
    await history.untilStarted(1);
    expect((await cluster.cc(["drain", "leaving"])).exitCode).toBe(0);
    await cluster.foreman.kill9();
    await cluster.restartForeman();
    await within("it is back", leaving.untilStderr(/connected again/), leaving);
    expect(await cluster.json(["workers", "leaving"])).toMatchObject([{ state: "draining" }]);
    gate.open();
    expect((await within("it ends", leaving.ended, leaving)).exitCode).toBe(0);
    await cluster.worker("staying");
    expect((await history.check({ startsMax: 1 })).startCount).toBe(2);
    const tasks = await cluster.json(["tasks", "last"]);
    expect(tasks.map(({ worker }) => worker).sort()).toEqual(["leaving", "staying"]);
  },
  TEST_MS,
);
