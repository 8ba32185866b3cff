/** Stdouts too large for a result, under workers and foremen that die. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import { SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";
import { type Outputs, outputsOf, PRINTS, printedBy, sha256 } from "./support/outputs.ts";

let cluster: Cluster;
let outputs: Outputs;
afterEach(() => cluster.close());

async function open(options: Parameters<typeof openCluster>[0] = {}): Promise<void> {
  cluster = await openCluster(options);
  outputs = outputsOf(cluster);
}

describe("in the middle of an output", () => {
  beforeEach(() => open({ timing: SHORT_TIMING }), SETUP_MS);

  test(
    "a worker that is killed leaves nothing of it, and the task prints anew elsewhere, once",
    async () => {
      const first = await cluster.worker("w1");
      const jobId = await outputs.submit("--shell", "--", PRINTS);
      await outputs.untilHalfIsKept();
      await first.kill9();
      outputs.letGoOn();
      await cluster.worker("w2");
      expect(await outputs.ended(jobId)).toMatchObject({
        state: "completed",
        attempts: 2,
        worker: "w2",
      });
      expect(await outputs.printed(jobId)).toBe(sha256(printedBy(2)));
      expect(outputs.kept().map(({ bytes }) => bytes)).toEqual([printedBy(2).length]);
      await outputs.expectSound();
    },
    TEST_MS,
  );

  test(
    "a task that is cancelled, and one whose time is over, leave what they may",
    async () => {
      await cluster.worker("w1");
      const jobId = await outputs.submit("--shell", "--", PRINTS);
      await outputs.untilHalfIsKept();
      await cluster.cc(["cancel", jobId]);
      await eventually("nothing of it is kept", () => outputs.kept().length === 0);
      const late = await outputs.submit("--timeout", "2s", "--shell", "--", PRINTS);
      expect(await outputs.ended(late)).toMatchObject({
        state: "failed",
        error: { code: "timeout" },
      });
      expect(await outputs.printed(late)).toBe(
        sha256(printedBy(1).slice(0, printedBy(1).length / 2 + 3)),
      );
      await cluster.cc(["retry", "-d", "--timeout", "1h", late]);
      await outputs.untilHalfIsKept();
      expect(outputs.kept()).toHaveLength(1);
      outputs.letGoOn();
      expect(await outputs.ended(late)).toMatchObject({ state: "completed", attempts: 2 });
      expect(await outputs.printed(late)).toBe(sha256(printedBy(2)));
      await cluster.cc(["rm", late]);
      await eventually("its file went with it", () => outputs.kept().length === 0);
      await outputs.expectSound();
    },
    TEST_MS,
  );
});

describe("a foreman that is killed", () => {
  beforeEach(() => open(), SETUP_MS);

  test(
    "in the middle of an output goes on with it: same attempt, every byte, once",
    async () => {
      const worker = await cluster.worker("w1");
      const jobId = await outputs.submit("--shell", "--", PRINTS);
      await outputs.untilHalfIsKept();
      await cluster.foreman.kill9();
      outputs.letGoOn();
      await within("the loss is seen", worker.untilStderr(/is lost/), worker);
      await cluster.restartForeman();
      expect(await outputs.ended(jobId)).toMatchObject({ state: "completed", attempts: 1 });
      expect(await outputs.printed(jobId)).toBe(sha256(printedBy(1)));
      await cluster.foreman.stop();
      // Read from the store, without a foreman.
      expect(await outputs.printed(jobId, { env: { CC_FOREMAN: "" } })).toBe(sha256(printedBy(1)));
      await outputs.expectSound();
    },
    TEST_MS,
  );

  for (const failpoint of ["output-written:3", "output-whole", "result-committed"]) {
    test(
      `at ${failpoint} has all of it when it is back`,
      async () => {
        await cluster.foreman.stop();
        const doomed = await cluster.restartForeman({ failpoint });
        await cluster.worker("w1");
        outputs.letGoOn();
        const jobId = await outputs.submit("--shell", "--", PRINTS);
        await within("it dies", doomed.ended, doomed);
        await cluster.restartForeman();
        expect(await outputs.ended(jobId)).toMatchObject({ state: "completed", attempts: 1 });
        expect(await outputs.printed(jobId)).toBe(sha256(printedBy(1)));
        expect(outputs.kept()).toHaveLength(1);
        await outputs.expectSound();
      },
      TEST_MS,
    );
  }
});
