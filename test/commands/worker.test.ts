/** `cc worker` as a process: its name, its ways to an end and its exit codes, without a foreman. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";

const CLI = join(import.meta.dir, "..", "..", "src", "cli.ts");
/** Nobody listens there. */
const NOWHERE = "--foreman=ws://127.0.0.1:1";
const TEST_MS_MAX = 20_000;

let home = "";
const started: Subprocess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cc-worker-command-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await child.exited;
  }
  rmSync(home, { recursive: true, force: true });
});

interface Started {
  readonly child: Subprocess<"ignore", "ignore", "pipe">;
  /** Resolves with the log line of this event. */
  line(event: string): Promise<Record<string, unknown>>;
  /** Everything else that it wrote, once it has ended. */
  ended(): Promise<{ readonly exitCode: number | null; readonly stderr: string }>;
}

function startWorker(words: readonly string[], stdio: readonly ["pipe"?] = []): Started {
  const child = Bun.spawn([process.execPath, CLI, "worker", "--log-format=json", ...words], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    stdio: ["ignore", "ignore", "pipe", ...stdio],
    timeout: TEST_MS_MAX,
  });
  started.push(child);
  let text = "";
  const listeners = new Set<() => void>();
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      text += decoder.decode(chunk, { stream: true });
      for (const listener of listeners) listener();
    }
  })();
  return {
    child,
    line: (event) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = text.split("\n").find((line) => line.includes(`"event":"${event}"`));
          if (found === undefined) return;
          listeners.delete(look);
          resolve(JSON.parse(found) as Record<string, unknown>);
        };
        listeners.add(look);
        look();
      }),
    async ended() {
      await child.exited;
      await read;
      return { exitCode: child.exitCode, stderr: text };
    },
  };
}

test("says its id, slots and foreman, takes the next free name, and ends with 0 on SIGTERM", async () => {
  const first = startWorker(["--slots=3", NOWHERE]);
  const line = await first.line("worker starts");
  expect(line).toMatchObject({ slots: 3, foreman: "ws://127.0.0.1:1" });
  const second = startWorker([NOWHERE]);
  expect((await second.line("worker starts"))["worker"]).toBe(`${line["worker"]}-2`);
  first.child.kill("SIGTERM");
  second.child.kill("SIGINT");
  expect((await first.ended()).exitCode).toBe(0);
  expect((await second.ended()).exitCode).toBe(0);
}, 20_000);

test("an id that a worker on this machine holds ends with 75", async () => {
  const first = startWorker(["--id=me", NOWHERE]);
  await first.line("worker starts");
  const { exitCode, stderr } = await startWorker(["--id=me", NOWHERE]).ended();
  expect(exitCode).toBe(75);
  expect(stderr).toContain('"me" already runs');
  first.child.kill("SIGTERM");
  await first.ended();
}, 20_000);

test("with --reconnect-attempts nobody there ends with 69", async () => {
  const { exitCode, stderr } = await startWorker([NOWHERE, "--reconnect-attempts=2"]).ended();
  expect(exitCode).toBe(69);
  expect(stderr).toContain("No foreman answers at 127.0.0.1:1");
}, 20_000);

test("a wrong command line ends with 64, a wrong key file or address with 78", async () => {
  const key = join(home, "bad.key");
  writeFileSync(key, "nonsense", { mode: 0o600 });
  const ends = await Promise.all([
    startWorker(["--slots=0"]).ended(),
    startWorker(["--id=a b", NOWHERE]).ended(),
    startWorker(["--queues=a b", NOWHERE]).ended(),
    startWorker([`--key-file=${key}`, NOWHERE]).ended(),
    startWorker(["--foreman=ftp://x"]).ended(),
  ]);
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([64, 64, 64, 78, 78]);
}, 20_000);

test("a tied worker ends when the other end of its pipe closes", async () => {
  const tied = startWorker([NOWHERE, "--tied-fd=3"], ["pipe"]);
  await tied.line("worker starts");
  const descriptor = tied.child.stdio[3] as unknown as number;
  const { closeSync } = await import("node:fs");
  closeSync(descriptor);
  expect((await tied.ended()).exitCode).toBe(0);
}, 20_000);
