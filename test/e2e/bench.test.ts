/** `cc bench` measures an installation of its own: processes of the compiled binary, from start to end. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createWorld, type World } from "../support/binary.ts";

const TIMEOUT_MS = 60_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

test(
  "a figure is measured on a foreman and a worker of its own, which leave nothing behind",
  async () => {
    const args = ["bench", "--only", "throughput", "--runs", "1", "--tasks", "1000", "--json"];
    const run = await world.cc(args, { timeoutMs: TIMEOUT_MS });
    expect([run.exitCode, run.stderr.includes("Unexpected")]).toEqual([0, false]);
    const row = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(row).toMatchObject({ figure: "throughput", unit: "tasks/s" });
    expect((row["runs"] as number[])[0]).toBeGreaterThan(0);
    const jobs = await world.cc(["jobs", "--json"]);
    expect(jobs.stdout).toBe("");
  },
  TIMEOUT_MS,
);

test("a figure that does not exist is named with those that do", async () => {
  const run = await world.cc(["bench", "--only", "thruput"]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain('--only "thruput" is no figure; expected throughput');
});
