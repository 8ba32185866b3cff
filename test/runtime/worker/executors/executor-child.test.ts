import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KEPT_OUTPUT_BYTES, VALUE_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { ExecutorChildOptions } from "../../../../src/runtime/worker/executors/executor-interface.ts";
import { eventually, processesWith, uniqueSeconds } from "../processes.ts";
import {
  type BatchReport,
  failureOf,
  resultOf,
  startTestExecutor,
  summary,
  type TestExecutor,
  testJob,
} from "../test-executor.ts";

const executors: TestExecutor[] = [];
afterEach(async () => {
  await Promise.all(executors.splice(0).map((executor) => executor.close()));
});

function start(source: string, changes: Partial<ExecutorChildOptions> = {}): TestExecutor {
  const executor = startTestExecutor(source, changes);
  executors.push(executor);
  return executor;
}

/** A process that spins for so many milliseconds cannot be told anything. */
const BLOCK =
  "const block = (ms) => { const until = performance.now() + ms; while (performance.now() < until); };";

describe("a batch", () => {
  test("gives every row's value, in order, for synchronous and asynchronous tasks", async () => {
    const executor = start("export default (x) => (x % 2 ? x * x : Promise.resolve(x * x));");
    expect(summary(await executor.run([1, 2, 3, 4]))).toEqual([
      [0, 1],
      [1, 4],
      [2, 9],
      [3, 16],
    ]);
  });

  test("carries every kind of value in and out", async () => {
    const executor = start("export default (x) => x;");
    const values = [
      undefined,
      null,
      true,
      -0,
      1.5,
      123456789012345,
      1234567890123456,
      "",
      "héllo 🎈",
      "0123",
      [1, [2]],
      { a: { b: [undefined] } },
      new Date(5),
      10n ** 30n,
      new Uint8Array([0, 255]),
      new Map([[1, new Set(["x"])]]),
      Number.NaN,
      "x".repeat(300_000),
      { big: "é".repeat(200_000) },
    ];
    const report = await executor.run(values);
    expect(values.map((_, row) => resultOf(report, row))).toEqual(values);
  });

  test("of ten thousand rows in two batches at a time is reported once each", async () => {
    const executor = start("export default (x) => x + 1;");
    const inputs = Array.from({ length: 2_500 }, (_, i) => i);
    const reports: BatchReport[] = [];
    for (let round = 0; round < 2; round++) {
      const batches = [executor.start(inputs), executor.start(inputs)];
      expect(executor.child.batchCount).toBe(2);
      reports.push(...(await Promise.all(batches.map(({ ended }) => ended))));
    }
    for (const report of reports) {
      expect(report.rows.size).toBe(2_500);
      expect(inputs.every((input) => resultOf(report, input) === input + 1)).toBe(true);
    }
  });

  test("reports a finished row while the next one runs, also when that blocks the event loop", async () => {
    const executor = start(
      `${BLOCK} export default async (x) => { if (x === "wait") await Bun.sleep(300); if (x === "block") block(300); return x; };`,
    );
    for (const slow of ["wait", "block"]) {
      const batch = executor.start([1, slow, 3]);
      const startedAtMs = performance.now();
      const poll = setInterval(() => executor.child.inspect(), 10);
      await batch.reported(0);
      expect(performance.now() - startedAtMs).toBeLessThan(250);
      clearInterval(poll);
      expect(summary(await batch.ended)).toEqual([
        [0, 1],
        [1, slow],
        [2, 3],
      ]);
    }
  });

  test("tells tasks who they are, and draws the same random numbers in every attempt", async () => {
    const executor = start(
      "export default (x, ctx) => [ctx.job, ctx.task, ctx.attempt, ctx.metadata, ctx.random()];",
    );
    const indexes = Uint32Array.of(4, 9);
    const first = await executor.run([0, 0], { indexes, attempts: Uint32Array.of(1, 3) });
    const again = await executor.run([0], { indexes: { first: 9 }, attempts: 4 });
    const [job, task, attempt, metadata, random] = resultOf(first, 1) as unknown[];
    expect(job).toEqual({ id: 17, name: "a job", queue: "tests" });
    expect([task, attempt, metadata]).toEqual([{ id: "17/9", index: 9 }, 3, { kind: "test" }]);
    expect((resultOf(again, 0) as unknown[])[4]).toBe(random);
    expect((resultOf(first, 0) as unknown[])[4]).not.toBe(random);
  });

  test("of another job of the same code runs in the same process with its own names", async () => {
    const executor = start("export default (x, ctx) => [ctx.job.id, ctx.job.name, process.pid];");
    const other = { ...testJob, jobId: 18, name: "another" };
    const [one, two] = [await executor.run([0]), await executor.run([0], { job: other })];
    expect(resultOf(one, 0)).toEqual([17, "a job", executor.child.pid]);
    expect(resultOf(two, 0)).toEqual([18, "another", executor.child.pid]);
  });

  test("measures each row's own time", async () => {
    const executor = start(`${BLOCK} export default (ms) => block(ms);`);
    const report = await executor.run([1, 30, 1]);
    const runUs = [...report.rows.values()].map((row) => row.runUs);
    expect(runUs[1]).toBeWithin(30_000, 60_000);
    expect(runUs[2]).toBeLessThan(20_000);
  });
});

describe("setup and folders", () => {
  test("setup runs once a process and its value is ctx.setup", async () => {
    const executor = start(
      "let n = 0; export const setup = async (ctx) => ({ n: ++n, job: ctx.job.name }); export default (x, ctx) => ctx.setup;",
    );
    const [one, two] = [await executor.run([0, 0]), await executor.run([0])];
    expect(summary(one)).toEqual([
      [0, { n: 1, job: "a job" }],
      [1, { n: 1, job: "a job" }],
    ]);
    expect(resultOf(two, 0)).toEqual({ n: 1, job: "a job" });
  });

  test("a setup that throws fails the task it was for and is tried again with the next", async () => {
    const executor = start(
      "let n = 0; export const setup = () => { if (++n < 2) throw new Error('no model'); return n; }; export default (x, ctx) => ctx.setup;",
    );
    expect(summary(await executor.run([0, 0]))).toEqual([
      [0, "error: no model"],
      [1, 2],
    ]);
  });

  test("a module whose top level throws fails its tasks with what it threw", async () => {
    const executor = start("throw new TypeError('bad top level'); export default 1;");
    const report = await executor.run([0, 0]);
    expect(summary(report)).toEqual([
      [0, "error: TypeError: bad top level"],
      [1, "error: TypeError: bad top level"],
    ]);
  });

  test("ctx.dir is a fresh folder that is removed after the task", async () => {
    const executor = start(
      "import fs from 'node:fs'; export default (x, ctx) => { fs.writeFileSync(ctx.dir + '/f', ''); return [ctx.dir, ctx.dir, fs.readdirSync(ctx.dir), process.cwd()]; };",
    );
    const report = await executor.run([0, 0]);
    const [one, two] = [0, 1].map(
      (row) => resultOf(report, row) as [string, string, string[], string],
    );
    expect([one?.[0], one?.[2]]).toEqual([one?.[1], ["f"]]);
    expect(one?.[0]).not.toBe(two?.[0]);
    expect(one?.[3]).toBe(executor.scratchFolder);
    expect(readdirSync(executor.scratchFolder)).toEqual([]);
  });

  test("the environment is what was given, and what we would obey ourselves comes afterwards", async () => {
    const executor = start("export default (name) => process.env[name];", {
      environment: {
        atStart: { PATH: "/bin", CC_SLOT: "1" },
        afterStart: { BUN_OPTIONS: "--preload /no/such/file", NODE_ENV: "production" },
      },
    });
    const report = await executor.run(["CC_SLOT", "BUN_OPTIONS", "NODE_ENV", "HOME"]);
    expect(summary(report).map((row) => (row as unknown[])[1])).toEqual([
      "1",
      "--preload /no/such/file",
      "production",
      undefined,
    ]);
  });
});

describe("a task that fails", () => {
  test("fails alone, with its message, its place and its own console", async () => {
    const executor = start(
      "export default (x, ctx) => {\n  console.log('seen', x, { a: 1 }); ctx.log('and', x);\n  if (x === 1) throw new RangeError('too much');\n  if (x === 2) return Promise.reject(new Error('later'));\n  return x;\n};",
    );
    const report = await executor.run([0, 1, 2, 3]);
    expect(summary(report)).toEqual([
      [0, 0],
      [1, "error: RangeError: too much"],
      [2, "error: later"],
      [3, 3],
    ]);
    const failure = failureOf(report, 1);
    expect(failure.stack).toContain("job.mjs:3:");
    expect(failure.console).toBe("seen 1 { a: 1 }\nand 1\n");
    expect(failureOf(report, 2).console).toBe("seen 2 { a: 1 }\nand 2\n");
  });

  test("may throw anything", async () => {
    const executor = start(
      "const things = ['text', 7, null, undefined, { message: 'like an error' }]; export default (i) => { throw things[i]; };",
    );
    const report = await executor.run([0, 1, 2, 3, 4]);
    expect(summary(report)).toEqual([
      [0, "error: text"],
      [1, expect.stringContaining("7 was thrown")],
      [2, expect.stringContaining("null was thrown")],
      [3, expect.stringContaining("undefined was thrown")],
      [4, "error: like an error"],
    ]);
  });

  test("returns what cannot be carried: unserializable, with the path inside the value", async () => {
    const executor = start("export default (x) => (x ? { rows: [1, { f() {} }] } : 0);");
    expect(summary(await executor.run([1, 0]))).toEqual([
      [0, "unserializable: The value at .rows[1].f is a function, which cannot be carried."],
      [1, 0],
    ]);
  });

  test("returns exactly the largest value, or one byte more: result_too_large", async () => {
    const executor = start("export default (n) => (n < 0 ? 'x'.repeat(-n) : new Uint8Array(n));");
    const largest = VALUE_BYTES_MAX - 1;
    const report = await executor.run([largest, largest + 1, -(largest - 2), -(largest - 1), 3]);
    expect((resultOf(report, 0) as Uint8Array).byteLength).toBe(largest);
    expect(failureOf(report, 1)).toMatchObject({
      code: "result_too_large",
      message: `The result takes ${VALUE_BYTES_MAX + 1} bytes; at most 8 MiB are carried.`,
    });
    expect((resultOf(report, 2) as string).length).toBe(largest - 2);
    expect(failureOf(report, 3).code).toBe("result_too_large");
    expect(resultOf(report, 4)).toEqual(new Uint8Array(3));
  });

  test("keeps the last 64 KiB of its console", async () => {
    const executor = start(
      "export default () => { for (let i = 0; i < 9_000; i++) console.log('line', i); throw new Error('x'); };",
    );
    const { console: printed } = failureOf(await executor.run([0]), 0);
    expect(printed?.length).toBeWithin(65_000, 66_000);
    expect(printed).toStartWith("… ");
    expect(printed).toEndWith("line 8998\nline 8999\n");
  });

  test("is classified by its author", async () => {
    const executor = start(
      "export const classifyError = (e) => ({ code: 'bad_input', permanent: true }); export default () => { throw new Error('x'); };",
    );
    expect(failureOf(await executor.run([0]), 0)).toMatchObject({
      code: "bad_input",
      permanent: true,
    });
  });
});

/** The channel is not where a program would look for one. */
const CHANNEL =
  "import fs from 'node:fs'; const channel = Math.max(...fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; } }));";
const BROKEN =
  "The task's process closed or wrote to the channel over which results are sent, and its result was lost.";

describe("a task that ends its process", () => {
  const neighbours = (source: string) =>
    `${BLOCK} export default (x, ctx) => { console.log('row', x); if (x === 'end') { ${source} } return x; };`;

  async function runEnding(source: string): Promise<[TestExecutor, BatchReport, BatchReport]> {
    const executor = start(neighbours(source));
    const one = executor.start([1, 2, "end", 4, 5]);
    const two = executor.start([6]);
    const reports = await Promise.all([one.ended, two.ended]);
    await executor.gone;
    expect(executor.child.isUsable).toBe(false);
    return [executor, ...reports];
  }

  test("by process.exit fails as exited; its neighbours are neither lost nor failed", async () => {
    const [, one, two] = await runEnding("process.exit(0);");
    expect(summary(one)).toEqual([
      [0, 1],
      [1, 2],
      [2, "exited: The task's process ended with status 0 before the task did."],
    ]);
    expect(failureOf(one, 2).console).toBe("row end\n");
    expect([two.rows.size, two.refusal, one.refusal]).toEqual([0, null, null]);
  });

  test("by SIGKILL fails as signal, and keeps what it had printed", async () => {
    const [, one, two] = await runEnding("process.kill(process.pid, 'SIGKILL'); block(5000);");
    expect(summary(one)).toEqual([
      [0, 1],
      [1, 2],
      [2, "signal: The task's process was ended by SIGKILL."],
    ]);
    expect(failureOf(one, 2).console).toBe("row end\n");
    expect(two.rows.size).toBe(0);
  });

  test("by a fault of memory fails as signal", async () => {
    const [, one] = await runEnding(
      "const { dlopen, ptr } = require('bun:ffi'); const libc = dlopen('libc.so.6', { raise: { args: ['i32'], returns: 'i32' } }); libc.symbols.raise(11);",
    );
    expect(one.rows.size).toBe(3);
    expect(["signal", "exited"]).toContain(failureOf(one, 2).code);
  });

  test("after an await, or from a timer, is blamed all the same", async () => {
    const executor = start(
      "export default async (x) => { if (x === 1) setTimeout(() => process.exit(7), 10); await Bun.sleep(50); return x; };",
    );
    expect(summary(await executor.run([0, 1, 2]))).toEqual([
      [0, 0],
      [1, "exited: The task's process ended with status 7 before the task did."],
    ]);
  });

  test("at the module's top level is blamed on the first task", async () => {
    const executor = start("process.exit(3); export default () => 1;");
    const report = await executor.run([0, 0]);
    expect(summary(report)).toEqual([
      [0, "exited: The task's process ended with status 3 before the task did."],
    ]);
    expect(report.refusal).toBeNull();
  });

  test("by taking the channel away loses no result, and the rows behind it never start", async () => {
    const executor = start(
      `${CHANNEL} export default async (x) => { if (x === 1) fs.closeSync(channel); await Bun.sleep(20); return x; };`,
    );
    const report = await executor.run([0, 1, 2]);
    expect(summary(report)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    await executor.gone;
  });

  test("by closing or writing to descriptors it counts up to harms nobody", async () => {
    const executor = start(
      "import fs from 'node:fs'; export default (x) => { for (let fd = 3; fd < 10; fd++) { try { x % 2 ? fs.closeSync(fd) : fs.writeSync(fd, 'garbage'); } catch {} } return x; };",
    );
    expect(summary(await executor.run([3]))).toEqual([[0, 3]]);
    const other = start(
      "import fs from 'node:fs'; export default (x) => { fs.writeSync(3, 'x'); return x; };",
    );
    expect(summary(await other.run([0, 1, 2]))).toEqual([0, 1, 2].map((x) => [x, x]));
  });

  test("by writing into the channel: nothing that has run comes back as if it had not", async () => {
    const executor = start(
      `${BLOCK} ${CHANNEL} export default (x) => { block(2); fs.appendFileSync('ran', x + '\\n'); if (x === 1) fs.writeSync(channel, 'x'.repeat(100)); return x; };`,
    );
    const report = await executor.run([0, 1, 2, 3, 4, 5, 6, 7]);
    // Each that ran is reported, and one more where it was ended in between.
    const ran = readFileSync(join(executor.scratchFolder, "ran"), "utf8").trimEnd().split("\n");
    const reported = [...report.rows.keys()].sort();
    expect(reported.slice(0, ran.length)).toEqual(ran.map(Number));
    expect(reported.length - ran.length).toBeWithin(0, 2);
  });

  test("by writing into the channel fails alone", async () => {
    const executor = start(
      `${CHANNEL} export default async (x) => { if (x === 1) { fs.writeSync(channel, 'x'.repeat(100)); await Bun.sleep(10_000); } return x; };`,
    );
    const report = await executor.run([0, 1, 2]);
    expect(summary(report)).toEqual([
      [0, 0],
      [1, `exited: ${BROKEN}`],
    ]);
  }, 15_000);

  test("and leaves children behind takes them along", async () => {
    const seconds = uniqueSeconds();
    const [, one] = await runEnding(
      `Bun.spawn(['setsid', 'sleep', '${seconds}']); Bun.sleepSync(100); process.exit(1);`,
    );
    expect(one.rows.size).toBe(3);
    expect(processesWith(seconds)).toEqual([]);
  });

  test("while others print to the process's own stdout shows what they wrote", async () => {
    const executor = start(
      "export default () => { process.stdout.write('direct '.repeat(100_000)); process.stderr.write('fatal: no licence\\n'); process.exit(2); };",
    );
    const failure = failureOf(await executor.run([0]), 0);
    expect(failure.console).toEndWith("fatal: no licence\n");
    expect(failure.console?.length).toBeLessThanOrEqual(KEPT_OUTPUT_BYTES + 100);
  });
});

describe("a time-out", () => {
  test("of a task that waits aborts ctx.signal and fails it; rows behind it never start", async () => {
    const executor = start(
      "export default (x, ctx) => x === 1 ? new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('saw ' + ctx.signal.reason)))) : x;",
    );
    const startedAtMs = performance.now();
    const report = await executor.run([0, 1, 2], { timeoutMs: 200 });
    expect(summary(report)).toEqual([
      [0, 0],
      [1, "timeout: The task ran longer than its time-out of 0.2 s."],
    ]);
    expect(performance.now() - startedAtMs).toBeLessThan(1_500);
    await executor.gone;
  });

  test("of a task that blocks its event loop ends it all the same", async () => {
    const executor = start(
      "export default (x) => { console.log('spinning'); if (x === 1) for (;;); return x; };",
    );
    const report = await executor.run([0, 1, 2], { timeoutMs: 200 });
    expect(summary(report)).toEqual([
      [0, 0],
      [1, "timeout: The task ran longer than its time-out of 0.2 s."],
    ]);
    expect(failureOf(report, 1).console).toBe("spinning\n");
    expect(report.rows.get(1)?.runUs).toBeGreaterThan(200_000);
  });

  test("counts from each row's own start", async () => {
    const executor = start("export default async (x) => { await Bun.sleep(x); return x; };");
    const inputs = [120, 120, 120, 120, 1000, 1];
    const report = await executor.run(inputs, { timeoutMs: 300 });
    expect(summary(report).map((row) => (row as unknown[])[1])).toEqual([
      120,
      120,
      120,
      120,
      "timeout: The task ran longer than its time-out of 0.3 s.",
    ]);
  });

  test("also bounds setup", async () => {
    const executor = start(
      "export const setup = () => new Promise(() => {}); export default () => 1;",
    );
    expect(summary(await executor.run([0, 0], { timeoutMs: 200 }))).toEqual([
      [0, "timeout: The task ran longer than its time-out of 0.2 s."],
    ]);
  });

  test("of a task that ignores SIGTERM kills it and its children after five seconds", async () => {
    const seconds = uniqueSeconds();
    const executor = start(
      `process.on('SIGTERM', () => {}); export default async () => { Bun.spawn(['sh', '-c', "trap '' TERM; sleep ${seconds}; sleep ${seconds}"]); await Bun.sleep(100_000); };`,
    );
    const startedAtMs = performance.now();
    const report = await executor.run([0], { timeoutMs: 100 });
    expect(failureOf(report, 0).code).toBe("timeout");
    expect(performance.now() - startedAtMs).toBeWithin(5_000, 8_000);
    expect(processesWith(seconds)).toEqual([]);
  }, 12_000);
});

describe("taking rows back", () => {
  test("recalls what has not started from an executor that is too busy to listen", async () => {
    const executor = start(`${BLOCK} export default (x) => { block(x); return x; };`);
    const batch = executor.start([1, 400, 1, 1]);
    const behind = executor.start([1]);
    expect(await eventually(() => executor.child.inspect()?.row === 1, 2_000)).toBe(true);
    expect(executor.child.recall(batch.batchId)).toBe(2);
    expect(executor.child.recall(behind.batchId)).toBe(0);
    expect(summary(await batch.ended)).toEqual([
      [0, 1],
      [1, 400],
    ]);
    expect((await behind.ended).rows.size).toBe(0);
    expect(summary(await executor.run([5]))).toEqual([[0, 5]]);
  });

  test("inspect says which row runs and since when, and nothing when none does", async () => {
    const executor = start("export default (x) => Bun.sleep(x);");
    expect(executor.child.inspect()).toBeNull();
    const batch = executor.start([1, 300]);
    expect(await eventually(() => executor.child.inspect()?.row === 1, 2_000)).toBe(true);
    await Bun.sleep(100);
    const running = executor.child.inspect();
    expect(running?.batchId).toBe(batch.batchId);
    expect(running?.runningUs).toBeWithin(80_000, 280_000);
    await batch.ended;
    expect(executor.child.inspect()).toBeNull();
  });

  test("cancelled rows that have not started are gone at once, and the others go on", async () => {
    const executor = start(`${BLOCK} export default (x) => { block(x); return x; };`);
    const batch = executor.start([200, 1, 2, 3]);
    expect(await eventually(() => executor.child.inspect() !== null, 2_000)).toBe(true);
    executor.child.cancelRows(batch.batchId, Uint32Array.of(1, 3), "not wanted");
    const report = await batch.ended;
    expect(summary(report)).toEqual([
      [0, 200],
      [2, 2],
    ]);
    expect(report.goneRows).toEqual([1, 3]);
    expect(executor.child.isUsable).toBe(true);
  });

  test("a cancelled row that runs is aborted with the reason, then its whole tree is ended", async () => {
    const seconds = uniqueSeconds();
    const executor = start(
      `import fs from 'node:fs'; export default (x, ctx) => new Promise((resolve) => { Bun.spawn(['setsid', 'sleep', '${seconds}']); ctx.signal.addEventListener('abort', () => { fs.writeFileSync('../reason', String(ctx.signal.reason)); resolve(1); }); });`,
    );
    const batch = executor.start([0, 1]);
    expect(await eventually(() => processesWith(seconds).length > 0, 2_000)).toBe(true);
    executor.child.cancelRows(batch.batchId, Uint32Array.of(0), "not wanted");
    expect(executor.child.isUsable).toBe(false);
    const report = await batch.ended;
    expect(processesWith(seconds)).toEqual([]);
    expect(readFileSync(join(executor.folder, "reason"), "utf8")).toBe("not wanted");
    expect([report.goneRows, report.refusal]).toEqual([[], null]);
  });

  test("a cancelled row that blocks its event loop is reported gone when it is", async () => {
    const executor = start("export default (x) => { if (x === 1) for (;;); return x; };");
    const batch = executor.start([0, 1, 2]);
    expect(await eventually(() => executor.child.inspect()?.row === 1, 2_000)).toBe(true);
    executor.child.cancelRows(batch.batchId, Uint32Array.of(1, 2), "stop");
    const report = await batch.ended;
    expect([summary(report), report.goneRows.toSorted()]).toEqual([[[0, 0]], [1, 2]]);
  });

  test("kill ends a batch at once and reports nothing of what ran", async () => {
    const executor = start("export default (x) => (x === 1 ? new Promise(() => {}) : x);");
    const batch = executor.start([0, 1, 2]);
    await batch.reported(0);
    executor.child.kill();
    expect(summary(await batch.ended)).toEqual([[0, 0]]);
    await executor.gone;
  });
});

describe("an executor", () => {
  test("that takes more memory than allowed fails its task as out_of_memory", async () => {
    const executor = start(
      "export default () => { const held = []; for (;;) { held.push(new Uint8Array(8 << 20).fill(1)); Bun.sleepSync(10); } };",
      { memoryBytesMax: 300 * 2 ** 20 },
    );
    expect(summary(await executor.run([0]))).toEqual([
      [0, "out_of_memory: The task's processes used more memory than the 300 MiB it asked for."],
    ]);
  }, 15_000);

  test("that cannot start refuses its batch and says why", async () => {
    const executor = start("export default () => 1;", {
      command: ["/bin/sh", "-c", "echo no such library >&2; exit 9"],
    });
    const report = await executor.run([0]);
    expect(report.refusal).toBe("the executor ended with status 9 at its start: no such library");
    expect(report.rows.size).toBe(0);
  });

  test("whose command does not exist is refused with the hint where to look", () => {
    const folder = "/tmp";
    expect(() => start("", { command: ["/no/such/program"], scratchFolder: folder })).toThrow(
      /could not start an executor/,
    );
  });

  test("ends itself when its worker closes it, and runs exit handlers", async () => {
    const executor = startTestExecutor(
      "import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync('../ended', '')); export default () => 1;",
    );
    await executor.run([0]);
    await executor.child.close();
    expect(existsSync(join(executor.folder, "ended"))).toBe(true);
    await executor.close();
  });

  test("leaves no name of its shared memory behind", async () => {
    const executor = start("export default () => 1;");
    await executor.run([0]);
    const left = existsSync("/dev/shm") ? readdirSync("/dev/shm") : [];
    const own = readFileSync(`/proc/${executor.child.pid}/maps`, "utf8");
    const mapped = /crowdcompute-[0-9a-f-]{36}/.exec(own)?.[0] ?? "";
    expect(mapped).not.toBe("");
    expect(left).not.toContain(mapped);
  });
});
