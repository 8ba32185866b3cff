/** What the tests of real processes share: looking for them, and waiting until they have gone. */
import { readdirSync, readFileSync } from "node:fs";
import type { CommandRequest } from "../../../src/runtime/worker/commands/command-process.ts";
import { createAttemptTokens } from "../../../src/runtime/worker/processes/attempt-token.ts";
import { createOutOfMemoryWatch } from "../../../src/runtime/worker/processes/out-of-memory.ts";
import type { ProcessHost } from "../../../src/runtime/worker/processes/process-host.ts";

/** A number of seconds for `sleep` that no other process has: its processes are found by it. */
export function uniqueSeconds(): string {
  return `${400 + Math.floor(Math.random() * 100_000)}.${process.pid}`;
}

/** Processes (no zombies) whose command line holds the text. */
export function processesWith(text: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text)) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Polls, because other processes tell nobody when they change. */
export async function eventually(isTrue: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) return false;
    await Bun.sleep(10);
  }
  return true;
}

export function createHost(): ProcessHost {
  return {
    tokens: createAttemptTokens(),
    outOfMemory: createOutOfMemoryWatch(),
    watchdog: { add() {}, remove() {} },
  };
}

export function shell(script: string, changes: Partial<CommandRequest> = {}): CommandRequest {
  return {
    argv: ["/bin/sh", "-c", script],
    cwd: "/",
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    scratchFolder: null,
    stdin: null,
    timeoutMs: 0,
    memoryBytesMax: null,
    ...changes,
  };
}
