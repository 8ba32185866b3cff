// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text here is shell code
/** `cc logs` on the binary: what functions and commands print, by whom, in which order, and how it is asked for. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BINARY } from "../support/binary.ts";
import { openTerminal } from "../support/terminal/terminal.ts";
import { GATED, openStage, SETUP_MS, type Stage } from "./stage.ts";

const TALKING = `
export const inputs = [0, 1, 2];
export default async (n: number, ctx: { log: (...values: unknown[]) => void }) => {
  console.log("begin", n);
  process.stdout.write("out " + n + "\\n");
  process.stderr.write("err " + n + "\\n");
  ctx.log("end", n);
  if (n === 1) throw new Error("one is wrong");
  return n;
};
`;
const MENDED = `
export const inputs: number[] = [];
export default (n: number) => console.log("mended", n);
`;

let stage: Stage;
let functions: string;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2", "--max-cpu", "100"]);
  stage.file("talking.ts", TALKING);
  stage.file("mended.ts", MENDED);
  const { stderr } = await stage.cc(["submit", "talking.ts"]);
  functions = /job (\d+) failed: 2 completed, 1 failed/.exec(stderr)?.[1] ?? "none";
}, SETUP_MS);
afterAll(() => stage.close());

const linesOf = (n: number): string[] => [`begin ${n}`, `out ${n}`, `err ${n}`, `end ${n}`];

async function logs(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await stage.cc(["logs", ...args]);
  if (exitCode !== 0) throw new Error(`cc logs ended with ${exitCode}: ${stderr}`);
  return stdout;
}

async function run(script: string): Promise<string> {
  const { stderr } = await stage.cc(["submit", "--", "sh", "-c", script]);
  return /job (\d+) /.exec(stderr)?.[1] ?? "none";
}

describe("the log of a function", () => {
  test("has its console, its context's log and its streams, in order, nothing else", async () => {
    expect(await logs(`${functions}/2`)).toBe(`${linesOf(2).join("\n")}\n`);
  });

  test("of a job has each task's lines in their order, with the task before them", async () => {
    const lines = (await logs(functions)).trim().split("\n");
    expect(lines.length).toBe(12);
    for (const n of [0, 1, 2]) {
      const own = lines.filter((line) => line.startsWith(`${functions}/${n} | `));
      expect(own).toEqual(linesOf(n).map((line) => `${functions}/${n} | ${line}`));
    }
  });

  test("is chosen by failure, stream and number of lines", async () => {
    expect(await logs(functions, "--failed", "--tail", "1")).toBe(`${functions}/1 | end 1\n`);
    expect(await logs(`${functions}/0`, "--stderr")).toBe("begin 0\nerr 0\nend 0\n");
    expect(await logs(`${functions}/0`, "--tail", "2")).toBe("err 0\nend 0\n");
    expect(await logs(functions, "--tail", "0")).toBe("");
    expect(await logs(functions, "--since", "1h")).toBe(await logs(functions));
    expect(await logs(functions, "--since", "2100-01-01")).toBe("");
  });

  test("as JSON has task, attempt, stream and time", async () => {
    const lines = await stage.json(["logs", `${functions}/0`]);
    expect(lines.map(({ stream, text }) => [stream, text])).toEqual([
      ["log", "begin 0"],
      ["stdout", "out 0"],
      ["stderr", "err 0"],
      ["log", "end 0"],
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({
        schema: "crowdcompute/v1",
        task_id: `${functions}/0`,
        attempt: 1,
      });
      expect(String(line["time"])).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/);
    }
  });

  test("has the attempts of a task that was retried, each for itself too", async () => {
    await stage.cc(["retry", functions, "--with", "mended.ts"]);
    expect(await logs(`${functions}/1`)).toBe(`${linesOf(1).join("\n")}\nmended 1\n`);
    expect(await logs(`${functions}/1`, "--attempt", "1")).toBe(`${linesOf(1).join("\n")}\n`);
    expect(await logs(`${functions}/1`, "--attempt", "0")).toBe("mended 1\n");
    expect(await logs(functions, "--attempt", "2")).toBe(`${functions}/1 | mended 1\n`);
    expect(await logs(functions, "--failed")).toBe("");
  });
});

describe("the log of a command", () => {
  test("has both its streams, and stdout is its result all the same", async () => {
    const job = await run("echo out; echo err >&2; printf half");
    expect((await stage.cc(["results", job])).stdout).toBe("out\nhalf");
    const lines = await stage.json(["logs", job]);
    const of = (wanted: string) =>
      lines.filter(({ stream }) => stream === wanted).map(({ text }) => text);
    expect([of("stdout"), of("stderr")]).toEqual([["out", "half"], ["err"]]);
    expect(await logs(job, "--stderr")).toBe("err\n");
  });

  test("is to a pipe byte for byte what was printed", async () => {
    const job = await run("printf '\\033[31mred\\000\\377\\r\\n\\200'");
    const { stdoutBytes } = await stage.cc(["logs", job]);
    expect(Buffer.from(stdoutBytes).toString("latin1")).toBe("\x1b[31mred\x00\xff\r\n\x80");
  });

  test("cannot steer a terminal", async () => {
    const job = await run("printf '\\033]52;c;ZXZpbA==\\007\\033[2Jplain\\233\\n'");
    const terminal = openTerminal({
      command: [BINARY, "logs", job],
      env: stage.world.env,
      cwd: stage.world.folder,
    });
    await terminal.end();
    const bytes = terminal.raw.since(0);
    expect(bytes).toContain("plain");
    expect(bytes).not.toMatch(/(?![\r\n])\p{Cc}/u);
    await terminal.close();
  });

  test("that has printed nothing says so beside it, and an unknown job is refused", async () => {
    const job = await run("true");
    const { stdout, stderr, exitCode } = await stage.cc(["logs", job]);
    expect([stdout, stderr, exitCode]).toEqual(["", `job ${job} has printed nothing\n`, 0]);
    const unknown = await stage.cc(["logs", "999"]);
    expect([unknown.exitCode, unknown.stderr.includes("There is no job 999")]).toEqual([2, true]);
    expect((await stage.cc(["logs", `${job}/7`])).exitCode).toBe(2);
    expect((await stage.cc(["log", job])).stderr).toContain("cc logs");
  });
});

describe("following a log", () => {
  test("says what it waits for, prints lines as they come, and ends with the task", async () => {
    const gate = stage.gate("talker");
    const script = `echo first >&2; read _ < "$1.go"; echo last >&2`;
    const job = await stage.submit([
      "--input",
      JSON.stringify(gate.path),
      "--",
      "sh",
      "-c",
      script,
      "sh",
    ]);
    const follower = stage.start(["logs", job, "-f"]);
    await follower.untilStdout(/^first\n$/);
    await gate.open();
    const { stdout, exitCode } = await follower.ended;
    expect([stdout, exitCode]).toEqual(["first\nlast\n", 0]);
  });

  test("of a job that has printed nothing yet says what it waits for", async () => {
    const gate = stage.gate("silent");
    const job = await stage.submit(["--input", JSON.stringify(gate.path), "--", ...GATED]);
    await gate.started();
    const follower = stage.start(["logs", job, "-f"]);
    await follower.untilStderr(/has printed nothing yet\. Job \d+ runs 1 task/);
    await gate.open();
    expect((await follower.ended).stdout).toBe("silent\n");
  });

  test("begins at the last lines that are asked for", async () => {
    const gate = stage.gate("counter");
    const script = `seq 1 100 >&2; echo ready >&2; read _ < "$1.go"; echo last >&2`;
    const job = await stage.submit([
      "--input",
      JSON.stringify(gate.path),
      "--",
      "sh",
      "-c",
      script,
      "sh",
    ]);
    await stage.start(["logs", job, "-f"]).untilStdout(/ready/);
    const follower = stage.start(["logs", job, "-f", "--tail", "2"]);
    await follower.untilStdout(/ready/);
    await gate.open();
    expect((await follower.ended).stdout).toBe("100\nready\nlast\n");
  });
});
