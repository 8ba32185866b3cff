/** What functions print, by whichever way, and what is left of it when they take their process down. */
import { afterEach, expect, test } from "bun:test";
import { startTestExecutor, type TestExecutor } from "../test-executor.ts";

let executor: TestExecutor | null = null;
afterEach(() => executor?.close());

const start = (source: string): TestExecutor => {
  executor = startTestExecutor(source);
  return executor;
};

const textOf = (pieces: readonly (readonly [string, string])[]): string =>
  pieces.map(([, text]) => text).join("");

/** What one millisecond parts and another joins. */
const joined = (pieces: readonly (readonly [string, string])[]): [string, string][] =>
  pieces.reduce<[string, string][]>((all, [stream, text]) => {
    const last = all.at(-1);
    if (last?.[0] === stream) last[1] += text;
    else all.push([stream, text]);
    return all;
  }, []);

/** As many as it stands for, where it is a gap. */
const bytesOf = (pieces: readonly (readonly [string, string])[]): number =>
  pieces.reduce(
    (sum, [stream, text]) => sum + (stream === "gap" ? Number(text) : Buffer.byteLength(text)),
    0,
  );

test("console, ctx.log and the standard streams come in order, each with its stream, before the result", async () => {
  const { start: run, printed } = start(`
    export default async (input, ctx) => {
      console.log("one", { two: 2 });
      process.stdout.write("three\\n");
      process.stderr.write("four\\n");
      ctx.log("five");
      await 0;
      console.error("six");
    };`);
  const batch = run([1]);
  await batch.reported(0);
  expect(joined(printed(batch.batchId, 0))).toEqual([
    ["log", "one { two: 2 }\n"],
    ["stdout", "three\n"],
    ["stderr", "four\n"],
    ["log", "five\nsix\n"],
  ]);
});

test("each task has its own log, also one that is printed into after its end", async () => {
  const {
    start: run,
    printed,
    untilPrinted,
  } = start(`
    let later;
    export default async (input) => {
      console.log("task", input);
      if (input === 0) {
        later = Promise.withResolvers();
        later.promise.then(() => console.log("late"));
        return;
      }
      later.resolve();
      await new Promise((done) => setTimeout(done));
      console.log("end");
    };`);
  const batch = run([0, 1]);
  await batch.ended;
  await untilPrinted(batch.batchId, 0, "late");
  expect(textOf(printed(batch.batchId, 0))).toBe("task 0\nlate\n");
  expect(textOf(printed(batch.batchId, 1))).toBe("task 1\nend\n");
});

test("a task that ends or destroys its streams takes nothing from the next one", async () => {
  const { start: run, printed } = start(`
    export default async (input) => {
      process.stdout.write("task " + input + "\\n");
      await new Promise((done) => process.stdout.end("end\\n", done));
      process.stderr.destroy();
      process.stderr.write("still\\n");
    };`);
  const batch = run([0, 1]);
  await batch.ended;
  for (const row of [0, 1]) {
    expect(joined(printed(batch.batchId, row))).toEqual([
      ["stdout", `task ${row}\nend\n`],
      ["stderr", "still\n"],
    ]);
  }
});

test("what a task prints leaves while it runs", async () => {
  const {
    start: run,
    untilPrinted,
    child,
  } = start(`
    export default () => {
      console.log("here");
      return new Promise(() => { setInterval(() => {}, 1000); });
    };`);
  const batch = run([1]);
  await untilPrinted(batch.batchId, 0, "here");
  child.kill();
  await batch.ended;
});

test("what a task has printed that never pauses is found while it runs", async () => {
  const {
    start: run,
    printed,
    child,
  } = start(`
    export default () => { console.log("spinning"); for (;;) {} };`);
  const batch = run([1]);
  while (printed(batch.batchId, 0).length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
    child.collectPrinted();
  }
  child.collectPrinted();
  expect(textOf(printed(batch.batchId, 0))).toBe("spinning\n");
  child.kill();
  await batch.ended;
  expect(textOf(printed(batch.batchId, 0))).toBe("spinning\n");
});

test("the last words before a crash are kept", async () => {
  const { start: run, printed } = start(`
    export default (input) => {
      console.log("task", input);
      if (input === 1) process.kill(process.pid, "SIGKILL");
    };`);
  const batch = run([0, 1]);
  await batch.ended;
  expect(textOf(printed(batch.batchId, 0))).toBe("task 0\n");
  expect(textOf(printed(batch.batchId, 1))).toBe("task 1\n");
});

test("what goes past the console is the running task's: descriptors and children", async () => {
  const {
    start: run,
    printed,
    untilPrinted,
  } = start(`
    import { writeSync } from "node:fs";
    import { spawn } from "node:child_process";
    export default (input) => new Promise((resolve) => {
      writeSync(2, "raw\\n");
      const child = spawn("/bin/sh", ["-c", "echo child; echo error >&2"], { stdio: "inherit" });
      child.on("exit", () => setTimeout(resolve, 50));
    });`);
  const batch = run([1]);
  await batch.ended;
  await untilPrinted(batch.batchId, 0, "child");
  const pieces = printed(batch.batchId, 0);
  expect(textOf(pieces.filter(([stream]) => stream === "stdout"))).toBe("child\n");
  expect(textOf(pieces.filter(([stream]) => stream === "stderr"))).toBe("raw\nerror\n");
});

test("a flood leaves its head and its tail, and counts every byte between", async () => {
  const { start: run, printed } = start(`
    export default (count) => {
      for (let i = 0; i < count; i++) console.log(String(i).padStart(99, "."));
    };`);
  const batch = run([300_000]);
  await batch.ended;
  const pieces = printed(batch.batchId, 0);
  expect(bytesOf(pieces)).toBe(30_000_000);
  expect(textOf(pieces)).toStartWith(`${"0".padStart(99, ".")}\n${"1".padStart(99, ".")}\n`);
  expect(textOf(pieces)).toEndWith(`${"299999".padStart(99, ".")}\n`);
  expect(pieces.some(([stream]) => stream === "gap")).toBe(true);
  const kept = textOf(pieces.filter(([stream]) => stream !== "gap"));
  expect(kept.length).toBeLessThan(8 * 1024 * 1024);
});

test("a single text larger than all that is kept leaves its end", async () => {
  const { start: run, printed } = start(`
    export default () => console.log("x".repeat(3_000_000) + "end");`);
  const batch = run([1]);
  await batch.ended;
  const pieces = printed(batch.batchId, 0);
  expect(bytesOf(pieces)).toBe(3_000_004);
  expect(textOf(pieces)).toEndWith("xxxend\n");
});
