/** `cc top` without a screen: text and JSON of each place, on pipes and on terminals that are none for Ink. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BINARY, createWorld } from "../support/binary.ts";
import { openTerminal } from "../support/terminal/terminal.ts";
import { GATED, type Gate, openStage, SETUP_MS, type Stage, shell } from "./stage.ts";

const DEFECTIVE = `
export const options = { name: "squares", retries: 1, backoff: "1ms" };
export const inputs = [1, 2, 3, 4];
export default (n: number) => {
  if (n === 3) throw new Error("cannot square " + n);
  return n * n;
};
`;
const ESCAPE = String.fromCharCode(27);
/** Names of people who mean no good. */
const HOSTILE = `${ESCAPE}[2J${ESCAPE}]52;c;ZXZpbA==\u0007\u202eevil\u009b31m`;

let stage: Stage;
let gate: Gate;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2"]);
  stage.file("squares.ts", DEFECTIVE);
  await stage.cc(["submit", "squares.ts"]);
  gate = stage.gate("gate-a");
  await stage.submit(["--name", "gated", "--", ...GATED, gate.path]);
  await gate.started();
  await stage.submit(["--name", HOSTILE, "--delay", "1h", "--", "true"]);
}, SETUP_MS);
afterAll(() => stage.close());

const top = (...args: string[]) => stage.cc(["top", ...args]);

async function topJson(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, exitCode } = await top("--json", ...args);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(stdout).toEndWith("\n");
  expect(stdout.trimEnd()).not.toContain("\n");
  return JSON.parse(stdout);
}

describe("cc top --once", () => {
  test("prints the overview as plain text of 80 columns", async () => {
    const { stdout, stderr, exitCode } = await top("--once");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^overview .*foreman 127\.0\.0\.1:\d+ .*\d\d:\d\d:\d\d$/);
    expect(stdout).toMatch(/^ +1 squares +F /m);
    expect(stdout).toMatch(/^ +2 gated +R /m);
    expect(stdout).toMatch(/^ {2}w1 +up /m);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
  });

  test("is what a pipe gets without being asked for it", async () => {
    const { stdout, exitCode } = await top();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^overview /);
  });

  test("shows more in more columns", async () => {
    const wide = (await top("--once", "--columns", "150")).stdout;
    expect(wide).toContain(" HOST ");
    expect(wide.split("\n").every((line) => Bun.stringWidth(line) <= 150)).toBe(true);
    const { stdout } = await stage.cc(["top", "--once"], { env: { COLUMNS: "132" } });
    expect(stdout.split("\n").some((line) => Bun.stringWidth(line) > 100)).toBe(true);
  });

  test("where the locale has no UTF-8 prints ASCII only", async () => {
    const { stdout } = await stage.cc(["top", "--once"], { env: { LANG: "C" } });
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
  });

  test("opens a job, one of its tasks, and a worker", async () => {
    const job = (await top("--once", "1")).stdout;
    expect(job).toMatch(/^job 1 squares .*F failed/);
    expect(job).toContain("1x cannot square 3");
    const task = (await top("--once", "1/2")).stdout;
    expect(task).toMatch(/^task 1\/2 .*F failed/);
    expect(task).toContain("cannot square 3");
    expect(task).toMatch(/at .*squares\.ts:5/);
    const worker = (await top("--once", "w1")).stdout;
    expect(worker).toMatch(/^worker w1 /);
    expect(worker).toContain("2/0");
  });

  test("a job that runs and one that has ended say so", async () => {
    const running = (await top("--once", "2")).stdout;
    expect(running).toMatch(/^job 2 gated .*R running/);
    expect(running).toMatch(/^ Q 0 {3}R 1 /m);
    const ended = (await top("--once", "last")).stdout;
    expect(ended).toMatch(/^job 3 /);
    expect((await top("--once", "1")).stdout).toMatch(/100% {2}took /);
  });

  test.each([
    ["99", "no_such_job"],
    ["1/99", "no_such_task"],
    ["nobody", "no_such_worker"],
  ])("%s is not there: exit 2", async (word, code) => {
    const plain = await top("--once", word);
    expect([plain.exitCode, plain.stdout]).toEqual([2, ""]);
    const json = await top("--json", word);
    expect([json.exitCode, json.stdout]).toEqual([2, ""]);
    expect(JSON.parse(json.stderr)).toMatchObject({ code });
  });

  test("names of others are inert", async () => {
    for (const args of [["--once"], ["--once", "3"], ["--once", "3/0"]]) {
      const { stdout, stderr } = await top(...args);
      expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
      expect(stdout).toContain("evil");
    }
  });
});

describe("cc top --json", () => {
  test("is one object with its schema, kind and version", async () => {
    const body = await topJson();
    expect(body).toMatchObject({ schema: "crowdcompute/v1", kind: "overview" });
    expect(Object.keys(body).slice(0, 3)).toEqual(["schema", "version", "kind"]);
    expect(await topJson("--once")).toMatchObject({ kind: "overview" });
  });

  test("has a job as cc jobs --json prints it", async () => {
    const [listed] = (await stage.json(["jobs"])).filter(({ job_id }) => job_id === 1);
    const { jobs } = (await topJson()) as { jobs: { rows: Record<string, object> } };
    expect(jobs.rows["1"]).toMatchObject(listed ?? {});
    const { kind, job } = (await topJson("1")) as { kind: string; job: object };
    expect(kind).toBe("job");
    expect(job).toMatchObject(listed ?? {});
  });

  test("keeps its keys", async () => {
    const keys = async (...args: string[]) => Object.keys(await topJson(...args)).sort();
    expect(await keys()).toEqual(KEYS.overview);
    expect(await keys("1")).toEqual(KEYS.job);
    expect(await keys("1/2")).toEqual(KEYS.task);
    expect(await keys("w1")).toEqual(KEYS.worker);
  });

  test("to a terminal escapes what could steer it, and still reads back the same", async () => {
    const terminal = openTerminal({
      command: [BINARY, "top", "--json"],
      columns: 200,
      cwd: stage.world.folder,
      env: stage.world.env,
    });
    expect((await terminal.end()).exitCode).toBe(0);
    const text = terminal.raw.since(0).trim();
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    const { jobs } = JSON.parse(text) as { jobs: { rows: Record<string, { name: string }> } };
    expect(jobs.rows["3"]?.name).toBe(HOSTILE);
    await terminal.close();
  });
});

describe("cc top --json --watch", () => {
  test("prints an object for each change", async () => {
    const watching = stage.start(["top", "--json", "--watch"]);
    await watching.untilStdout(/\n/);
    const jobId = await stage.submit(["--name", "seen", "--delay", "1h", "--", "true"]);
    await watching.untilStdout(/"name":"seen".*\n/);
    watching.kill("SIGTERM");
    const { stdout, stderr } = await watching.ended;
    const objects = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(objects.length).toBeGreaterThan(1);
    for (const object of objects)
      expect(object).toMatchObject({ schema: "crowdcompute/v1", kind: "overview" });
    expect(objects.at(-1).jobs.rows[jobId]).toMatchObject({ name: "seen" });
    expect(stderr).toBe("");
    await stage.cc(["cancel", jobId]);
  });

  test("ends quietly with its reader, also when nothing changes any more", () => {
    const script = `'${BINARY}' top --json --watch 2>errors | head -2; cat errors`;
    const lines = shell(stage.world, script).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ kind: "overview" });
  });

  test("as text there is none: exit 2 with what to type", async () => {
    const { exitCode, stdout, stderr } = await top("--watch");
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("cc top --json --watch");
  });
});

describe("a terminal that is none for the monitor", () => {
  const open = (command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    openTerminal({ command, cwd: stage.world.folder, env: { ...stage.world.env, ...env } });

  const CASES: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>])[] =
    [
      ["CI", [BINARY, "top"], { CI: "true" }],
      ["a dumb terminal", [BINARY, "top"], { TERM: "dumb" }],
      ["no keyboard", ["/bin/sh", "-c", `'${BINARY}' top </dev/null`], {}],
    ];
  test.each(CASES)("%s: prints once and ends", async (_, command, env) => {
    const terminal = open(command, env);
    expect((await terminal.end()).exitCode).toBe(0);
    expect(terminal.raw.since(0)).toStartWith(env["TERM"] === "dumb" ? "overview" : ESCAPE);
    // Colours, and nothing that moves the cursor or leaves the screen.
    expect(terminal.raw.since(0).replace(/\p{Cc}\[[0-9;]*m/gu, "")).not.toContain(ESCAPE);
    if (env["TERM"] === "dumb") expect(terminal.raw.since(0)).not.toContain(ESCAPE);
    await terminal.close();
  });
});

describe("the program", () => {
  /** The runtime says which parts of the executable it runs. */
  const TELLS_PARTS = { BUN_JSC_dumpModuleLoadingState: "1" };
  const partsIn = (text: string) =>
    new Set([...text.matchAll(/Loader \[evaluate\] (\S+)/g)].map(([, part]) => part));

  test("loads nothing for a print that only the monitor needs", async () => {
    const printed = async (...args: string[]) =>
      partsIn((await stage.cc(["top", ...args], { env: TELLS_PARTS })).stderr);
    const text = await printed("--once");
    const json = await printed("--json");
    const terminal = openTerminal({
      command: [BINARY, "top"],
      cwd: stage.world.folder,
      env: { ...stage.world.env, ...TELLS_PARTS },
    });
    await terminal.waitFor(/LIVE/);
    terminal.keys("q");
    expect((await terminal.end()).exitCode).toBe(0);
    const monitor = partsIn(terminal.raw.since(0));
    await terminal.close();
    // Ink is in a part that only the monitor runs; test/commands/top/no-screen.test.ts says what is in it.
    expect([...monitor].filter((part) => !text.has(part) && !json.has(part))).not.toEqual([]);
    expect(text.size).toBeGreaterThan(0);
    expect(json.size).toBeGreaterThan(0);
  });
});

describe("without any foreman", () => {
  test("exit 3 and what to type, as text, as JSON and when watching", async () => {
    const world = await createWorld();
    try {
      // Nobody may listen there, whereas other tests use the usual address.
      const nowhere = ["top", "--foreman", "ws://127.0.0.1:1"];
      const plain = await world.cc(nowhere);
      expect([plain.exitCode, plain.stdout]).toEqual([3, ""]);
      expect(plain.stderr).toMatch(
        /^cc: No foreman answers at 127\.0\.0\.1:1: .*\nhint: .*`cc foreman`/,
      );
      for (const args of [["--json"], ["--json", "--watch"], ["--json", "17"]]) {
        const json = await world.cc([...nowhere, ...args]);
        expect([json.exitCode, json.stdout]).toEqual([3, ""]);
        expect(JSON.parse(json.stderr)).toMatchObject({
          code: "foreman_unreachable",
          hint: expect.stringContaining("cc foreman"),
        });
      }
    } finally {
      await world.close();
    }
  });
});

describe("a foreman that goes away and comes back", () => {
  test("--watch says so on stderr and goes on", async () => {
    const world = await createWorld();
    try {
      const start = async (port: string) => {
        const foreman = world.start(["foreman", "--port", port]);
        await foreman.untilStderr(/workers join with/);
        return foreman;
      };
      const first = await start("0");
      const port = /foreman at ws:\/\/127\.0\.0\.1:(\d+)/.exec(first.stderr())?.[1] ?? "";
      const { stdout } = await world.cc(["top", "--once"]);
      expect(stdout).toContain("no jobs yet");
      expect(stdout).toContain("no workers yet");
      const watching = world.start(["top", "--json", "--watch"]);
      await watching.untilStdout(/\n/);
      first.kill("SIGTERM");
      await watching.untilStderr(/\n/);
      expect(JSON.parse(watching.stderr())).toMatchObject({
        code: "foreman_lost",
        retryable: true,
      });
      const before = watching.stdout().split("\n").length;
      await start(port);
      await watching.untilStdout(new RegExp(`^(?:.*\\n){${before}}`));
      expect(JSON.parse(watching.stdout().split("\n")[0] ?? "")).toMatchObject({
        kind: "overview",
      });
    } finally {
      await world.close();
    }
  });
});

const COMMON = ["at", "kind", "schema", "version"];
const KEYS = {
  overview: [
    ...COMMON,
    "eta_seconds",
    "events",
    "failed_percent",
    "failures",
    "foreman",
    "job_states",
    "jobs",
    "memory",
    "queue",
    "rate",
    "run",
    "slots",
    "throughput",
    "why",
    "worker_states",
    "workers",
  ].sort(),
  job: [
    ...COMMON,
    "advice",
    "counts",
    "errors",
    "failures",
    "failures_grouped",
    "grid",
    "job",
    "rate",
    "run",
    "slots",
    "submitted_from",
    "tasks",
    "throughput",
    "wait",
    "what",
  ].sort(),
  task: [
    ...COMMON,
    "attempts",
    "error",
    "exit_code",
    "history",
    "index",
    "input_bytes",
    "input_text",
    "job",
    "log",
    "not_before",
    "result_bytes",
    "result_text",
    "run_seconds",
    "running_seconds",
    "signal",
    "state",
    "stderr_text",
    "task_id",
    "why",
    "worker",
  ].sort(),
  worker: [
    ...COMMON,
    "busy",
    "cpu",
    "failures",
    "lane_jobs",
    "lanes",
    "memory",
    "offer",
    "recent_failures",
    "round_trip_ms",
    "tasks",
    "throughput",
    "why",
    "worker",
  ].sort(),
};
