/**
 * `cc submit` killed at any moment: the same line with the same `--idempotency-key` gives one job with
 * all its tasks, whether the first one had got nowhere, half way or everywhere.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, openCluster } from "./support/cluster.ts";
import { createHistory, squareOf } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster({ args: ["--workers", "2"] });
}, SETUP_MS);
afterEach(() => cluster.close());

const DELAYS = count(12, 50);
/** The whole command takes about this long on an idle machine; several chunks of inputs. */
const LATEST_MS = 240;
const TASKS = count(500, 2_000);

test(
  "the same line again gives the same job, once",
  async () => {
    const history = createHistory(cluster);
    let killedCount = 0;
    for (let at = 1; at <= DELAYS; at++) {
      const words = history.submitWords({
        taskCount: TASKS,
        args: ["--idempotency-key", `key-${at}`],
      });
      const timeoutMs = Math.ceil((at * LATEST_MS) / DELAYS);
      const killed = await cluster.cc(words, { timeoutMs });
      if (killed.signal === "SIGKILL") killedCount++;
      const ids: number[] = [];
      for (let again = 0; again < 2; again++) {
        const { exitCode, stdout, stderr } = await cluster.cc([...words, "-d"]);
        expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
          exitCode: 0,
          stderr: "",
        });
        ids.push(Number(stdout));
      }
      expect(ids[1]).toBe(ids[0] ?? 0);
      history.acknowledged({
        jobId: ids[0] ?? 0,
        taskCount: TASKS,
        expect: "completed",
        expectedOf: squareOf,
      });
    }
    expect(new Set(history.submissions.map(({ jobId }) => jobId)).size).toBe(DELAYS);
    const verdict = await history.check({ startsMax: 1 });
    expect(verdict).toMatchObject({ jobCount: DELAYS, startCount: DELAYS * TASKS });
    expect(killedCount).toBeGreaterThan(0);
    report(
      `kill -9 of cc submit after ${DELAYS} delays: ${killedCount} died, ${verdict.jobCount} jobs`,
    );
  },
  TEST_MS,
);
