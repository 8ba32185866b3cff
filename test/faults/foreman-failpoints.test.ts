/**
 * A foreman killed at each step between a request and its answer, and started again. Before the commit
 * the client tries again and nothing is left behind; after it nothing is lost, nothing is done twice and
 * what runs goes on.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Failpoint } from "../../src/runtime/platform/failpoint.ts";
import { BINARY } from "../support/binary.ts";
import { type Cluster, type Member, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
const open = async (failpoint: string): Promise<void> => {
  cluster = await openCluster({ failpoint });
};
beforeEach(() => {}, SETUP_MS);
afterEach(() => cluster.close());

const ROUNDS = count(1, 20);
const TASKS = 6;

/** Waits for the death at the failpoint, then starts the foreman again, unarmed. */
async function dieAndComeBack(): Promise<void> {
  const { foreman } = cluster;
  const end = await within("the failpoint is reached", foreman.ended, foreman);
  expect(end).toMatchObject({ signal: "SIGKILL" });
  await cluster.restartForeman();
}

async function back(worker: Member): Promise<void> {
  await within("the worker is back", worker.untilStderr(/connected again/), worker);
}

describe.each<[Failpoint]>([["submit-received"], ["submit-committed"], ["submit-acked"]])(
  "killed at %s",
  (name) => {
    test(
      "the same line again gives one job, whether it was heard or not",
      async () => {
        for (let round = 0; round < ROUNDS; round++) {
          await open(name);
          const history = createHistory(cluster);
          const words = [
            ...history.submitWords({ taskCount: TASKS, args: ["--idempotency-key", "once"] }),
            "-d",
          ];
          const first = cluster.start(words);
          await dieAndComeBack();
          await first.ended;
          const again = await cluster.cc(words);
          expect(again).toMatchObject({ exitCode: 0 });
          await cluster.worker("w1");
          history.acknowledged({
            jobId: Number(again.stdout),
            taskCount: TASKS,
            expect: "completed",
          });
          const verdict = await history.check({ startsMax: 1 });
          expect(verdict).toMatchObject({ jobCount: 1, startCount: TASKS });
          await cluster.close();
        }
        report(`kill at ${name}: ${ROUNDS} rounds, no job lost, no job doubled`);
      },
      TEST_MS,
    );
  },
);

describe.each<[string]>([
  ["dispatch-committed"],
  ["dispatch-sent"],
  ["result-received"],
  ["result-committed"],
  ["result-acked"],
])("killed at %s", (step) => {
  test(
    "every task runs once, in attempt 1, and has its result",
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        // Another of the passes each round: the first task is no better than the third.
        await open(`${step}:${1 + (round % 3)}`);
        const history = createHistory(cluster);
        const worker = await cluster.worker("w1");
        // The submitter, too, may lose its foreman under its request, and asks again by itself.
        const submitting = history.submit({ taskCount: TASKS });
        await dieAndComeBack();
        await submitting;
        await back(worker);
        const verdict = await history.check({ startsMax: 1 });
        expect(verdict.startCount).toBe(TASKS);
        const tasks = await cluster.json(["tasks", "1"]);
        expect(tasks.map(({ attempts }) => attempts)).toEqual(tasks.map(() => 1));
        await cluster.close();
      }
      report(`kill at ${step}: ${ROUNDS} rounds, no attempt but the first`);
    },
    TEST_MS,
  );
});

describe("killed at cancel-committed", () => {
  test(
    "the job is cancelled, and what ran of it is stopped",
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await open("cancel-committed");
        const history = createHistory(cluster);
        const worker = await cluster.worker("w1");
        const { path } = history.gate("never");
        const words = history.submitWords({ taskCount: TASKS, gate: { path, open() {} } });
        const submitted = await cluster.cc([...words, "-d"]);
        await history.untilStarted(1);
        const cancelling = cluster.start(["cancel", "1"]);
        await dieAndComeBack();
        await cancelling.ended;
        await back(worker);
        const jobId = Number(submitted.stdout);
        history.acknowledged({ jobId, taskCount: TASKS, expect: "settled" });
        await history.check({ startsMax: 1 });
        const [job] = await cluster.json(["jobs", "1"]);
        expect(job).toMatchObject({ state: "cancelled", tasks: { cancelled: TASKS } });
        // The slot is free again: another job runs on it.
        await history.submit({ taskCount: 1 });
        await history.check({ startsMax: 1 });
        await cluster.close();
      }
      report(`kill at cancel-committed: ${ROUNDS} rounds`);
    },
    TEST_MS,
  );
});

describe("the program that users have", () => {
  test("knows no failpoints", async () => {
    cluster = await openCluster({ env: { CC_FAILPOINT: "submit-received" } });
    expect(readFileSync(BINARY).includes("CC_FAILPOINT")).toBe(false);
    const submitted = await cluster.cc(["submit", "-d", "--", "true"]);
    expect(submitted).toMatchObject({ exitCode: 0 });
  });
});
