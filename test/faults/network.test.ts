/**
 * What the network can do to a worker: go dark for shorter or longer than the lease, pass one direction
 * only, repeat and swap and delay frames. Shown through namespaces and a proxy of our own.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, openCluster, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";
import { canSeparate, createIsland, type Island } from "./support/namespaces.ts";

describe.skipIf(!canSeparate)("a worker whose network goes dark without a word", () => {
  let island: Island;
  let cluster: Cluster;
  beforeEach(async () => {
    island = createIsland();
    const args = ["--host", island.hostAddress, "--insecure-plaintext"];
    cluster = await openCluster({ args, timing: SHORT_TIMING });
  }, SETUP_MS);
  afterEach(async () => {
    await cluster.close();
    island.close();
  });

  test(
    "for longer than the lease: another finishes its tasks, and it comes back",
    async () => {
      const history = createHistory(cluster);
      const far = await cluster.worker("far", { program: island.program, before: island.words });
      const gate = history.gate("go");
      await history.submit({ taskCount: 1, gate });
      await history.untilStarted(1);
      island.goDark();
      await cluster.worker("near");
      await history.untilStarted(2);
      await within("it notices", far.untilStderr(/the foreman is silent/), far);
      island.comeBack();
      await within("it is back", far.untilStderr(/connected again/), far);
      gate.open();
      await history.check({ startsMax: 2 });
      expect(await cluster.json(["tasks", "1"])).toMatchObject([{ attempts: 2, worker: "near" }]);
    },
    TEST_MS,
  );
});
