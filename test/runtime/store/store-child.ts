/** Starts fixtures/store-process.ts under the same runtime as the test and reads what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Longer than any test needs; a child never outlives it. */
const CHILD_TIMEOUT_MS = 30_000;
const FIXTURE = fileURLToPath(new URL("./fixtures/store-process.ts", import.meta.url));

export interface StoreChild {
  /** The next line it prints; null when it has ended. */
  next(): Promise<Record<string, unknown> | null>;
  kill(signal: "SIGKILL"): Promise<void>;
  /** Closes its stdin, at which it ends. */
  end(): Promise<void>;
}

export function startStoreChild(mode: "hold" | "write" | "rest", folder: string): StoreChild {
  const child = spawn(process.execPath, [FIXTURE, mode, folder], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: CHILD_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  const lines = linesOf(child);
  return {
    async next() {
      const { value, done } = await lines.next();
      return done ? null : JSON.parse(value);
    },
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
    async end() {
      child.stdin?.end();
      await ended;
    },
  };
}

function linesOf(child: ChildProcess): AsyncIterator<string> {
  if (!child.stdout) throw new Error("the child has no stdout");
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}
