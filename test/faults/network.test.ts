/**
 * What the network can do to a worker: go dark for shorter or longer than the lease, pass one direction
 * only, repeat and delay frames over reconnects. Shown through namespaces and a proxy of our own.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { LONG, PATIENT_TIMING, report, SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";
import { canSeparate, createIsland, type Island } from "./support/namespaces.ts";
import { type FrameProxy, openProxy } from "./support/proxy.ts";

describe.skipIf(!canSeparate)("a worker whose network goes dark without a word", () => {
  let island: Island;
  let cluster: Cluster;
  const open = async (timing: typeof SHORT_TIMING): Promise<void> => {
    const args = ["--host", island.hostAddress, "--insecure-plaintext"];
    cluster = await openCluster({ args, timing });
  };
  const startFar = () => cluster.worker("far", { program: island.program, before: island.words });
  beforeEach(() => {
    island = createIsland();
  }, SETUP_MS);
  afterEach(async () => {
    await cluster.close();
    island.close();
  });

  test(
    "for longer than the lease: another finishes its tasks, and it comes back",
    async () => {
      await open(SHORT_TIMING);
      const history = createHistory(cluster);
      const far = await startFar();
      const gate = history.gate("go");
      await history.submit({ taskCount: 1, gate });
      await history.untilStarted(1);
      island.goDark();
      const darkAtMs = performance.now();
      await cluster.worker("near");
      await history.untilStarted(2);
      report(`dark worker: its task ran elsewhere after ${seconds(darkAtMs)}`);
      await within("it notices", far.untilStderr(/the foreman is silent/), far);
      island.comeBack();
      await within("it is back", far.untilStderr(/connected again/), far);
      gate.open();
      await history.check({ startsMax: 2 });
      expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 2, worker: "near" }]);
    },
    TEST_MS,
  );

  test(
    "for shorter than the lease: what ran meanwhile counts, and nothing runs again",
    async () => {
      await open(PATIENT_TIMING);
      const history = createHistory(cluster);
      const far = await startFar();
      await cluster.worker("near", { args: ["--queues", "other"] });
      const gate = history.gate("go");
      await history.submit({ taskCount: 2, gate });
      await history.untilStarted(1);
      island.goDark();
      gate.open();
      // The first task ends where nobody hears it.
      await history.untilFinished(1);
      if (LONG) await Bun.sleep(8_000);
      else await within("it notices", far.untilStderr(/the foreman is silent/), far);
      island.comeBack();
      const verdict = await history.check({ startsMax: 1 });
      expect(verdict.startCount).toBe(2);
      const tasks = await cluster.json(["tasks", "1"]);
      expect(tasks).toMatchObject([
        { attempts: 1, worker: "far" },
        { attempts: 1, worker: "far" },
      ]);
    },
    TEST_MS,
  );
});

const seconds = (sinceMs: number): string =>
  `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

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
      if (LONG) await Bun.sleep(60_000);
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
      await within("it notices", deaf.untilStderr(/is silent[\s\S]*connected again/), deaf);
      if (LONG) await Bun.sleep(60_000);
      const beforeMs = performance.now();
      await cluster.worker("whole");
      const verdict = await history.check({ startsMax: 1 });
      const [first] = await cluster.json(["tasks", "1"]);
      report(
        `deaf worker: given task 0 ${Number(first?.["attempts"]) - 1} times in vain; all ran elsewhere ${seconds(beforeMs)} after another worker came`,
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
