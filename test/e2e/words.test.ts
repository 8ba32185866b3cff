// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/** What holds for every verb: help, slips, terminals, colour and closed pipes; and the verbs that ask nobody. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { allCommands } from "../../src/commands/dispatch.ts";
import { BINARY } from "../support/binary.ts";
import { openStage, SETUP_MS, type Stage, shell } from "./stage.ts";

const MANY = `
export const options = { name: "many" };
export const inputs = Array.from({ length: 20000 }, (_, n) => n);
export default (n: number) => "value " + n;
`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(["--workers", "1"]);
  stage.file("many.ts", MANY);
  await stage.cc(["submit", "-q", "-o", "out.txt", "many.ts"]);
}, SETUP_MS);
afterAll(() => stage.close());

async function refused(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await stage.cc(args);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  return stderr;
}

describe("help", () => {
  test("of every verb begins with what it does and has an example", async () => {
    for (const { table } of allCommands()) {
      const { stdout, stderr, exitCode } = await stage.cc([table.verb, "--help"]);
      expect({ verb: table.verb, stderr, exitCode }).toEqual({
        verb: table.verb,
        stderr: "",
        exitCode: 0,
      });
      expect(stdout).toStartWith(`cc ${table.verb}: ${table.summary}`);
      expect(stdout).toContain(`\nUsage:\n  cc ${table.verb}`);
      expect(stdout).toMatch(/\nExamples:\n {2}\S/);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  test("of the program lists every verb", async () => {
    const { stdout, exitCode } = await stage.cc(["--help"]);
    expect(exitCode).toBe(0);
    for (const { table } of allCommands()) expect(stdout).toContain(`\n  ${table.verb} `);
    expect((await stage.cc([])).stdout).toBe(stdout);
  });
});

describe("slips", () => {
  test.each([
    [["jbos"], 'cc: There is no verb "jbos".\nhint: Did you mean cc jobs?\n'],
    [["subimt", "job.ts"], 'cc: There is no verb "subimt".\nhint: Did you mean cc submit?\n'],
    [["ls"], 'cc: There is no verb "ls"; here it is "jobs".\nhint: cc jobs --help\n'],
    [["kill", "1"], 'cc: There is no verb "kill"; here it is "cancel".\nhint: cc cancel --help\n'],
    [["help"], 'cc: There is no verb "help".\nhint: cc --help, or cc VERB --help\n'],
    [["jobs", "--stat", "x"], "cc: cc jobs has no option --stat.\nhint: Did you mean --state?\n"],
    [["wait", "1", "-f"], "cc: cc wait has no option -f.\nhint: cc wait --help\n"],
    [["jobs", "--state"], "cc: --state needs a value.\n"],
    [["jobs", "--limit", "few"], 'cc: --limit: "few" is not a whole number of at least 0.\n'],
    [["version", "2"], 'cc: cc version does not take "2".\nhint: cc version --help\n'],
    [["many.ts"], 'cc: "many.ts" is a job file, not a verb.\nhint: cc submit many.ts\n'],
    [
      ["completion", "tcsh"],
      'cc: There is no completion for "tcsh".\nhint: cc completion bash, zsh or fish\n',
    ],
  ])("%j is answered with what was meant", async (args, message) => {
    expect(await refused(...args)).toBe(message);
  });

  test("an address that nobody listens at is said at once, with exit 3", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["jobs", "--foreman", "ws://127.0.0.1:1"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 3 });
    expect(stderr).toBe(
      "cc: No foreman answers at 127.0.0.1:1: nothing listens there.\nhint: Start one with `cc foreman`, or name it with --foreman URL.\n",
    );
  });

  test("a worker's key does not look or steer", async () => {
    const key = join(
      stage.world.env["XDG_CONFIG_HOME"] ?? "",
      "crowdcompute/keys/local-worker.key",
    );
    for (const verb of [["jobs"], ["cancel", "1"], ["wait", "1"]]) {
      const { stdout, stderr, exitCode } = await stage.cc([...verb, "--key-file", key]);
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 3 });
      expect(stderr).toMatch(
        /^cc: The key "\w+" is a worker key and was used by a client\.\nhint: Give a client key with --key-file FILE\.\n$/,
      );
    }
  });
});

describe("on a terminal", () => {
  async function onTerminal(
    args: readonly string[],
    { columns, env = {}, typed }: { columns: number; env?: Record<string, string>; typed?: string },
  ): Promise<{ readonly text: string; readonly exitCode: number }> {
    const decoder = new TextDecoder();
    let text = "";
    const child = Bun.spawn([BINARY, ...args], {
      cwd: stage.world.folder,
      env: { ...stage.world.env, TERM: "xterm-256color", ...env },
      timeout: 20_000,
      terminal: {
        cols: columns,
        rows: 24,
        data(terminal, bytes) {
          text += decoder.decode(bytes, { stream: true });
          if (typed !== undefined && text.endsWith("[y/N] ")) terminal.write(typed);
        },
      },
    });
    const exitCode = await child.exited;
    return { text, exitCode };
  }

  test("tables have colour and fit the width; the least important columns go first", async () => {
    const { text } = await onTerminal(["jobs"], { columns: 60 });
    expect(text).toBe(
      "\x1b[2mID  NAME  STATE      DONE  TASKS  RUNNING  FAILED  RATE  ETA\x1b[22m\r\n" +
        " 1  many  \x1b[32mcompleted\x1b[39m  100%  20.0k        -       -     -    -\r\n",
    );
  });

  test.each([
    ["NO_COLOR", { env: { NO_COLOR: "1" } }, []],
    ["TERM=dumb", { env: { TERM: "dumb" } }, []],
    ["--no-color", {}, ["--no-color"]],
  ])("%s takes the colour away", async (_, options, args) => {
    const { text } = await onTerminal(["jobs", ...args], { columns: 60, ...options });
    expect(text).not.toContain("\x1b");
    expect(text).toContain(" 1  many  completed  100%  20.0k");
  });

  test("what is left out is said below the table, which ends in no row", async () => {
    const { text } = await onTerminal(["tasks", "1", "--limit", "1", "--no-color"], {
      columns: 80,
    });
    expect(text).toEndWith("\r\n… 19,999 more (--limit 0)\r\n");
  });

  test("shutdown asks about unfinished jobs, and no is no", async () => {
    const job = await stage.submit(["--delay", "1h", "--", "true"]);
    const { text, exitCode } = await onTerminal(["shutdown"], { columns: 100, typed: "n\r" });
    expect(text).toStartWith(
      "The foreman has 1 unfinished job; it would go on after its next start. Stop it? [y/N] ",
    );
    expect(exitCode).toBe(1);
    await stage.cc(["cancel", "-q", job]);
  });
});

describe("a closed pipe ends quietly", () => {
  test.each([
    ["tasks 1 --limit 0", "TASK"],
    ["tasks 1 --json", '{"task_id":"1/0"'],
    ["results 1", "value 0"],
    ["results 1 --json", '{"index":0'],
    ["results 1 -f --format csv", "index,status"],
  ])("cc %s | head -1", async (words, first) => {
    const script = `"${BINARY}" ${words} 2>err | head -1; echo "\${PIPESTATUS[0]}"; cat err`;
    const output = shell(stage.world, `bash -c '${script}'`);
    expect(output).toStartWith(first);
    expect(output.split("\n").slice(1)).toEqual(["0", ""]);
  });
});

describe("verbs that ask nobody", () => {
  test("version is one line, or an object", async () => {
    expect((await stage.cc(["version"])).stdout).toMatch(/^crowdcompute \d+\.\d+\.\d+ \(.+\)\n$/);
    const [version] = await stage.json(["version"]);
    expect(version).toMatchObject({ schema: "crowdcompute/v1", version: expect.any(String) });
  });

  test("completion of bash completes verbs", async () => {
    const { stdout, exitCode } = await stage.cc(["completion", "bash"]);
    expect(exitCode).toBe(0);
    stage.file("completion.bash", stdout);
    const script =
      "source completion.bash; COMP_WORDS=(cc re); COMP_CWORD=1; _crowdcompute; echo ${COMPREPLY[*]}";
    const words = shell(stage.world, `bash -c '${script}'`).trim().split(/\s+/).sort();
    expect(words).toEqual(["results", "resume", "retry"]);
  });

  test("init makes a project that runs, and overwrites nothing", async () => {
    const made = await stage.cc(["init", "project"]);
    expect([made.stdout, made.stderr, made.exitCode]).toEqual([
      "created project/job.ts\ncreated project/tsconfig.json\ncreated project/crowdcompute.d.ts\ncreated project/.gitignore\n",
      "Next:\n  cd project\n  cc submit job.ts\n",
      0,
    ]);
    const folder = join(stage.world.folder, "project");
    expect(readdirSync(folder).sort()).toEqual([
      ".gitignore",
      "crowdcompute.d.ts",
      "job.ts",
      "tsconfig.json",
    ]);
    const run = await stage.cc(["submit", "job.ts", "--", "3"], { cwd: folder });
    expect([run.stdout.slice(0, 3), run.exitCode]).toEqual(["3.1", 0]);
    const again = await stage.cc(["init", "project"]);
    expect(again.stderr).toStartWith("nothing to do: all files exist\n");
  });
});
