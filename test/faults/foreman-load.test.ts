/**
 * A foreman that is killed again and again under load. Workers, a submitter that follows its job and
 * `cc wait` carry on by themselves; nothing that was acknowledged is lost, no task has two results, and no
 * task runs twice, since no worker has died.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory, squareOf } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(() => cluster.close());

const KILLS = count(5, 100);
const TASKS = count(6_000, 20_000);
/** So many jobs share the load, so that some end and others begin while the foreman is away. */
const JOBS = count(3, 10);

test(
  `killed ${KILLS} times: acknowledged is settled, nothing runs twice, and followers follow on`,
  async () => {
    const history = createHistory(cluster);
    await Promise.all(["w1", "w2", "w3", "w4"].map((id) => cluster.worker(id)));
    const taskCount = TASKS / JOBS;
    // Slow enough that the load lasts as long as the killing.
    const taskMs = count(1, 10);
    const submitters = Array.from({ length: JOBS }, (_, at) =>
      cluster.start([
        ...history.submitWords({ taskCount, taskMs, args: ["--idempotency-key", `job-${at}`] }),
        ...["--format", "jsonl", "--progress", "json"],
      ]),
    );
    await within("a job is submitted", submitters[0]?.untilStderr(/"running"/) ?? Promise.reject());
    const waiting = cluster.start(["wait", "1", "--progress", "json"]);
    await within("cc wait follows", waiting.untilStderr(/"running"/), waiting);
    const isOver = (): boolean => history.effects().length >= 2 * TASKS;
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = history.effects().length;
      await cluster.foreman.kill9();
      await cluster.restartForeman();
      // The next one comes when work goes on again, and a while into it.
      const further = before + (kill % 7) * count(40, 20);
      await eventually("work goes on", () => isOver() || history.effects().length > further);
    }
    const ends = await Promise.all(
      submitters.map((each) => within("cc submit ends", each.ended, each, END_MS)),
    );
    for (const { stdout, stderr, exitCode } of ends) {
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
        exitCode: 0,
        stderr: "",
      });
      const rows = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(rows.map(({ index }) => index)).toEqual(
        Array.from({ length: taskCount }, (_, i) => i),
      );
      history.acknowledged({
        jobId: Number(/"job_id":(\d+)/.exec(stderr)?.[1]),
        taskCount,
        expect: "completed",
        expectedOf: squareOf,
      });
    }
    expect(await within("cc wait ends", waiting.ended, waiting)).toMatchObject({ exitCode: 0 });
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict).toMatchObject({ jobCount: JOBS, startCount: TASKS, rerunCount: 0 });
    report(
      `kill -9 of the foreman ${KILLS} times under load: ${TASKS} tasks in ${JOBS} jobs, 0 lost, 0 double results, ${verdict.rerunCount} reruns`,
    );
  },
  TEST_MS,
);

const END_MS = 10 * 60_000;
