// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are code of jobs
/** What functions start ends with their process, and that not long after its work. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ESCAPES, type Left, watchLeft } from "./hostile/escapes.ts";
import { type Cluster, type Member, openCluster } from "./support/cluster.ts";
import { SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
let worker: Member;
let left: Left;
beforeEach(async () => {
  cluster = await openCluster({ timing: SHORT_TIMING });
  worker = await cluster.worker("w", { slots: 2 });
  left = watchLeft(cluster);
}, SETUP_MS);
afterEach(async () => {
  left.killAll();
  await cluster.close();
});

/** Starts everything, waits until it runs, and ends as told. */
const jobFile = (end: string): string =>
  cluster.file(
    "leaving.ts",
    `import { spawn } from "node:child_process";
     import { existsSync, readFileSync } from "node:fs";
     const file = process.env.PIDS!;
     const started = () => existsSync(file) ? readFileSync(file, "utf8").split("\\n").length - 1 : 0;
     export default async () => {
       if (existsSync(file + ".over")) return 1;
       for (const script of ${JSON.stringify(ESCAPES)}) {
         spawn("sh", ["-c", script], { detached: true, stdio: "ignore" }).unref();
       }
       while (started() < ${ESCAPES.length}) await Bun.sleep(10);
       ${end}
     };`,
  );

const submit = (end: string, ...flags: string[]) =>
  cluster.cc(["submit", "-q", ...flags, "--env", `PIDS=${left.file}`, jobFile(end)]);

describe("what a function starts and leaves is gone", () => {
  test(
    "soon after its process has nothing more to do, though the function has completed",
    async () => {
      expect((await submit('return "done";')).stdout).toBe("done\n");
      expect(left.pids().length).toBe(ESCAPES.length);
      await left.untilAllGone();
      // The slot is as good as before.
      expect((await submit("return 2;")).stdout).toBe("2\n");
    },
    TEST_MS,
  );

  test(
    "when its process ends by itself, or runs out of time",
    async () => {
      expect((await submit("process.exit(0);")).exitCode).toBe(1);
      await left.untilAllGone();
      expect((await submit("for (;;);", "--timeout", "1s")).exitCode).toBe(1);
      await left.untilAllGone();
    },
    TEST_MS,
  );

  test(
    "when its worker is killed, and the next worker runs the task again",
    async () => {
      const submitted = await submit("for (;;);", "-d");
      await left.untilStarted(ESCAPES.length);
      await worker.kill9();
      await left.untilAllGone();
      cluster.file("pids.over", "");
      await cluster.worker("next");
      expect((await cluster.cc(["wait", "-q", submitted.stdout.trim()])).exitCode).toBe(0);
    },
    TEST_MS,
  );
});
