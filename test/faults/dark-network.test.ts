/**
 * A worker whose network goes dark without a word, for shorter and for longer than the lease: shown in a
 * network namespace, since a closed connection would be told.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import {
  PATIENT_TIMING,
  report,
  SETUP_MS,
  SHORT_TIMING,
  secondsSince,
  TEST_MS,
} from "./support/long.ts";
import { canSeparate, createIsland, type Island } from "./support/namespaces.ts";

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
    try {
      await cluster.close();
    } finally {
      island.close();
    }
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
      report(
        `worker gone dark: its task ran elsewhere after ${secondsSince(darkAtMs)} (promised: 17 s)`,
      );
      await within("it notices", far.untilStderr(/the foreman is silent/), far);
      await eventually("the foreman lets go of the dead connection", () =>
        isForgotten(island.islandAddress),
      );
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
      await within("it notices", far.untilStderr(/the foreman is silent/), far);
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

/** Whether no socket of this machine's own network still talks to that address. */
function isForgotten(address: string): boolean {
  const words = ["ss", "-Htn", "state", "established", "dst", address];
  const { exitCode, stdout } = Bun.spawnSync(words, { timeout: 10_000 });
  if (exitCode !== 0) throw new Error("ss cannot list connections");
  return stdout.length === 0;
}
