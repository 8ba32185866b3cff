/** `cc worker` as a daemon: its name, its key, what it takes, and how it leaves. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RunningCc } from "../support/binary.ts";
import { GATED, openStage, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, SETUP_MS);
afterAll(() => stage.close());

async function startWorker(...args: string[]): Promise<RunningCc> {
  const worker = stage.start(["worker", ...args]);
  await worker.untilStderr(/connected to the foreman/);
  return worker;
}

/** Ends it and expects an orderly end. */
async function end(worker: RunningCc): Promise<void> {
  worker.kill("SIGTERM");
  expect((await worker.ended).exitCode).toBe(0);
}

describe("its name", () => {
  test("is the host's, with -2 for the second on the machine, and is free again afterwards", async () => {
    const first = await startWorker("--slots", "1");
    const second = await startWorker("--slots", "1");
    const names = (await stage.cc(["workers", "-q"])).stdout.trim().split("\n").sort();
    expect(names).toEqual([hostname(), `${hostname()}-2`]);
    await end(first);
    const third = await startWorker("--slots", "1");
    expect(third.stderr()).toContain(`"worker":"${hostname()}","slots":1`);
    await end(second);
    await end(third);
  });

  test("given twice ends the second with 75", async () => {
    const first = await startWorker("--id", "twin");
    const { stderr, exitCode } = await stage.cc(["worker", "--id", "twin"]);
    expect(exitCode).toBe(75);
    expect(stderr).toBe(
      'cc: A worker with the id "twin" already runs on this machine.\nhint: Give this one another --id, or leave it out to get a free one.\n',
    );
    await end(first);
  });
});

describe("what ends it at once", () => {
  const keys = (name: string): string =>
    join(stage.world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute/keys", name);

  test("a key that the foreman does not know, with 77", async () => {
    // A key of another account's foreman.
    const env = { XDG_CONFIG_HOME: join(stage.world.folder, "other"), CC_FOREMAN: stage.url };
    const { stderr, exitCode } = await stage.cc(["worker", "--id", "stranger"], { env });
    expect(exitCode).toBe(77);
    expect(stderr).toMatch(
      /\ncc: The foreman at \S+ could not prove that it knows the key "\w+": it is another foreman than the key's, or the key was replaced\.\nhint: /,
    );
    expect((await stage.cc(["workers", "-q"])).stdout).not.toContain("stranger");
  });

  test("a client's key, with 77", async () => {
    const key = keys("local-admin.key");
    const { stderr, exitCode } = await stage.cc(["worker", "--id", "x", "--key-file", key]);
    expect(exitCode).toBe(77);
    expect(stderr).toMatch(
      /\ncc: The key "\w+" is a client key and was used by a worker\.\nhint: Give a worker key with --key-file FILE\.\n$/,
    );
  });

  test("a key file that is missing or no key, with 78", async () => {
    const missing = await stage.cc(["worker", "--key-file", "none.key"]);
    expect(missing.exitCode).toBe(78);
    expect(missing.stderr).toContain(`There is no key file ${stage.world.folder}/none.key.`);
    writeFileSync(join(stage.world.folder, "bad.key"), "nonsense\n", { mode: 0o600 });
    const bad = await stage.cc(["worker", "--key-file", "bad.key"]);
    expect(bad.exitCode).toBe(78);
    expect(bad.stderr).toContain("holds no key");
  });

  test.each([
    [["--slots", "0"], 64, "cc: --slots: 0 is out of range; expected a value from 1 to 4096.\n"],
    [["--queue", "x"], 64, "cc: cc worker has no option --queue.\nhint: Did you mean --queues?\n"],
    [
      ["--queues", "a b"],
      64,
      "cc: --queues: \"a b\" is no pattern of queues.\nhint: Write for example math.*,images or '*,!slow.*'.\n",
    ],
    [["--label", "rack"], 64, 'cc: --label: "rack" has no "=".\nhint: Write --label rack=VALUE.\n'],
  ])("%j, with %d", async (args, exitCode, message) => {
    const ended = await stage.cc(["worker", ...args]);
    expect(ended).toMatchObject({ exitCode, stdout: "", stderr: message });
  });

  test("a foreman that is not there, after the attempts it was allowed, with 69", async () => {
    const { stderr, exitCode } = await stage.cc([
      ...["worker", "--foreman", "ws://127.0.0.1:1", "--reconnect-attempts", "1"],
    ]);
    expect(exitCode).toBe(69);
    expect(stderr).toContain("cc: No foreman answers at 127.0.0.1:1: nothing listens there.\n");
  });
});

describe("how it leaves", () => {
  test("SIGTERM drains: what runs finishes, what waits goes to others, exit 0", async () => {
    const [running, waiting] = [stage.gate("running"), stage.gate("waiting")];
    const leaving = await stage.worker("leaving", ["--slots", "1", "--queues", "drain"]);
    const job = await stage.submit([
      "--queue",
      "drain",
      "--",
      ...GATED,
      ":::",
      running.path,
      waiting.path,
    ]);
    await running.started();
    leaving.kill("SIGTERM");
    await leaving.untilStderr(/"event":"worker drains"/);
    const other = await stage.worker("staying", ["--slots", "1", "--queues", "drain"]);
    await waiting.started();
    await Promise.all([running.open(), waiting.open()]);
    expect((await leaving.ended).exitCode).toBe(0);
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    const tasks = await stage.json(["tasks", job]);
    expect(tasks).toMatchObject([
      { state: "completed", attempts: 1, worker: "leaving" },
      { state: "completed", attempts: 1, worker: "staying" },
    ]);
    await end(other);
  });

  test("a second signal aborts: what ran goes back, and fails nobody", async () => {
    const gate = stage.gate("aborted");
    const leaving = await stage.worker("aborting", ["--slots", "1", "--queues", "abort"]);
    const job = await stage.submit(["--queue", "abort", "--", ...GATED, ":::", gate.path]);
    await gate.started();
    leaving.kill("SIGTERM");
    await leaving.untilStderr(/"event":"worker drains"/);
    leaving.kill("SIGTERM");
    expect((await leaving.ended).exitCode).toBe(0);
    const [task] = await stage.json(["tasks", `${job}/0`]);
    expect(task).toMatchObject({ state: "queued", error: null });
    const other = await stage.worker("taking-over", ["--slots", "1", "--queues", "abort"]);
    await gate.started();
    await gate.open();
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    await end(other);
  });

  test("--idle-timeout and --time-limit end it with 0 by themselves", async () => {
    const idle = await stage.cc(["worker", "--id", "idle", "--idle-timeout", "100ms"]);
    expect([idle.exitCode, idle.stderr]).toEqual([0, expect.stringContaining('"reason":"idle"')]);
    const limited = await stage.cc(["worker", "--id", "limited", "--time-limit", "100ms"]);
    expect([limited.exitCode, limited.stderr]).toEqual([
      0,
      expect.stringContaining('"reason":"time limit"'),
    ]);
  });
});

describe("what it takes", () => {
  test("only its queues, and only what its labels, roles and resources serve", async () => {
    const plain = await stage.worker("plain", ["--slots", "2", "--queues", "take.*,!take.none"]);
    const rich = await stage.worker("rich", [
      ...[
        "--slots",
        "2",
        "--queues",
        "take.*",
        "--label",
        "rack=b",
        "--role",
        "gpu",
        "--resource",
        "gpu=1",
      ],
    ]);
    const where = async (queue: string, ...options: string[]): Promise<unknown> => {
      await stage.cc(["submit", "-q", "--queue", queue, ...options, "--", "true"]);
      return (await stage.json(["tasks", "last"]))[0]?.["worker"];
    };
    expect(await where("take.any", "--worker-label", "rack=b")).toBe("rich");
    expect(await where("take.any", "--role", "gpu")).toBe("rich");
    expect(await where("take.any", "--resource", "gpu=1")).toBe("rich");
    expect(await where("take.none")).toBe("rich");
    await end(rich);
    expect(await where("take.any")).toBe("plain");
    await end(plain);
  });

  test("a resource is shared: two tasks that need all of it run one after the other", async () => {
    const worker = await stage.worker("one-gpu", [
      "--slots",
      "2",
      "--queues",
      "gpu",
      "--resource",
      "gpu=1",
    ]);
    const [first, second] = [stage.gate("gpu-1"), stage.gate("gpu-2")];
    const needs = ["--queue", "gpu", "--resource", "gpu=1"];
    const job = await stage.submit([...needs, "--", ...GATED, ":::", first.path, second.path]);
    await first.started();
    expect((await stage.cc(["tasks", job, "--state", "queued", "-q"])).stdout).toBe(`${job}/1\n`);
    await first.open();
    await second.started();
    await second.open();
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    await end(worker);
  });
});
