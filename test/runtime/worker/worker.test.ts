/** Whole workers: tasks in, outcomes out, with real processes. */
import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskOutcome } from "./fake-foreman.ts";
import { eventually, processesWith, uniqueSeconds } from "./processes.ts";
import { commandSpec, functionSpec, startTestWorker, type TestWorker } from "./test-worker.ts";

let running: TestWorker | null = null;

function start(changes: Parameters<typeof startTestWorker>[0] = {}): TestWorker {
  running = startTestWorker(changes);
  return running;
}

afterEach(async () => {
  await running?.close();
  running = null;
});

function textOf(outcome: TaskOutcome): string {
  if (outcome.kind === "command") return new TextDecoder().decode(outcome.outcome.stdout);
  throw new Error(`expected a command's outcome, got ${JSON.stringify(outcome)}`);
}

function codeOf(outcome: TaskOutcome): string {
  if (outcome.kind === "failed") return outcome.failure.code;
  throw new Error(`expected a failure, got ${JSON.stringify(outcome)}`);
}

describe("functions", () => {
  test("run in order of their inputs and give their values, with the code fetched once", async () => {
    const { foreman } = start();
    const sha256 = foreman.addBundle(
      "export default (input, ctx) => [input * 2, ctx.task.index, ctx.attempt, ctx.job.id];",
    );
    await foreman.wait("worker_ready");
    const inputs = Array.from({ length: 300 }, (_, i) => i);
    foreman.assign({ inputs, firstIndex: 50, spec: functionSpec(sha256) });
    for (const index of [50, 51, 200, 349]) {
      expect(await foreman.outcome(index)).toEqual({
        kind: "completed",
        value: [(index - 50) * 2, index, 1, 1],
        attempt: 1,
      });
    }
    expect(foreman.heard.filter(({ type }) => type === "blob_need")).toHaveLength(1);
  });

  test("that fail, exit, hang or return nonsense fail alone; their neighbours run once", async () => {
    const { foreman } = start();
    const sha256 = foreman.addBundle(`
      export default async (input) => {
        if (input === "throw") throw new TypeError("no");
        if (input === "exit") process.exit(3);
        if (input === "kill") process.kill(process.pid, "SIGKILL");
        if (input === "hang") await new Promise(() => {});
        if (input === "spin") for (;;);
        if (input === "odd") return () => {};
        return input;
      };`);
    await foreman.wait("worker_ready");
    const inputs = [
      "a",
      "throw",
      "b",
      "exit",
      "c",
      "kill",
      "d",
      "hang",
      "e",
      "spin",
      "f",
      "odd",
      "g",
    ];
    foreman.assign({ inputs, spec: functionSpec(sha256), timeoutMs: 400 });
    const codes: Record<string, string> = {};
    for (const [index, input] of inputs.entries()) {
      const outcome = await foreman.outcome(index);
      codes[input] = outcome.kind === "completed" ? String(outcome.value) : codeOf(outcome);
    }
    expect(codes).toEqual({
      a: "a",
      throw: "error",
      b: "b",
      exit: "exited",
      c: "c",
      kill: "signal",
      d: "d",
      hang: "timeout",
      e: "e",
      spin: "timeout",
      f: "f",
      odd: "unserializable",
      g: "g",
    });
    const rows = foreman.heard.map((message) =>
      message.type === "task_result" ? message.count : 0,
    );
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(inputs.length);
  }, 30_000);

  test("warm processes are used again, and not shared between owners' environments", async () => {
    const { foreman } = start({ offer: { ...slotsOf(1) } });
    const sha256 = foreman.addBundle("export default () => process.pid + ' ' + process.env.WHO;");
    await foreman.wait("worker_ready");
    const env = (value: string) => ({ WHO: { value, secret: false } });
    const pids: string[] = [];
    for (const [i, who] of ["a", "a", "b", "a"].entries()) {
      const assignment = i + 1;
      const jobId = i + 1;
      foreman.assign({
        assignment,
        jobId,
        inputs: [0],
        spec: functionSpec(sha256, { env: env(who) }),
      });
      const outcome = await foreman.outcome(0, assignment);
      if (outcome.kind !== "completed") throw new Error(JSON.stringify(outcome));
      pids.push(String(outcome.value));
    }
    const [first, second, other, again] = pids;
    expect(second).toBe(first as string);
    expect(again).toBe(first as string);
    expect(other?.endsWith(" b")).toBe(true);
    expect(other?.split(" ")[0]).not.toBe(first?.split(" ")[0] as string);
  });

  test("whose code cannot be had go back as bundle_failed", async () => {
    const { foreman } = start();
    const sha256 = foreman.addBundle("export default () => 1;");
    foreman.blobs.set(sha256, new TextEncoder().encode("export default () => 2;"));
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: [1], spec: functionSpec(sha256) });
    expect(await foreman.outcome(0)).toEqual({ kind: "returned", reason: "bundle_failed" });
    expect(foreman.heard.filter(({ type }) => type === "blob_need")).toHaveLength(2);
    const missing = "0".repeat(64);
    foreman.assign({ assignment: 2, jobId: 2, inputs: [1], spec: functionSpec(missing) });
    expect(await foreman.outcome(0, 2)).toEqual({ kind: "returned", reason: "bundle_failed" });
  });

  test("never run code whose file was changed: it is fetched anew", async () => {
    const first = start();
    const source = "export default () => 'honest';";
    const sha256 = first.foreman.addBundle(source);
    await first.foreman.wait("worker_ready");
    first.foreman.assign({ inputs: [1], spec: functionSpec(sha256) });
    await first.foreman.outcome(0);
    const path = join(first.folder, "bundles", `${sha256}.mjs`);
    expect(statSync(path).mode & 0o777).toBe(0o444);
    chmodSync(path, 0o600);
    writeFileSync(path, "export default () => 'poisoned';");
    // Another environment wants a new process, which looks at the file again.
    const env = { A: { value: "1", secret: false } };
    first.foreman.assign({
      assignment: 2,
      jobId: 2,
      inputs: [1],
      spec: functionSpec(sha256, { env }),
    });
    expect(await first.foreman.outcome(0, 2)).toMatchObject({ kind: "completed", value: "honest" });
  });

  test("that run long are reported as started after 50 ms", async () => {
    const { foreman } = start();
    const sha256 = foreman.addBundle(
      "export default () => new Promise((done) => setTimeout(done, 300));",
    );
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: [1], firstIndex: 4, spec: functionSpec(sha256) });
    const started = await foreman.wait("task_started");
    expect([...started.index]).toEqual([4]);
    expect(await foreman.outcome(4)).toMatchObject({ kind: "completed" });
  });
});

const slotsOf = (slots: number) => ({
  slots,
  queues: ["*"],
  roles: [],
  labels: {},
  resources: {},
  memory_bytes: 8e9,
  time_left_ms: null,
  sandbox: "process" as const,
  host: "host-a",
  platform: "linux-x64",
  version: "0.1.0",
  pid: 1,
});

describe("commands", () => {
  test("get their input as an argument and the documented variables", async () => {
    const { foreman } = start();
    const script =
      'printf %s "$0|$CC_JOB_ID|$CC_TASK_ID|$CC_TASK_INDEX|$CC_ATTEMPT|$CC_WORKER_ID|$CC_INPUT|$(cat $CC_INPUT_FILE)|$OMP_NUM_THREADS|$GREETING"';
    const spec = commandSpec(
      ["/bin/sh", "-c", script, "{}"],
      {},
      { env: { GREETING: { value: "hi {#}", secret: false } } },
    );
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: ["x y", "$(z)"], firstIndex: 7, jobId: 3, spec });
    expect(textOf(await foreman.outcome(7))).toBe("x y|3|3/7|7|1|w1|x y|x y|1|hi 8");
    expect(textOf(await foreman.outcome(8))).toBe("$(z)|3|3/8|8|1|w1|$(z)|$(z)|1|hi 9");
  });

  test("fail with their code, keeping stdout, and the last line of stderr as the message", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    const assign = (assignment: number, argv: string[], work = {}) =>
      foreman.assign({
        assignment,
        jobId: assignment,
        inputs: [""],
        spec: commandSpec(argv, work),
      });
    assign(1, ["/bin/sh", "-c", "echo out; echo one >&2; echo two >&2; exit 4"]);
    assign(2, ["no-such-program-here"]);
    assign(3, ["/bin/true"], { cwd: "/no/such/folder" });
    assign(4, ["/bin/sh", "-c", "kill -SEGV $$"]);
    const failed = await foreman.outcome(0, 1);
    expect(failed).toMatchObject({ failure: { code: "exit_status", message: "two" } });
    if (failed.kind !== "failed") throw new Error("it failed");
    expect(new TextDecoder().decode(failed.outcome?.stdout)).toBe("out\n");
    expect(codeOf(await foreman.outcome(0, 2))).toBe("command_not_found");
    expect(codeOf(await foreman.outcome(0, 3))).toBe("no_such_cwd");
    expect(codeOf(await foreman.outcome(0, 4))).toBe("signal");
  });

  test("with an input that is no argument fail alone", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    const inputs = [new Uint8Array([0xff, 0xfe]), "x".repeat(200_000), "fine"];
    foreman.assign({ inputs, spec: commandSpec(["/bin/echo", "{}"]) });
    expect(codeOf(await foreman.outcome(0))).toBe("unserializable");
    expect(codeOf(await foreman.outcome(1))).toBe("input_too_large");
    expect(textOf(await foreman.outcome(2))).toBe("fine\n");
  });

  test("read their input from stdin, and run in a fresh folder that is removed", async () => {
    const { foreman, folder } = start();
    await foreman.wait("worker_ready");
    const spec = commandSpec(["/bin/sh", "-c", "cat; touch left; pwd"], {
      stdin: true,
      scratch: true,
    });
    foreman.assign({ inputs: ["line"], spec });
    const [line, path] = textOf(await foreman.outcome(0))
      .trim()
      .split("\n");
    expect(line).toBe("line");
    expect(path?.startsWith(folder)).toBe(true);
    expect(
      await eventually(() => !readdirSync(join(path as string, "..")).includes("task-1"), 2_000),
    ).toBe(true);
  });

  test("without a time-out of their own get the worker's", async () => {
    const { foreman } = start({ taskTimeoutMs: 200 });
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: [""], spec: commandSpec(["/bin/sleep", "30"], {}, noInput) });
    expect(codeOf(await foreman.outcome(0))).toBe("timeout");
  });

  test("beyond the memory they asked for end as out_of_memory", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    const script =
      "const b = []; for (;;) { b.push(new Uint8Array(4e6).fill(1)); await Bun.sleep(5); }";
    const spec = commandSpec(
      [process.execPath, "-e", script],
      {},
      { ...noInput, memory_bytes: 150e6 },
    );
    foreman.assign({ inputs: [""], spec });
    expect(codeOf(await foreman.outcome(0))).toBe("out_of_memory");
  }, 20_000);
});

const noInput = { input: { product_sources: 0, chunk: 0, none: true } };

describe("what the foreman takes back", () => {
  test("cancelled tasks are gone when their processes are, running or not", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    const seconds = uniqueSeconds();
    foreman.assign({
      inputs: ["", "", "", ""],
      spec: commandSpec(["/bin/sleep", seconds], {}, noInput),
    });
    await foreman.wait("task_started", ({ index }) => index.includes(1));
    foreman.send({
      type: "cancel_task",
      assignment: 1,
      index: Uint32Array.of(0, 1, 2, 3),
      reason: "enough",
    });
    for (const index of [0, 1, 2, 3])
      expect(await foreman.outcome(index)).toEqual({ kind: "gone" });
    expect(processesWith(seconds)).toEqual([]);
  });

  test("a cancelled function hears the reason, and its neighbours still run", async () => {
    const { foreman } = start({ offer: slotsOf(1) });
    const sha256 = foreman.addBundle(`
      export default (input, ctx) => input === "wait"
        ? new Promise((done) => ctx.signal.addEventListener("abort", () => done(String(ctx.signal.reason))))
        : input;`);
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: ["wait", "next"], spec: functionSpec(sha256) });
    await foreman.wait("task_started");
    foreman.send({
      type: "cancel_task",
      assignment: 1,
      index: Uint32Array.of(0),
      reason: "enough",
    });
    expect(await foreman.outcome(0)).toEqual({ kind: "gone" });
    expect(await foreman.outcome(1)).toMatchObject({ kind: "completed", value: "next" });
  });

  test("revoked tasks come back in one answer, except those that have started", async () => {
    const { foreman } = start({ offer: slotsOf(1) });
    await foreman.wait("worker_ready");
    foreman.assign({
      inputs: ["0.4", "0", "0", "0"],
      spec: commandSpec(["/bin/sleep", "{}"]),
    });
    await foreman.wait("task_started");
    foreman.send({
      type: "revoke_task",
      request: 9,
      assignment: 1,
      index: Uint32Array.of(0, 2, 3),
    });
    const answer = await foreman.wait("tasks_returned");
    expect([answer.request, [...answer.index]]).toEqual([9, [2, 3]]);
    expect(textOf(await foreman.outcome(0))).toBe("");
    expect(textOf(await foreman.outcome(1))).toBe("");
  });

  test("an assignment without a specification that is known here goes back", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: [1, 2], spec: null });
    expect(await foreman.outcome(1)).toEqual({ kind: "returned", reason: "spec_missing" });
    const spec = commandSpec(["/bin/echo", "{}"]);
    foreman.assign({ assignment: 2, inputs: [1], spec });
    expect(textOf(await foreman.outcome(0, 2))).toBe("1\n");
    foreman.assign({ assignment: 3, inputs: [3], spec: null });
    expect(textOf(await foreman.outcome(0, 3))).toBe("3\n");
  });
});

describe("connections", () => {
  test("work goes on without one; the next one gets the inventory and all unacknowledged results", async () => {
    const { foreman, folder } = start();
    foreman.acknowledges = false;
    await foreman.wait("worker_ready");
    const spec = commandSpec(["/bin/sh", "-c", `sleep $0; echo $0; touch ${folder}/done-$0`, "{}"]);
    foreman.assign({ inputs: ["0", "0.3", "0.31"], spec });
    await foreman.outcome(0);
    const before = foreman.heard.length;
    foreman.listens = false;
    foreman.cut();
    expect(await eventually(() => existsSync(join(folder, "done-0.31")), 5_000)).toBe(true);
    foreman.listens = true;
    const ready = await foreman.wait("worker_ready", ({ connection_seq }) => connection_seq === 2);
    expect(ready.inventory.map(({ assignment, index }) => [assignment, ...index])).toEqual([
      [1, 0, 1, 2],
    ]);
    expect(ready.acknowledged_seq).toBe(0);
    for (const index of [0, 1, 2]) await foreman.outcome(index);
    const again = foreman.heard.slice(before).filter((message) => "seq" in message);
    const seqs = again.map((message) => ("seq" in message ? message.seq : 0));
    expect(seqs).toEqual(Array.from(seqs, (_, i) => i + 1));
    expect(textOf(await foreman.outcome(2))).toBe("0.31\n");
  });

  test("another foreman gets a fresh session, and the old work is ended", async () => {
    const { foreman } = start();
    await foreman.wait("worker_ready");
    const seconds = uniqueSeconds();
    foreman.assign({ inputs: [""], spec: commandSpec(["/bin/sleep", seconds], {}, noInput) });
    await foreman.wait("task_started");
    const [first] = foreman.heard;
    foreman.foremanId = "foreman-b";
    foreman.cut();
    const ready = await foreman.wait("worker_ready", (message) => message !== first);
    expect(ready).toMatchObject({ connection_seq: 1, inventory: [] });
    expect(ready.boot_id).not.toBe(first?.type === "worker_ready" ? first.boot_id : "");
    expect(await eventually(() => processesWith(seconds).length === 0, 3_000)).toBe(true);
  });

  test("a transfer of code that the connection cut short begins again", async () => {
    const { foreman } = start();
    const sha256 = foreman.addBundle("export default () => 'here';");
    const bytes = foreman.blobs.get(sha256) as Uint8Array;
    await foreman.wait("worker_ready");
    const spec = functionSpec(sha256);
    foreman.acknowledges = false;
    foreman.blobs.set(sha256, bytes.subarray(0, 0));
    foreman.assign({ inputs: [1], spec });
    await foreman.wait("blob_need");
    foreman.cut();
    foreman.blobs.set(sha256, bytes);
    expect(await foreman.outcome(0)).toMatchObject({ kind: "completed", value: "here" });
  });

  test("an id that lives on another machine ends the worker with 77", async () => {
    const { foreman, worker } = start();
    await foreman.wait("worker_ready");
    foreman.send({
      type: "error",
      code: "worker_id_taken",
      message: "The id is held by a worker on host-b.",
      hint: "Give this worker another --id.",
      retryable: false,
    });
    foreman.cut();
    expect(await worker.ended).toMatchObject({ code: "worker_id_taken", exitCode: 77 });
  });

  test("with attempts given, a foreman that does not answer ends the worker with 69", async () => {
    const { foreman, worker } = start({ reconnectAttemptsMax: 2 });
    await foreman.wait("worker_ready");
    foreman.listens = false;
    foreman.cut();
    expect(await worker.ended).toMatchObject({ exitCode: 69 });
  });
});

describe("stopping", () => {
  test("a drain finishes what runs, hands back the rest and says goodbye", async () => {
    const { foreman, worker } = start({ offer: slotsOf(1) });
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: ["0.3", "9"], spec: commandSpec(["/bin/sleep", "{}"]) });
    await foreman.wait("task_started");
    worker.drain("SIGTERM");
    expect(await foreman.outcome(1)).toEqual({ kind: "returned", reason: "drain" });
    expect(await foreman.outcome(0)).toMatchObject({ kind: "command" });
    expect(await worker.ended).toBeNull();
    const last = foreman.heard.at(-1);
    expect(last).toEqual({ type: "goodbye", reason: "SIGTERM" });
  });

  test("an abort ends what runs and hands it back", async () => {
    const { foreman, worker } = start();
    await foreman.wait("worker_ready");
    const seconds = uniqueSeconds();
    foreman.assign({ inputs: [""], spec: commandSpec(["/bin/sleep", seconds], {}, noInput) });
    await foreman.wait("task_started");
    worker.drain("SIGTERM");
    worker.abort("SIGTERM");
    expect(await foreman.outcome(0)).toEqual({ kind: "returned", reason: "aborted" });
    expect(await worker.ended).toBeNull();
    expect(processesWith(seconds)).toEqual([]);
  });

  test("an idle worker ends by itself and leaves no scratch behind", async () => {
    const { foreman, worker, folder } = start({ idleTimeoutMs: 300 });
    const sha256 = foreman.addBundle("export default () => 1;");
    await foreman.wait("worker_ready");
    foreman.assign({ inputs: [1], spec: functionSpec(sha256) });
    await foreman.outcome(0);
    expect(await worker.ended).toBeNull();
    expect(readdirSync(join(folder, "scratch"))).toEqual([]);
  });
});
