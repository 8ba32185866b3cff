/** Wall clocks that are wrong by a day, or jump by one: displayed times change, nothing else. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, type Member, openCluster } from "./support/cluster.ts";
import { findFakeTime } from "./support/fake-time.ts";
import { createHistory, type History } from "./support/history.ts";
import { TEST_MS, timing } from "./support/long.ts";

const DAY_MS = 86_400_000;
/** A lease that a loaded machine keeps and a test can wait out. */
const TIMING = { heartbeatMs: 300, leaseMs: 3_000, graceMs: 2_000 };

let cluster: Cluster;
let history: History;
let clockFolder = "";
afterEach(async () => {
  await cluster.close();
  if (clockFolder !== "") rmSync(clockFolder, { recursive: true });
  clockFolder = "";
});

async function open(env: Readonly<Record<string, string>> = {}): Promise<void> {
  cluster = await openCluster({ timing: TIMING, env });
  history = createHistory(cluster);
}

async function kinds(): Promise<unknown[]> {
  return (await cluster.json(["events"])).map(({ kind }) => kind);
}

describe.skipIf(findFakeTime() === null)("a wall clock that is wrong by a day", () => {
  const fake = findFakeTime();
  const clockOf = (offset: string) => fake?.fixed(offset) ?? {};

  async function submitDelayed(delay: string): Promise<string> {
    const submitted = await cluster.cc(["submit", "-d", "--delay", delay, "--", "echo", "done"]);
    return submitted.stdout.trim();
  }

  const restart = async (offset: string): Promise<Member> => {
    await cluster.foreman.kill9();
    return await cluster.restartForeman({ env: clockOf(offset) });
  };

  test.each(["+1d", "-1d"])(
    "at a running foreman and its worker, from now on (%s): nobody is lost, nothing runs again",
    async (jump) => {
      clockFolder = mkdtempSync(join(tmpdir(), "cc-clock-"));
      const time = fake?.settable(join(clockFolder, "offset"));
      if (!time) return;
      await open(time.env);
      const faked = await cluster.worker("faked", { env: time.env });
      await cluster.worker("true");
      const gate = history.gate("end");
      await history.submit({ taskCount: 2, gate });
      await history.untilStarted(2);
      const delayed = await submitDelayed("2s");
      time.set(jump);
      // By a clock that jumped, leases and start times would be over now, or never.
      await Bun.sleep(timing(TIMING).leaseMs + 500);
      gate.open();
      await history.check({ startsMax: 1, unheardJobsMax: 1 });
      expect((await cluster.cc(["wait", delayed])).exitCode).toBe(0);
      const seen = await kinds();
      expect(seen).not.toContain("worker_lost");
      expect(seen).not.toContain("foreman_stood_still");
      // The clock did jump: lines of the log have its time.
      await faked.stop();
      const dayOffMs = Date.now() + (jump === "+1d" ? DAY_MS : -DAY_MS);
      expect(faked.stderr()).toContain(new Date(dayOffMs).toISOString().slice(0, 10));
    },
    TEST_MS,
  );

  test(
    "at a foreman that starts again a day earlier: what was to wait for seconds waits for seconds",
    async () => {
      await open();
      await cluster.worker("w");
      const gate = history.gate("end");
      await history.submit({ taskCount: 1, gate });
      await history.untilStarted(1);
      const delayed = await submitDelayed("5s");
      await restart("-1d");
      expect(await kinds()).toContain("clock_went_back");
      const [before] = await cluster.json(["jobs", delayed]);
      expect(before?.["state"]).toBe("queued");
      gate.open();
      expect((await cluster.cc(["wait", delayed])).exitCode).toBe(0);
      await history.check({ startsMax: 1, unheardJobsMax: 1 });
      expect(await kinds()).not.toContain("worker_lost");
    },
    TEST_MS,
  );

  test(
    "at a foreman that starts again a day later: running tasks go on, delayed ones start early",
    async () => {
      await open();
      await cluster.worker("w", { slots: 2 });
      const gate = history.gate("end");
      await history.submit({ taskCount: 1, gate });
      await history.untilStarted(1);
      const delayed = await submitDelayed("10h");
      await restart("+1d");
      gate.open();
      expect((await cluster.cc(["wait", delayed])).exitCode).toBe(0);
      await history.check({ startsMax: 1, unheardJobsMax: 1 });
      expect(await kinds()).not.toContain("worker_lost");
    },
    TEST_MS,
  );
});
