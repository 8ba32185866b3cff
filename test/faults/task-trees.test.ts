/** Whatever a command has started is gone when the command is, also with its worker. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import {
  ESCAPES,
  isAlive,
  type Left,
  STUBBORN,
  statFields,
  waitForPids,
  watchLeft,
} from "./hostile/escapes.ts";
import { type Cluster, eventually, type Member, openCluster } from "./support/cluster.ts";
import { count, report, SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";

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

const shellJob = (script: string, ...flags: string[]): string[] => [
  "submit",
  "-q",
  ...flags,
  ...["--env", `PIDS=${left.file}`, "--shell", "--", script],
];

describe("what a command forks, daemonises and hides", () => {
  const script = `: > "$PIDS"; ${ESCAPES.join("\n")}\n${waitForPids(ESCAPES.length)}`;

  test(
    "is gone after its end",
    async () => {
      const run = await cluster.cc([...shellJob(`${script}; echo fine`)]);
      expect(run).toMatchObject({ exitCode: 0, stdout: "fine\n" });
      expect(left.pids().length).toBe(ESCAPES.length);
      await left.untilAllGone();
    },
    TEST_MS,
  );

  test(
    "is gone after cc cancel, what ignores SIGTERM five seconds later, and the slot is free",
    async () => {
      const stubborn = `(setsid ${STUBBORN} </dev/null >/dev/null 2>&1 &)\n${STUBBORN}`;
      const submitted = await cluster.cc(shellJob(`${script}\n${stubborn}`, "-d"));
      await left.untilStarted(ESCAPES.length + 2);
      const cancelledAtMs = performance.now();
      expect((await cluster.cc(["cancel", submitted.stdout.trim()])).exitCode).toBe(0);
      await left.untilAllGone();
      const seconds = (performance.now() - cancelledAtMs) / 1000;
      report(`SIGTERM ignored: gone after ${seconds.toFixed(1)} s`);
      // They had their five seconds.
      expect(seconds).toBeGreaterThan(4.5);
      expect((await cluster.cc(["submit", "-q", "--", "echo", "free"])).stdout).toBe("free\n");
    },
    TEST_MS,
  );

  test(
    "is gone after its time-out",
    async () => {
      const flags = ["--timeout", "1s", "--json"];
      const run = await cluster.cc(shellJob(`${script}; sleep 600`, ...flags));
      const row = { status: "failed", error: { code: "timeout" } };
      expect(JSON.parse(run.stdout)).toMatchObject(row);
      expect(left.pids().length).toBeGreaterThan(0);
      await left.untilAllGone();
    },
    TEST_MS,
  );
});

test(
  "the limit of level process: what daemonises and clears its environment outlives its task",
  async () => {
    const word = `sh -c "echo \\$\\$ >> '${left.file}'; exec sleep 600"`;
    const away = `(env -i setsid ${word} </dev/null >/dev/null 2>&1 &)`;
    const script = `: > "$PIDS"; ${away}; ${waitForPids(1)}; echo fine`;
    expect((await cluster.cc(shellJob(script))).stdout).toBe("fine\n");
    // Nothing of it is known: neither its parent nor its session nor its mark.
    expect((await cluster.cc(["submit", "-q", "--", "sleep", "1.5"])).exitCode).toBe(0);
    expect(left.pids().map(isAlive)).toEqual([true]);
    left.killAll();
    // One that clears its environment but stays in its session does not get away.
    const inside = `: > "$PIDS"; env -i ${word} & ${waitForPids(1)}`;
    expect((await cluster.cc(shellJob(inside))).exitCode).toBe(0);
    await left.untilAllGone();
  },
  TEST_MS,
);

test(
  "a thousand tasks with orphans leave no zombie at the worker or the foreman",
  async () => {
    const last = count(199, 999);
    const script = "(true &); setsid true & sh -c 'exit 3' & (sleep 0.01 &); :";
    const words = ["submit", "-q", "--shell", "--array", `0-${last}`, "--", script];
    expect((await cluster.cc(words)).exitCode).toBe(0);
    const zombies = (): readonly string[] =>
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .filter((name) => {
          const [state, parent] = statFields(name);
          return state === "Z" && [worker.pid, cluster.foreman.pid].includes(Number(parent));
        });
    await eventually("none is left", () => zombies().length === 0);
  },
  TEST_MS,
);

test(
  "what the tasks of a killed worker have started dies too, before the next worker runs them",
  async () => {
    const script = `${ESCAPES.join("\n")}\n${STUBBORN}`;
    const guarded = `[ -e "$PIDS.over" ] || {\n${script}\n}`;
    const submitted = await cluster.cc(shellJob(guarded, "-d"));
    await left.untilStarted(ESCAPES.length + 1);
    await worker.kill9();
    await left.untilAllGone();
    cluster.file("pids.over", "");
    await cluster.worker("next", { slots: 2 });
    expect((await cluster.cc(["wait", "-q", submitted.stdout.trim()])).exitCode).toBe(0);
  },
  TEST_MS,
);
