/** `cc doctor` on the compiled binary: a fresh account, a served one, and stores looked at as a whole. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { findPaths } from "../../src/runtime/platform/paths.ts";
import { openSqlDatabase } from "../../src/runtime/platform/sqlite-driver.ts";
import { BINARY, createWorld, type World } from "../support/binary.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly text: string;
    readonly hint: string | null;
    readonly facts?: Readonly<Record<string, unknown>>;
  }[];
}

async function doctor(args: readonly string[] = [], env: Record<string, string> = {}) {
  const run = await world.cc(["doctor", "--json", ...args], { env });
  const report = JSON.parse(run.stdout) as Report;
  const check = (name: string) => report.checks.find((each) => each.name === name);
  return { exitCode: run.exitCode, report, check };
}

/** A port of this machine on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("a machine on which nothing has run", () => {
  test("has nothing wrong but an address without a foreman, and stays as it is", async () => {
    const url = `ws://127.0.0.1:${await freePort()}`;
    const bin = join(dirname(world.folder), "ours");
    mkdirSync(bin);
    symlinkSync(BINARY, join(bin, "cc"));
    const { report, check } = await doctor(["--foreman", url], {
      PATH: `${bin}:${world.env["PATH"]}`,
    });
    expect(check("path")).toMatchObject({ state: "ok", facts: { cc: join(bin, "cc") } });
    const wrong = report.checks.filter(({ state }) => state === "failed");
    expect(wrong.map(({ name }) => name)).toEqual(["foreman"]);
    expect(readdirSync(world.env["XDG_STATE_HOME"] ?? "")).toEqual([]);
  });

  test("reports for people in lines that begin with a mark", async () => {
    const run = await world.cc(["doctor", "--foreman", `ws://127.0.0.1:${await freePort()}`]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toBe("");
    expect(run.stdout).toContain("\nway to the foreman\n  ✓ ws://127.0.0.1:");
    expect(run.stdout).toContain("    hint: Start one with `cc foreman`");
    expect(run.stdout).toEndWith("\n1 thing is wrong, 1 thing to know\n");
  });
});

describe("beside a running foreman", () => {
  test("the way there, its workers and its store are told, and the store is checked in use", async () => {
    const foreman = world.start(["foreman", "--port", "0", "--workers", "2"]);
    await foreman.untilStderr(/workers join with/);
    await world.cc(["submit", "-q", "--array", "1-50", "--", "sh", "-c", "[ {} != 7 ]"]);
    const { exitCode, check } = await doctor();
    expect(check("foreman")).toMatchObject({ state: "ok", facts: { reachable: true } });
    expect(check("workers")).toMatchObject({ state: "ok", facts: { count: 1, slots: 2 } });
    expect(check("store")).toMatchObject({ state: "ok", facts: { held: true, job_count: 1 } });
    expect(exitCode).toBe(0);
    const { defaultStore } = findPaths(world.env);
    const whole = await doctor(["--store", defaultStore]);
    expect(whole.check("store")).toMatchObject({ state: "ok", facts: { job_count: 1 } });
    expect(whole.exitCode).toBe(0);
    foreman.kill("SIGTERM");
    expect((await foreman.ended).exitCode).toBe(0);
  });

  test("a store whose counters and log disagree fails with what disagrees", async () => {
    const copy = join(world.folder, "copy");
    cpSync(findPaths(world.env).defaultStore, copy, { recursive: true });
    const database = await openSqlDatabase({ path: join(copy, "foreman.db"), readOnly: false });
    database.exec("update job set failed = 2 where job_id = 1");
    database.close();
    const { exitCode, check } = await doctor(["--store", "copy"]);
    expect(check("store")?.text).toBe("job 1 counts 2 failed tasks, and its log has 1");
    expect(exitCode).toBe(1);
  });

  test("a folder without a store fails", async () => {
    const { exitCode, check } = await doctor(["--store", "."]);
    expect(check("store")).toMatchObject({ state: "failed", facts: { code: "store_missing" } });
    expect(exitCode).toBe(1);
  });
});

test("a variable that no worker could start with is found", async () => {
  const env = { CC_SLOTS: "many", CC_FOREMAN: `ws://127.0.0.1:${await freePort()}` };
  const { exitCode, check } = await doctor([], env);
  expect(check("setting")).toMatchObject({ state: "failed" });
  expect(check("setting")?.text).toContain("CC_SLOTS");
  expect(exitCode).toBe(1);
});

test("a broken configuration file is refused with its place", async () => {
  writeFileSync(join(world.folder, "broken.json"), "{");
  const run = await world.cc(["doctor", "--config", "broken.json"]);
  expect(run.stderr).toContain("broken.json is not JSON");
  expect(run.exitCode).toBe(2);
});
