/** `cc drain`: a worker finishes what it runs, gives back the rest and ends; --undo keeps it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../faults/support/cluster.ts";
import { GATED, openStage, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(["--workers", "1"]);
  // The foreman's own worker must not take what is meant for others.
  await stage.foreman.untilStderr(/worker connected/);
}, SETUP_MS);
afterAll(() => stage.close());

const why = async (what: string): Promise<unknown> => (await stage.json(["why", what]))[0];
const stateOf = async (workerId: string): Promise<unknown> =>
  (await stage.json(["workers", workerId]))[0]?.["state"];

describe("cc drain", () => {
  test("of a foreman's own worker ends it, and it is not started again", async () => {
    const [own] = (await stage.cc(["workers", "-q"])).stdout.trim().split("\n");
    const drained = await stage.cc(["drain", own ?? ""]);
    expect(drained).toMatchObject({ exitCode: 0, stdout: "" });
    expect(drained.stderr).toBe(
      `worker ${own} drains: it ends when its running tasks have (cc drain ${own} --undo)\n`,
    );
    await stage.foreman.untilStderr(/is not started again/);
    expect(stage.foreman.stderr()).toContain('"event":"worker ends"');
    expect(await stateOf(own ?? "")).toBe("gone");
  });

  test("lets running tasks finish, gives the others back at once, and the worker exits with 0", async () => {
    const [running, waiting] = [stage.gate("running"), stage.gate("waiting")];
    const leaving = await stage.worker("leaving", ["--slots", "1", "--queues", "one"]);
    const words = ["--queue", "one", "--", ...GATED, ":::", running.path, waiting.path];
    const job = await stage.submit(words);
    await running.started();
    await stage.cc(["drain", "leaving"]);
    expect(await stateOf("leaving")).toBe("draining");
    await eventually("what waits is given back", async () => {
      const [worker] = await stage.json(["workers", "leaving"]);
      return worker?.["prefetched"] === 0 && worker["running"] === 1;
    });
    expect(await why("leaving")).toMatchObject({
      code: "draining",
      sentence: "Worker leaving is draining and ends when 1 task there has ended.",
      hint: "cc drain leaving --undo",
    });
    expect(await why(`${job}/1`)).toMatchObject({
      sentence: "The only worker that could run it, leaving, is draining.",
      hint: "cc worker, or cc drain leaving --undo",
    });
    const twice = await stage.cc(["drain", "leaving"]);
    expect([twice.exitCode, twice.stderr]).toEqual([0, "worker leaving is draining already\n"]);

    const other = await stage.worker("staying", ["--slots", "1", "--queues", "one"]);
    await waiting.started();
    await Promise.all([running.open(), waiting.open()]);
    expect((await leaving.ended).exitCode).toBe(0);
    expect(leaving.stderr()).toContain('"event":"worker drains","by":"cc drain"');
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    expect(await stage.json(["tasks", job])).toMatchObject([
      { state: "completed", attempts: 1, worker: "leaving" },
      { state: "completed", attempts: 1, worker: "staying" },
    ]);
    expect(await stage.json(["drain", "staying"])).toEqual([
      { schema: "crowdcompute/v1", worker_id: "staying", draining: true },
    ]);
    expect((await other.ended).exitCode).toBe(0);
  });

  test("is undone as long as a task runs there", async () => {
    const [first, second] = [stage.gate("first"), stage.gate("second")];
    const worker = await stage.worker("kept", ["--slots", "1", "--queues", "two"]);
    const job = await stage.submit([
      ...["--queue", "two", "--", ...GATED, ":::", first.path, second.path],
    ]);
    await first.started();
    await stage.cc(["drain", "kept"]);
    const undone = await stage.cc(["drain", "kept", "--undo"]);
    expect([undone.exitCode, undone.stderr]).toEqual([
      0,
      "worker kept stays and takes tasks again\n",
    ]);
    expect(await stateOf("kept")).toBe("up");
    const again = await stage.cc(["drain", "kept", "--undo"]);
    expect([again.exitCode, again.stderr]).toEqual([0, "worker kept is not draining\n"]);
    await first.open();
    await second.started();
    await second.open();
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    worker.kill("SIGTERM");
    expect((await worker.ended).exitCode).toBe(0);
  });

  test("of workers that are not here says which, and drains the others", async () => {
    const worker = await stage.worker("here", ["--slots", "1", "--queues", "three"]);
    const drained = await stage.cc(["drain", "nobody", "here", "kept"]);
    expect(drained.exitCode).toBe(2);
    expect(drained.stderr).toContain('cc: There is no worker "nobody".\nhint: cc workers\n');
    expect(drained.stderr).toContain("worker here drains: ");
    expect(drained.stderr).toContain("cc: Worker kept is not connected.\nhint: cc why kept\n");
    expect((await worker.ended).exitCode).toBe(0);
  });
});
