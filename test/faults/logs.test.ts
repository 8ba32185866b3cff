// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text here is shell code
/**
 * Logs when things break: what was acknowledged stays, nothing comes twice, and a task that prints a
 * gigabyte costs nobody memory (row 25).
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, eventually, openCluster, within } from "./support/cluster.ts";
import {
  LONG,
  PATIENT_TIMING,
  report,
  SETUP_MS,
  SHORT_TIMING,
  TEST_MS,
  type Timing,
} from "./support/long.ts";
import { type FrameProxy, openProxy } from "./support/proxy.ts";

let cluster: Cluster;
let proxy: FrameProxy | null = null;
async function open(timing: Timing = PATIENT_TIMING): Promise<void> {
  cluster = await openCluster({ timing });
}
beforeEach(() => {}, SETUP_MS);
afterEach(async () => {
  await cluster.close();
  await proxy?.close();
  proxy = null;
});

const NOBODY_LOST: Timing = { ...PATIENT_TIMING, heartbeatMs: 200 };

async function logs(...args: string[]): Promise<string> {
  const { stdout, exitCode, stderr } = await cluster.cc(["logs", ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

async function submit(...words: string[]): Promise<string> {
  return (await cluster.cc(["submit", "-d", ...words])).stdout.trim();
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join("");

/** Prints numbers, a thousand a second, until its file is gone. */
const COUNTING =
  'i=0; while [ -e "$1" ]; do i=$((i+1)); echo $i >&2; sleep 0.001; done; echo end >&2';

describe("a log", () => {
  test(
    "loses and doubles no line when its worker's connection is cut, and a follower neither",
    async () => {
      await open(NOBODY_LOST);
      proxy = await openProxy(cluster.url);
      const worker = await cluster.worker("w1", { via: proxy.url });
      const flag = cluster.file("go", "");
      const job = await submit("--input", JSON.stringify(flag), "--", "sh", "-c", COUNTING, "sh");
      const follower = cluster.start(["logs", job, "-f"]);
      for (let cut = 1; cut <= 3; cut++) {
        await within(
          "it prints",
          follower.untilStdout(new RegExp(`^${cut * 100}$`, "m")),
          follower,
        );
        proxy.cut();
        const back = new RegExp(`(connected again[^]*){${cut}}`);
        await within("it is back", worker.untilStderr(back), worker);
      }
      rmSync(flag);
      const { stdout } = await within("it ends", follower.ended, follower);
      const last = Number(stdout.trim().split("\n").at(-2));
      expect(last).toBeGreaterThan(300);
      expect(stdout).toBe(`${numbers(1, last)}end\n`);
      expect(await logs(job)).toBe(stdout);
    },
    TEST_MS,
  );

  test(
    "survives the foreman's death and goes on after it",
    async () => {
      await open(NOBODY_LOST);
      await cluster.worker("w1");
      const flag = cluster.file("go", "");
      const job = await submit("--input", JSON.stringify(flag), "--", "sh", "-c", COUNTING, "sh");
      const before = cluster.start(["logs", job, "-f"]);
      await within("it prints", before.untilStdout(/^200$/m), before);
      await cluster.foreman.kill9();
      await cluster.restartForeman();
      const after = cluster.start(["logs", job, "-f"]);
      await within("it goes on", after.untilStdout(/^400$/m), after);
      rmSync(flag);
      const { stdout } = await within("it ends", after.ended, after);
      const last = Number(stdout.trim().split("\n").at(-2));
      expect(stdout).toBe(`${numbers(1, last)}end\n`);
      // The one that followed from before has come back by itself.
      expect((await within("it ends", before.ended, before)).stdout).toBe(stdout);
    },
    TEST_MS,
  );

  test(
    "of a killed worker's attempt keeps what was acknowledged, and the next attempt has its own",
    async () => {
      await open(SHORT_TIMING);
      const worker = await cluster.worker("w1");
      const flag = cluster.file("go", "");
      const script = 'echo "attempt $CC_ATTEMPT" >&2; while [ -e "$1" ]; do sleep 0.05; done';
      const job = await submit("--input", JSON.stringify(flag), "--", "sh", "-c", script, "sh");
      await eventually("it has printed", async () => (await logs(job)) === "attempt 1\n");
      await worker.kill9();
      await cluster.worker("w2");
      await eventually("the next one has", async () => (await logs(job)).includes("attempt 2"));
      rmSync(flag);
      await cluster.cc(["wait", job]);
      expect(await logs(job)).toBe("attempt 1\nattempt 2\n");
      expect(await logs(job, "--attempt", "1")).toBe("attempt 1\n");
      expect(await logs(job, "--attempt", "0")).toBe("attempt 2\n");
    },
    TEST_MS,
  );

  test(
    "that is damaged is set aside at the next start; results and new logs are not touched",
    async () => {
      await open();
      await cluster.worker("w1");
      const job = await submit("--", "sh", "-c", "echo result; echo old >&2");
      await cluster.cc(["wait", job]);
      await cluster.foreman.kill9();
      const file = join(cluster.storeFolder, "logs", "logs.db");
      for (const suffix of ["-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
      writeFileSync(file, "x".repeat(50_000));
      const foreman = await cluster.restartForeman();
      expect(foreman.stderr()).toContain("damaged");
      expect((await cluster.cc(["results", job])).stdout).toBe("result\n");
      const next = await submit("--", "sh", "-c", "echo new >&2");
      await cluster.cc(["wait", next]);
      expect(await logs(next)).toBe("new\n");
      expect((await cluster.json(["events", "--kind", "logs_set_aside"])).length).toBe(1);
    },
    TEST_MS,
  );
});

/** Of the largest that the process has been, in MiB. */
const peakMib = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

const MIB = 1024 ** 2;
/** Also of a gigabyte in the long form. */
const LINE = "a line of a flood, as long as lines are";
const LINES = Math.floor(((LONG ? 1024 : 128) * MIB) / (LINE.length + 1));
const FLOOD_BYTES = LINES * (LINE.length + 1);

describe("a flood", () => {
  for (const [what, words] of Object.entries({
    "on a command's stderr": [
      "--",
      "sh",
      "-c",
      `echo head >&2; yes '${LINE}' | head -n ${LINES} >&2; echo tail >&2`,
    ],
    "on the console of a function": ["flood.ts"],
  })) {
    test(
      `${what} ends normally, is kept within 8 MiB, counted, and costs worker and foreman no memory`,
      async () => {
        await open();
        const worker = await cluster.worker("w1");
        cluster.file(
          "flood.ts",
          `export const inputs = [0];
           export default () => {
             console.log("head");
             for (let i = 0; i < ${LINES}; i++) console.log("${LINE}");
             console.log("tail");
           };`,
        );
        const before = { worker: peakMib(worker.pid), foreman: peakMib(cluster.foreman.pid) };
        const job = await submit(...words);
        expect((await cluster.cc(["wait", job])).exitCode).toBe(0);
        const workerMib = peakMib(worker.pid) - before.worker;
        const foremanMib = peakMib(cluster.foreman.pid) - before.foreman;
        report(
          `${FLOOD_BYTES / MIB} MiB ${what}: worker +${workerMib} MiB, foreman +${foremanMib} MiB`,
        );
        // A collector's leftovers; without a bound it would be all of the flood.
        expect(workerMib).toBeLessThan(140);
        expect(foremanMib).toBeLessThan(100);
        const lines = await cluster.json(["logs", job]);
        const dropped = lines.reduce((sum, line) => sum + Number(line["dropped_bytes"] ?? 0), 0);
        const kept = lines
          .filter(({ stream }) => stream !== "gap")
          .reduce((sum, { text }) => sum + String(text).length + 1, 0);
        expect(kept).toBeGreaterThan(MIB);
        expect(kept).toBeLessThanOrEqual(8.5 * MIB);
        // Where a gap cuts a line its newline is counted for both parts of it.
        const gaps = lines.filter(({ stream }) => stream === "gap").length;
        expect(Math.abs(kept + dropped - (FLOOD_BYTES + 10))).toBeLessThanOrEqual(2 * gaps);
        expect([lines[0]?.["text"], lines.at(-1)?.["text"]]).toEqual(["head", "tail"]);
      },
      TEST_MS,
    );
  }
});
