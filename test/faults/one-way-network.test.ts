/**
 * A worker behind a line that passes one direction only, or nothing after the handshake: its tasks run
 * elsewhere once, nobody gives it work for ever, and it works again when the line is whole.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, SHORT_TIMING, secondsSince, TEST_MS } from "./support/long.ts";
import { type FrameProxy, openProxy } from "./support/proxy.ts";

describe("a worker behind a line that passes one direction only", () => {
  let cluster: Cluster;
  let proxy: FrameProxy;
  beforeEach(async () => {
    cluster = await openCluster({ timing: SHORT_TIMING });
    proxy = await openProxy(cluster.url);
  }, SETUP_MS);
  afterEach(async () => {
    await cluster.close();
    await proxy.close();
  });

  test.each([["down"], ["up"]] as const)(
    "when nothing goes %s: its task runs elsewhere once, and it works again afterwards",
    async (direction) => {
      const history = createHistory(cluster);
      const half = await cluster.worker("half", { via: proxy.url });
      const gate = history.gate("go");
      await history.submit({ taskCount: 1, gate });
      await history.untilStarted(1);
      proxy.drop(direction, true);
      await cluster.worker("whole");
      await history.untilStarted(2);
      await within("it notices", half.untilStderr(/is silent|is lost/), half);
      proxy.drop(direction, false);
      proxy.cut();
      await within("it is back", half.untilStderr(/connected again/), half);
      gate.open();
      await history.check({ startsMax: 2 });
      expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 2, worker: "whole" }]);
      await history.submit({ taskCount: 4, taskMs: 200 });
      await history.check({ startsMax: 2 });
      await eventually("it gets work again", () => worksFor(history, "half", 2));
    },
    TEST_MS,
  );

  test(
    "when it only ever hears the handshake: it costs nobody else an attempt",
    async () => {
      const history = createHistory(cluster);
      proxy.setRule((frame, direction) => (direction === "down" ? [] : [frame]));
      const deaf = await cluster.worker("deaf", { via: proxy.url });
      await history.submit({ taskCount: 10 });
      // It is given tasks of which it never hears, comes back, and is given them again.
      const rounds = new RegExp(`(is silent[^]*?connected again[^]*?){${count(1, 4)}}`);
      await within("it notices", deaf.untilStderr(rounds), deaf, count(60_000, 300_000));
      const beforeMs = performance.now();
      await cluster.worker("whole");
      const verdict = await history.check({ startsMax: 1 });
      const [first] = await cluster.json(["tasks", "1"]);
      report(
        `deaf worker: given task 0 ${Number(first?.["attempts"]) - 1} times in vain; all ran elsewhere ${secondsSince(beforeMs)} after another worker came`,
      );
      expect(verdict.startCount).toBe(10);
      expect(history.effects().every(({ workerId }) => workerId === "whole")).toBe(true);
    },
    TEST_MS,
  );
});

function worksFor(history: ReturnType<typeof createHistory>, id: string, jobId: number): boolean {
  return history.effects().some((effect) => effect.workerId === id && effect.jobId === jobId);
}
