import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCommandOutcome } from "../../../../src/runtime/protocol/command-outcome.ts";
import { decodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import {
  KEPT_OUTPUT_BYTES,
  RECORDED_BYTES_MAX,
  VALUE_BYTES_MAX,
} from "../../../../src/runtime/protocol/limits.ts";
import type { CommandEnd } from "../../../../src/runtime/worker/commands/command-end.ts";
import {
  type CommandRequest,
  startCommand,
} from "../../../../src/runtime/worker/commands/command-process.ts";
import { createHost, eventually, processesWith, shell, uniqueSeconds } from "../processes.ts";

const host = createHost();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const run = (request: CommandRequest) => startCommand(request, host).ended;

/** The end as a test reads it: texts instead of bytes. */
function show(end: CommandEnd): Record<string, unknown> {
  switch (end.kind) {
    case "completed":
      return { kind: end.kind, ...outcome(end.value) };
    case "failed": {
      const { failure, commandOutcome } = decodeFailure(end.value);
      const rest = commandOutcome === null ? {} : outcome(commandOutcome);
      return { kind: end.kind, code: failure.code, message: failure.message, ...rest };
    }
    case "refused":
      return { kind: end.kind, code: end.error.code };
    case "cancelled":
      return { kind: end.kind };
  }
}

function outcome(value: Uint8Array) {
  const { exitCode, signal, stdout, stderr } = decodeCommandOutcome(value);
  return { exitCode, signal, stdout: text(stdout), stderr: text(stderr) };
}

describe("a command that ends by itself", () => {
  test("completes with its stdout whole and its stderr", async () => {
    const end = await run(shell("echo one; echo two >&2; printf three"));
    expect(show(end)).toEqual({
      kind: "completed",
      exitCode: 0,
      signal: null,
      stdout: "one\nthree",
      stderr: "two\n",
    });
  });

  test("fails with its status, and its last stderr line is the message", async () => {
    const end = await run(
      shell("echo out; echo first >&2; echo 'no such table' >&2; echo; exit 3"),
    );
    expect(show(end)).toEqual({
      kind: "failed",
      code: "exit_status",
      message: "no such table",
      exitCode: 3,
      signal: null,
      stdout: "out\n\n",
      stderr: "first\nno such table\n",
    });
  });

  test("says its status where stderr says nothing", async () => {
    expect(show(await run(shell("exit 41")))).toMatchObject({
      code: "exit_status",
      message: "The command ended with status 41.",
      exitCode: 41,
    });
  });

  test("fails as signal when it kills itself", async () => {
    expect(show(await run(shell("kill -SEGV $$")))).toMatchObject({
      code: "signal",
      message: "The command was ended by SIGSEGV.",
      exitCode: null,
      signal: "SIGSEGV",
    });
  });

  test("reads its stdin to the end, also of 8 MiB, and an empty one when none is given", async () => {
    const stdin = new Uint8Array(VALUE_BYTES_MAX).fill(120);
    expect(show(await run(shell("wc -c", { stdin })))).toMatchObject({ stdout: "8388608\n" });
    expect(show(await run(shell("wc -c")))).toMatchObject({ stdout: "0\n" });
  });

  test("may leave its stdin unread", async () => {
    const stdin = new Uint8Array(VALUE_BYTES_MAX);
    expect(show(await run(shell("true", { stdin })))).toMatchObject({ kind: "completed" });
  });

  test("may open /dev/stdout and /dev/stderr by name", async () => {
    const script = "echo a; echo b > /dev/stdout; echo c | tee /dev/stderr";
    expect(show(await run(shell(script)))).toMatchObject({ stdout: "a\nb\nc\n", stderr: "c\n" });
  });

  test("is a process group and session of its own without our signal settings", async () => {
    const script = "ps -o pid=,pgid=,sid= -p $$; grep SigIgn /proc/self/status; yes | head -1";
    const { stdout } = show(await run(shell(script))) as { stdout: string };
    const [ids, ignored, line] = stdout.split("\n");
    expect(new Set((ids ?? "").trim().split(/\s+/)).size).toBe(1);
    expect([ignored, line]).toEqual(["SigIgn:\t0000000000000000", "y"]);
  });

  test("runs a script that lacks its first line, as xargs would", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cc-command-"));
    const script = join(folder, "script");
    writeFileSync(script, 'echo "got $1"\n', { mode: 0o755 });
    const end = await run(shell("", { argv: [script, "x y"] }));
    expect(show(end)).toMatchObject({ stdout: "got x y\n" });
    rmSync(folder, { recursive: true });
  });

  test("gets its arguments untouched and its environment exactly", async () => {
    const argv = ["/usr/bin/printf", "%s|", "a b", "$(x)", "'\"", "é\n"];
    expect(show(await run(shell("", { argv })))).toMatchObject({ stdout: "a b|$(x)|'\"|é\n|" });
    const environment = { PATH: "/usr/bin", GREETING: "hé" };
    const { stdout } = show(await run(shell("", { argv: ["env"], environment }))) as {
      stdout: string;
    };
    const names = stdout.trim().split("\n").sort();
    expect(names).toEqual([
      expect.stringMatching(/^CC_ATTEMPT_TOKEN=[0-9a-f]{32}\.\d+$/),
      "GREETING=hé",
      "PATH=/usr/bin",
    ]);
  });
});

describe("a command that cannot start", () => {
  test("fails as command_not_found when there is no such executable", async () => {
    expect(show(await run(shell("", { argv: ["no-such-command", "x"] })))).toEqual({
      kind: "failed",
      code: "command_not_found",
      message: 'There is no executable "no-such-command" on this worker.',
    });
  });

  test("fails as command_not_found when the file may not be executed", async () => {
    expect(show(await run(shell("", { argv: ["/etc/passwd"] })))).toMatchObject({
      code: "command_not_found",
      message: '"/etc/passwd" is not an executable file.',
    });
  });

  test("names a missing interpreter", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cc-command-"));
    const script = join(folder, "script");
    writeFileSync(script, "#!/no/such/interpreter\n", { mode: 0o755 });
    expect(show(await run(shell("", { argv: [script] })))).toMatchObject({
      code: "command_not_found",
      message: `"${script}" exists, but the interpreter in its first line does not.`,
    });
    rmSync(folder, { recursive: true });
  });

  test("fails as no_such_cwd when the folder does not exist", async () => {
    expect(show(await run(shell("true", { cwd: "/no/such/folder" })))).toMatchObject({
      code: "no_such_cwd",
      message: expect.stringContaining("/no/such/folder does not exist"),
    });
  });

  test("fails as input_too_large when an argument is over what the system takes", async () => {
    const argv = ["/bin/true", "x".repeat(128 * 1024)];
    expect(show(await run(shell("", { argv })))).toMatchObject({ code: "input_too_large" });
  });

  test("fails when an argument holds a NUL byte", async () => {
    const argv = ["/bin/true", "a\0b"];
    expect(show(await run(shell("", { argv })))).toMatchObject({
      code: "error",
      message: expect.stringContaining("NUL byte"),
    });
  });

  test("an exit status of 127 from a shell stays an exit status", async () => {
    expect(show(await run(shell("no-such-command-at-all")))).toMatchObject({
      code: "exit_status",
      exitCode: 127,
    });
  });
});

describe("output", () => {
  test("of a short command that fills its pipe is read while it runs", async () => {
    const { stdout } = show(await run(shell("head -c 3000000 /dev/zero | tr '\\0' x"))) as {
      stdout: string;
    };
    expect(stdout.length).toBe(3_000_000);
  });

  test("up to the limit of a value is carried whole, with its stderr", async () => {
    const script = `head -c ${VALUE_BYTES_MAX} /dev/zero; head -c 70000 /dev/zero >&2`;
    const end = await run(shell(script));
    if (end.kind !== "completed") throw new Error(`expected completed, got ${end.kind}`);
    const { stdout, stderr, stderrDroppedBytes } = decodeCommandOutcome(end.value);
    expect(stdout.byteLength).toBe(VALUE_BYTES_MAX);
    expect(stderr.byteLength).toBe(KEPT_OUTPUT_BYTES);
    expect(stderr.byteLength + stderrDroppedBytes).toBe(70_000);
    expect(end.value.byteLength).toBeLessThan(RECORDED_BYTES_MAX);
  });

  test("beyond the limit ends the whole tree and fails as result_too_large", async () => {
    const end = await run(shell("yes | cat"));
    expect(show(end)).toMatchObject({ code: "result_too_large" });
    expect(end.kind === "failed" && end.value.byteLength <= RECORDED_BYTES_MAX).toBe(true);
  });

  test("one byte beyond the limit fails as result_too_large although the command ended well", async () => {
    const end = await run(shell(`head -c ${VALUE_BYTES_MAX + 1} /dev/zero`));
    expect(show(end)).toMatchObject({ code: "result_too_large" });
  });

  test("on stderr keeps its last part and counts what was dropped", async () => {
    const script = "head -c 20000000 /dev/zero | tr '\\0' x >&2; echo end >&2";
    const end = await run(shell(script));
    if (end.kind !== "completed") throw new Error(`expected completed, got ${end.kind}`);
    const { stderr, stderrDroppedBytes } = decodeCommandOutcome(end.value);
    expect(stderr.byteLength).toBe(KEPT_OUTPUT_BYTES);
    expect(text(stderr.subarray(-6))).toBe("xxend\n".slice(-6));
    expect(stderrDroppedBytes).toBe(20_000_004 - KEPT_OUTPUT_BYTES);
  });
});

describe("ending a tree", () => {
  test("a time-out ends what ignores nothing at once and says so", async () => {
    const startedAtMs = performance.now();
    const end = await run(shell("echo begun; sleep 60", { timeoutMs: 200 }));
    expect(show(end)).toMatchObject({
      code: "timeout",
      message: "The command ran longer than its time-out of 0.2 s.",
      stdout: "begun\n",
    });
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  test("what ignores SIGTERM is killed after five seconds, with its children", async () => {
    const seconds = uniqueSeconds();
    const startedAtMs = performance.now();
    const script = `trap '' TERM; sleep ${seconds} & sleep ${seconds}; sleep ${seconds}`;
    const end = await run(shell(script, { timeoutMs: 100 }));
    expect(show(end)).toMatchObject({ code: "timeout" });
    expect(processesWith(seconds)).toEqual([]);
    const tookMs = performance.now() - startedAtMs;
    expect(tookMs).toBeGreaterThan(5_000);
    expect(tookMs).toBeLessThan(7_000);
  }, 10_000);

  test("cancel ends a tree that called setsid and daemonised before it is reported", async () => {
    const seconds = uniqueSeconds();
    const script = `(setsid sleep ${seconds} >/dev/null 2>&1 &) ; setsid sh -c 'sleep ${seconds} & wait' & sleep ${seconds}`;
    const command = startCommand(shell(script), host);
    expect(await eventually(() => processesWith(seconds).length >= 4, 5_000)).toBe(true);
    command.cancel();
    command.cancel();
    expect(show(await command.ended)).toEqual({ kind: "cancelled" });
    expect(processesWith(seconds)).toEqual([]);
  });

  test("a child whose environment was cleared is found by group, session or descent", async () => {
    const seconds = uniqueSeconds();
    const script = `env -i sleep ${seconds} & env -i setsid sleep ${seconds} & wait`;
    const command = startCommand(shell(script), host);
    expect(await eventually(() => processesWith(`sleep\0${seconds}`).length >= 2, 5_000)).toBe(
      true,
    );
    command.cancel();
    await command.ended;
    expect(processesWith(`sleep\0${seconds}`)).toEqual([]);
  });

  test("what a finished command left in the background is ended before it is reported", async () => {
    const seconds = uniqueSeconds();
    const end = await run(shell(`sleep ${seconds} & echo done`));
    expect(show(end)).toMatchObject({ kind: "completed", stdout: "done\n" });
    expect(processesWith(seconds)).toEqual([]);
  });

  test("a daemon that holds the command's stdout does not hold up its report", async () => {
    const seconds = uniqueSeconds();
    const startedAtMs = performance.now();
    const end = await run(shell(`setsid sleep ${seconds} & echo done`));
    expect(show(end)).toMatchObject({ kind: "completed", stdout: "done\n" });
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    expect(processesWith(seconds)).toEqual([]);
  });

  test("output that comes shortly after the command's own end still counts", async () => {
    const end = await run(shell("(sleep 0.1; echo late) & echo early"));
    expect(show(end)).toMatchObject({ stdout: "early\nlate\n" });
  });

  test("a memory limit ends what takes more, as out_of_memory", async () => {
    const script = `exec python3 -c 'x = bytearray(300 << 20)
for i in range(0, len(x), 4096): x[i] = 1
import time; time.sleep(60)'`;
    const end = await run(shell(script, { memoryBytesMax: 100 * 2 ** 20 }));
    expect(show(end)).toMatchObject({
      code: "out_of_memory",
      message: "The command used more memory than the 100 MiB it asked for.",
    });
  });

  test("leaves no token live, no descriptor open and no zombie", async () => {
    const tidy = createHost();
    const before = process.platform === "linux" ? openDescriptors() : 0;
    for (let i = 0; i < 50; i++) {
      await Promise.all([
        startCommand(shell("echo x; echo y >&2; exit 1"), tidy).ended,
        startCommand(shell("", { argv: ["no-such-command"] }), tidy).ended,
        startCommand(shell("sleep 0.01; echo x"), tidy).ended,
      ]);
    }
    expect(tidy.tokens.census()).toMatchObject({ allocated: 150, live: [] });
    expect(openDescriptors()).toBeLessThanOrEqual(before + 2);
    const zombies = Bun.spawnSync(["ps", "--ppid", String(process.pid), "-o", "stat="]);
    expect(
      zombies.stdout
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("Z")),
    ).toEqual([]);
  });
});

function openDescriptors(): number {
  return Bun.spawnSync(["ls", `/proc/${process.pid}/fd`])
    .stdout.toString()
    .split("\n").length;
}
