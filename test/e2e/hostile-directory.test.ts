/**
 * Everything in a folder, or in the environment, that some tool would run or read by itself, and every
 * verb started there. Only the job file that was named may run.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type RunningCc, type World } from "../support/binary.ts";

const LONG = 60_000;

let world: World;
let marker: string;
let url: string;
let worker: RunningCc;

/** What no task may see, though the worker was started with it. */
const SECRETS: Readonly<Record<string, string>> = {
  CC_SECRET: "secret-of-the-worker",
  AWS_SECRET_ACCESS_KEY: "secret-of-the-cloud",
  BUN_CONFIG_VERBOSE_FETCH: "secret-of-bun",
  NODE_EXTRA_CA_CERTS: "/secret-of-node",
};

beforeAll(async () => {
  world = await createWorld();
  marker = join(world.folder, "marker");
  plant(world.folder);
  const hostile = environment();
  const foreman = world.start(["foreman", "--port", "0"], { env: hostile });
  await foreman.untilStderr(/foreman at \S+\n/);
  url = /foreman at (\S+)\n/.exec(foreman.stderr())?.[1] ?? "";
  worker = world.start(["worker", "--slots", "1", "--foreman", url], {
    env: { ...hostile, ...SECRETS },
  });
  await foreman.untilStderr(/"event":"worker connected"/);
}, 180_000);
afterAll(() => world.close());

/** Node's way to run a file first; the runtime inside our binary must not follow it. */
function environment(): Record<string, string> {
  return { NODE_OPTIONS: `--require ${join(world.folder, "evil.cjs")}`, NODE_PATH: world.folder };
}

function plant(folder: string): void {
  const evil = `require("node:fs").appendFileSync(${JSON.stringify(marker)}, process.argv.join(" ") + "\\n");\n`;
  const files: Record<string, string> = {
    "evil.cjs": evil,
    "evil.ts": evil,
    "bunfig.toml": [
      'preload = ["./evil.ts"]',
      "[test]",
      'preload = ["./evil.ts"]',
      "[run]",
      "bun = true",
      "[install]",
      'auto = "force"',
      "[macros]",
      '"lib" = { "one" = "./evil.ts" }',
      "",
    ].join("\n"),
    ".env": "PLANTED=1\nCC_FOREMAN=ws://127.0.0.1:1\nCC_KEY_FILE=/nowhere\n",
    ".env.local": "PLANTED=1\n",
    ".env.production": "PLANTED=1\n",
    "package.json": JSON.stringify({
      name: "hostile",
      scripts: { preinstall: "touch marker", postinstall: "touch marker", submit: "touch marker" },
      bun: { preload: ["./evil.ts"] },
      imports: { "#crowdcompute": "./evil.ts" },
    }),
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        plugins: [{ name: "./evil.ts" }],
        jsxImportSource: "./evil.ts",
        paths: { "node:fs": ["./evil.ts"], fs: ["./evil.ts"], crowdcompute: ["./evil.ts"] },
      },
    }),
    ".npmrc": "ignore-scripts=false\n",
    "node_modules/crowdcompute/package.json": '{"name":"crowdcompute","main":"../../evil.cjs"}',
    "node_modules/yargs/package.json": '{"name":"yargs","main":"../../evil.cjs"}',
    "node_modules/ws/package.json": '{"name":"ws","main":"../../evil.cjs"}',
    "job.ts": [
      'import { PermanentError } from "crowdcompute";',
      "export const inputs = () => [process.env.PLANTED ?? null];",
      "export default (input: unknown) => {",
      "  const seen = Object.entries(process.env).map((entry) => entry.join('=')).sort();",
      "  return { input, seen, permanent: new PermanentError('x').name };",
      "};",
      "",
    ].join("\n"),
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

const cc = (args: readonly string[], env: Record<string, string> = {}) =>
  world.cc(args, { env: { CC_FOREMAN: url, ...environment(), ...env } });

function expectNothingRan(): void {
  expect(existsSync(marker) ? readFileSync(marker, "utf8") : "nothing ran").toBe("nothing ran");
}

const seenBy = (names: readonly string[]): string => names.join("\n");

/** Names of what a task may see: of the machine, of the account, and ours. */
const ALLOWED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TERM|PWD|SHLVL|_|OMP_NUM_THREADS|CC_(JOB_ID|TASK_ID|TASK_INDEX|ATTEMPT|ATTEMPT_TOKEN|WORKER_ID|SLOT|INPUT|INPUT_FILE))=/;

describe("in a hostile folder", () => {
  test(
    "a function runs alone: no preload, no .env, no path of tsconfig.json, none of the worker's secrets",
    async () => {
      const run = await cc(["submit", "-q", "job.ts"]);
      expect(run.stderr).toBe("");
      const { input, seen, permanent } = JSON.parse(run.stdout);
      expect({ input, permanent }).toEqual({ input: null, permanent: "PermanentError" });
      expect(seen.filter((entry: string) => !ALLOWED.test(entry))).toEqual([]);
      for (const secret of Object.values(SECRETS)) expect(seenBy(seen)).not.toContain(secret);
      expectNothingRan();
    },
    LONG,
  );

  test(
    "a command runs in it, and sees none of the worker's secrets either",
    async () => {
      const run = await cc(["submit", "-q", "--", "/usr/bin/env"]);
      const seen = run.stdout.trimEnd().split("\n");
      expect(seen.filter((entry) => !ALLOWED.test(entry))).toEqual([]);
      for (const secret of Object.values(SECRETS)) expect(run.stdout).not.toContain(secret);
      expectNothingRan();
    },
    LONG,
  );

  test(
    "every verb goes its way",
    async () => {
      const first = await cc(["submit", "-q", "--", "true"]);
      expect(first.exitCode).toBe(0);
      const lines: string[][] = [
        ["--help"],
        ["version"],
        ["completion", "bash"],
        ["jobs"],
        ["jobs", "last"],
        ["tasks", "last"],
        ["workers"],
        ["results", "last"],
        ["why", "last"],
        ["wait", "last"],
        ["try", "job.ts"],
        ["retry", "last", "--all"],
        ["set", "last", "--name", "renamed"],
        ["cancel", "last"],
        ["pause", "last"],
        ["resume", "last"],
        ["rm", "last"],
        ["submit", "--dry-run", "job.ts"],
        ["init", "fresh"],
      ];
      for (const line of lines) {
        const { exitCode, stderr } = await cc(line);
        expect({ line, exitCode, stderr }).toEqual({
          line,
          exitCode: 0,
          stderr: expect.not.stringContaining("PLANTED") as unknown as string,
        });
      }
      await cc(["doctor"]);
      const local = await world.cc(["submit", "-q", "--local", "job.ts"], { env: environment() });
      expect({ exitCode: local.exitCode, stderr: local.stderr }).toEqual({
        exitCode: 0,
        stderr: "",
      });
      expectNothingRan();
    },
    LONG,
  );

  test(
    "a package that is not in the bundle is not fetched while a task runs",
    async () => {
      writeFileSync(
        join(world.folder, "fetch.ts"),
        'export default async () => { const name = ["is", "odd"].join("-"); await import(name); };\n',
      );
      const run = await cc(["submit", "-q", "--json", "fetch.ts"]);
      const row = JSON.parse(run.stdout);
      expect(row.error.message).toMatch(/Cannot find (module|package)/i);
      expectNothingRan();
    },
    LONG,
  );
});

describe("variables that the runtime inside our binary obeys", () => {
  const preload = () => `--preload ${join(world.folder, "evil.ts")}`;

  test(
    "do not reach a task's process at its start, also when its job sets them",
    async () => {
      writeFileSync(
        join(world.folder, "own.ts"),
        "export default () => [process.env.BUN_OPTIONS, process.env.NODE_OPTIONS];\n",
      );
      const run = await cc([
        "submit",
        "-q",
        "--env",
        `BUN_OPTIONS=${preload()}`,
        "--env",
        "NODE_OPTIONS=--require ./evil.cjs",
        "own.ts",
      ]);
      expect(JSON.parse(run.stdout)).toEqual([preload(), "--require ./evil.cjs"]);
      expectNothingRan();
    },
    LONG,
  );

  test(
    "stay with the worker that was started with them",
    async () => {
      const own = world.start(["worker", "--slots", "1", "--id", "own", "--foreman", url], {
        env: { BUN_OPTIONS: preload(), BUN_BE_BUN: "" },
      });
      await own.untilStderr(/"event":"connected to the foreman"/);
      worker.kill("SIGTERM");
      await worker.ended;
      // The runtime obeys it before our first line; the worker's user has asked for that.
      const atStart = readFileSync(marker, "utf8");
      expect(atStart.trimEnd().split("\n")).toHaveLength(1);
      expect(atStart).toContain(" worker ");
      const functionRun = await cc(["submit", "-q", "job.ts"]);
      expect(seenBy(JSON.parse(functionRun.stdout).seen)).not.toContain("BUN_");
      const commandRun = await cc(["submit", "-q", "--", "/usr/bin/env"]);
      expect(commandRun.stdout).not.toContain("BUN_");
      expect(readFileSync(marker, "utf8")).toBe(atStart);
      rmSync(marker);
    },
    LONG,
  );
});
