/**
 * Frames that come twice, in another order or long after their time: what is recorded is recorded once,
 * and a connection that was replaced says nothing any more. The order inside one connection is TCP's and
 * is relied on, so it stays as it is.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory, type History, squareOf } from "./support/history.ts";
import { count, PATIENT_TIMING, SETUP_MS, TEST_MS, type Timing } from "./support/long.ts";
import { type FrameProxy, type FrameRule, openProxy } from "./support/proxy.ts";

let cluster: Cluster;
let proxy: FrameProxy;
let history: History;
async function open(timing: Timing): Promise<void> {
  cluster = await openCluster({ timing });
  proxy = await openProxy(cluster.url);
  history = createHistory(cluster);
}
beforeEach(() => {}, SETUP_MS);
afterEach(async () => {
  await cluster.close();
  await proxy.close();
});

const TASKS = count(400, 20_000);
const ROUNDS = count(2, 20);
/** Silence is noticed soon, and costs nobody a task. */
const NOBODY_LOST: Timing = { ...PATIENT_TIMING, heartbeatMs: 200 };

/** Seeded, so that a failure can be had again. */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Every tenth frame twice. */
function repeating(seed: number): FrameRule {
  const chance = createChance(seed);
  return (frame) => (chance() < 0.1 ? [frame, frame] : [frame]);
}

test(
  "a tenth of the frames come twice: every task runs once and has one result",
  async () => {
    await open(NOBODY_LOST);
    const worker = await cluster.worker("w1", { via: proxy.url, slots: 2 });
    proxy.setRule(repeating(1));
    await history.submit({ taskCount: TASKS, taskMs: 1 });
    await history.untilFinished(TASKS / 2);
    proxy.cut();
    await within("it is back", worker.untilStderr(/connected again/), worker);
    await history.check({ startsMax: 1 });
  },
  TEST_MS,
);

test(
  "a submitter's and a follower's line repeats frames and breaks: each input is taken once, each result printed once",
  async () => {
    await open(NOBODY_LOST);
    await cluster.worker("w1", { slots: 2 });
    proxy.setRule(repeating(2));
    const gate = history.gate("go");
    const words = history.submitWords({ taskCount: TASKS, gate });
    const env = { CC_FOREMAN: proxy.url };
    const submitter = cluster.start([...words, "--format", "jsonl"], { env });
    for (let cut = 1; cut <= ROUNDS; cut++) {
      await history.untilStarted(1);
      proxy.cut();
      const isBack = () => submitter.stderr().split("the foreman is back").length > cut;
      await eventually("the submitter is back", isBack);
    }
    gate.open();
    const { stdout, stderr, exitCode } = await within("cc submit ends", submitter.ended, submitter);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const rows = stdout.trimEnd().split("\n");
    expect(rows.map((line) => JSON.parse(line).index)).toEqual(
      Array.from({ length: TASKS }, (_, index) => index),
    );
    history.acknowledged({ jobId: 1, taskCount: TASKS, expect: "completed", expectedOf: squareOf });
    await history.check({ startsMax: 1 });
  },
  TEST_MS,
);

describe("after a reconnect", () => {
  test(
    "what the last connection had said is said again, and nothing is counted twice",
    async () => {
      await open(PATIENT_TIMING);
      const worker = await cluster.worker("w1", { via: proxy.url });
      await history.submit({ taskCount: TASKS / 2 });
      await history.check({ startsMax: 1 });
      const last = proxy.recorded("up");
      expect(last.length).toBeGreaterThan(2);
      proxy.cut();
      await within("it is back", worker.untilStderr(/connected again/), worker);
      const gate = history.gate("go");
      await history.submit({ taskCount: 4, gate });
      await history.untilStarted(TASKS / 2 + 1);
      proxy.inject("up", last);
      gate.open();
      await history.check({ startsMax: 1 });
    },
    TEST_MS,
  );

  test(
    "what was under way on the old connection arrives late, and nothing is counted twice",
    async () => {
      await open(NOBODY_LOST);
      const worker = await cluster.worker("w1", { via: proxy.url, slots: 2 });
      for (let round = 1; round <= ROUNDS; round++) {
        const gate = history.gate("go");
        const before = history.effects().length;
        await history.submit({ taskCount: 50, gate });
        await history.untilStarted(before / 2 + 2);
        // The worker's words wait in the network, and it gives the silent connection up.
        proxy.strand("up");
        gate.open();
        await history.untilFinished(before / 2 + 2);
        const isBack = () => worker.stderr().split("connected again").length > round;
        await eventually("it is back", isBack);
        proxy.deliver();
        await history.check({ startsMax: 1 });
      }
    },
    TEST_MS,
  );
});
