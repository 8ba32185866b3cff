/** A foreman that is killed under its workers and followers, and starts again: everything goes on. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { createWorld, type RunningCc, type World } from "../support/binary.ts";
import { createGate, GATED, jsonLines, SETUP_MS } from "./stage.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
}, SETUP_MS);
afterEach(() => world.close());

async function startForeman(...args: string[]): Promise<{ foreman: RunningCc; url: string }> {
  const foreman = world.start(["foreman", ...args]);
  await foreman.untilStderr(/workers join with/);
  return { foreman, url: /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "" };
}

async function kill(foreman: RunningCc): Promise<void> {
  foreman.kill("SIGKILL");
  expect((await foreman.ended).signal).toBe("SIGKILL");
}

test("running tasks finish once, on the worker that ran them, at a foreman that was killed", async () => {
  const { foreman, url } = await startForeman("--port", "0");
  const worker = world.start(["worker", "--id", "w1", "--slots", "1", "--foreman", url]);
  await worker.untilStderr(/connected to the foreman/);
  const gates = [createGate(world, "one"), createGate(world, "two")] as const;
  const paths = gates.map(({ path }) => path);
  const submitted = await world.cc(["submit", "-d", "--", ...GATED, ":::", ...paths]);
  const job = submitted.stdout.trim();
  await gates[0].started();
  await kill(foreman);
  await worker.untilStderr(/the connection to the foreman is lost/);
  // The task ends while nobody is there to hear it.
  await gates[0].open();
  await startForeman("--port", new URL(url).port);
  await worker.untilStderr(/connected again/);
  await gates[1].started();
  await gates[1].open();
  expect((await world.cc(["wait", job])).exitCode).toBe(0);
  expect((await world.cc(["results", job])).stdout).toBe("one\ntwo\n");
  const tasks = await jsonLines(world, ["tasks", job]);
  expect(tasks).toMatchObject([
    { attempts: 1, worker: "w1" },
    { attempts: 1, worker: "w1" },
  ]);
});

test("a worker and a follower without an address find it on another port", async () => {
  const { foreman } = await startForeman("--port", "0");
  const worker = world.start(["worker", "--id", "w1", "--slots", "1"]);
  await worker.untilStderr(/connected to the foreman/);
  const gates = [createGate(world, "one"), createGate(world, "two")] as const;
  const paths = gates.map(({ path }) => path);
  const submitted = await world.cc(["submit", "-d", "--", ...GATED, ":::", ...paths]);
  const job = submitted.stdout.trim();
  await gates[0].started();
  await kill(foreman);
  await startForeman("--port", "0");
  await worker.untilStderr(/connected again/);
  const following = world.start(["results", job, "-f"]);
  for (const gate of gates) {
    if (gate !== gates[0]) await gate.started();
    await gate.open();
  }
  expect(await following.ended).toMatchObject({ stdout: "one\ntwo\n", exitCode: 0 });
});

test("a submitter that follows its job prints every result once, over the foreman's death", async () => {
  const { foreman, url } = await startForeman("--port", "0");
  const env = { CC_FOREMAN: url };
  const worker = world.start(["worker", "--slots", "1"], { env });
  await worker.untilStderr(/connected to the foreman/);
  const gates = [createGate(world, "one"), createGate(world, "two")] as const;
  const paths = gates.map(({ path }) => path);
  const submitter = world.start(["submit", "--", ...GATED, ":::", ...paths], { env });
  await gates[0].started();
  await gates[0].open();
  await submitter.untilStdout(/one\n/);
  await gates[1].started();
  await kill(foreman);
  await submitter.untilStderr(/the foreman is gone; trying to reach it again\n/);
  await startForeman("--port", new URL(url).port);
  await submitter.untilStderr(/the foreman is back\n/);
  await gates[1].open();
  const { stdout, stderr, exitCode } = await submitter.ended;
  expect({ stdout, exitCode }).toEqual({ stdout: "one\ntwo\n", exitCode: 0 });
  expect(stderr).toMatch(/job 1 completed: 2 completed, \S+\n$/);
});
