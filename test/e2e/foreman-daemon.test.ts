/** `cc foreman` as a daemon: where it listens, what it refuses, how it ends, and what it takes up again. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createWorld, type RunningCc, type World } from "../support/binary.ts";
import { createGate, GATED, jsonLines, SETUP_MS } from "./stage.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
}, SETUP_MS);
afterEach(() => world.close());

const store = (): string => join(world.env["XDG_STATE_HOME"] ?? "", "crowdcompute");

async function startForeman(...args: string[]): Promise<RunningCc> {
  const foreman = world.start(["foreman", "--port", "0", ...args]);
  await foreman.untilStderr(/workers join with/);
  return foreman;
}

const urlOf = (foreman: RunningCc): string => /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "";

async function submitDetached(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await world.cc(["submit", "-d", ...args]);
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
  return stdout.trim();
}

describe("at its start", () => {
  test("says where it is, where its store lies and how a worker joins; the ready file names the URL", async () => {
    const foreman = await startForeman("--ready-file", "ready");
    const url = urlOf(foreman);
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(foreman.stderr()).toBe(
      `foreman at ${url}\nstore   ${store()}\nworkers join with: cc worker --foreman ${url}\n`,
    );
    expect(foreman.stdout()).toBe("");
    expect(readFileSync(join(world.folder, "ready"), "utf8")).toBe(`${url}\n`);
    // The line works as it stands, from anywhere.
    const worker = world.start(["worker", "--foreman", url, "--id", "w1"], { cwd: "/" });
    await worker.untilStderr(/connected to the foreman/);
    await foreman.untilStderr(/"event":"worker connected","worker":"w1"/);
  });

  test("a second one on the same store ends with 75 and names the first", async () => {
    const first = await startForeman();
    const { stdout, stderr, exitCode } = await world.cc(["foreman", "--port", "0"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 75 });
    expect(stderr).toBe(
      `cc: Another foreman at ${urlOf(first)} already runs on the store ${store()}.\nhint: Use it with --foreman ${urlOf(first)}, or give this one a store of its own: --store DIR\n`,
    );
    expect((await world.cc(["jobs"])).exitCode).toBe(0);
  });

  test("a port in use ends it with 69", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const { stderr, exitCode } = await world.cc(["foreman", "--port", port]);
    other.close();
    expect(exitCode).toBe(69);
    expect(stderr).toStartWith(
      `cc: Port ${port} of 127.0.0.1 is in use by another program.\nhint: `,
    );
  });

  test.each([
    [
      ["--host", "0.0.0.0"],
      78,
      "cc: Listening on 0.0.0.0 would send code and results over the network in the clear.\nhint: Keep --host 127.0.0.1, or accept it on a network you trust: --insecure-plaintext\n",
    ],
    [
      ["--workres", "2"],
      64,
      "cc: cc foreman has no option --workres.\nhint: Did you mean --workers?\n",
    ],
    [
      ["--port", "70000"],
      64,
      "cc: --port: 70000 is out of range; expected a value from 0 to 65535.\n",
    ],
    [["extra"], 64, 'cc: cc foreman does not take "extra".\nhint: cc foreman --help\n'],
  ])("%j ends it with %d", async (args, exitCode, message) => {
    const ended = await world.cc(["foreman", ...args]);
    expect(ended).toMatchObject({ exitCode, stdout: "", stderr: message });
  });

  test("beyond this machine it listens only when told that the network is trusted, and warns", async () => {
    const foreman = await startForeman("--host", "0.0.0.0", "--insecure-plaintext");
    expect(foreman.stderr()).toContain("listening beyond this machine without TLS");
  });

  test("a folder that cannot be its store ends it with 74", async () => {
    const { stderr, exitCode } = await world.cc([
      "foreman",
      "--port",
      "0",
      "--store",
      "/proc/none",
    ]);
    expect(exitCode).toBe(74);
    expect(stderr).toContain("/proc/none");
  });
});

describe("its end", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s ends it with 0, and nothing is lost",
    async (signal) => {
      const foreman = await startForeman();
      const job = await submitDetached("--", "echo", ":::", "a", "b");
      foreman.kill(signal);
      expect((await foreman.ended).exitCode).toBe(0);
      const again = await startForeman("--workers", "1");
      expect((await world.cc(["wait", job])).exitCode).toBe(0);
      expect((await world.cc(["results", job])).stdout).toBe("a\nb\n");
      again.kill(signal);
      expect((await again.ended).exitCode).toBe(0);
    },
  );

  test("its own worker ends with it and hands back what ran", async () => {
    const foreman = await startForeman("--workers", "1");
    const gate = createGate(world, "held");
    const job = await submitDetached("--", ...GATED, ":::", gate.path);
    await gate.started();
    foreman.kill("SIGTERM");
    expect((await foreman.ended).exitCode).toBe(0);
    await startForeman("--workers", "1");
    await gate.started();
    await gate.open();
    expect((await world.cc(["wait", job])).exitCode).toBe(0);
    expect(await jsonLines(world, ["tasks", `${job}/0`])).toMatchObject([{ state: "completed" }]);
  });

  test("a second signal ends it at once, and what was accepted is still there", async () => {
    const foreman = await startForeman("--workers", "1");
    const gate = createGate(world, "held");
    const job = await submitDetached("--", ...GATED, ":::", gate.path);
    await gate.started();
    foreman.kill("SIGTERM");
    await foreman.untilStderr(/"event":"worker drains"/);
    foreman.kill("SIGTERM");
    expect((await foreman.ended).signal).toBe("SIGTERM");
    expect(await jsonLines(world, ["jobs", job])).toMatchObject([{ tasks: { total: 1 } }]);
  });
});

describe("--workers", () => {
  test("a worker that was killed is started again, and its task too", async () => {
    const foreman = await startForeman("--workers", "1");
    await foreman.untilStderr(/"event":"worker connected"/);
    const gate = createGate(world, "killed");
    const job = await submitDetached("--", ...GATED, ":::", gate.path);
    await gate.started();
    const { stdout: workers } = await world.cc(["workers", "--json"]);
    process.kill(Number(/"pid":(\d+)/.exec(workers)?.[1]), "SIGKILL");
    await foreman.untilStderr(/our worker ended and is started again/);
    await gate.started();
    await gate.open();
    const waited = await world.cc(["wait", job]);
    // Who came later hears nothing of what was lost before.
    expect([waited.exitCode, waited.stderr]).toEqual([
      0,
      expect.stringMatching(/^job 1 completed: 1 completed, \S+\n$/),
    ]);
    const [task] = await jsonLines(world, ["tasks", `${job}/0`]);
    expect(task?.["history"]).toMatchObject([
      { attempt: 1, outcome: "lost" },
      { attempt: 2, outcome: "completed" },
    ]);
  });
});
