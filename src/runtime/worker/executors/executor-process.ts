/** The operating-system side of an executor: its start, its output pipes, how it ended. */
import type { Subprocess } from "bun";
import { CcError } from "../../protocol/error.ts";
import { LOG_STREAM_STDERR, LOG_STREAM_STDOUT } from "../../protocol/messages/logs.ts";
import { createTailOutput, type TailOutput } from "../commands/bounded-output.ts";
import { type OutputCapture, openOutputCapture } from "../commands/output-capture.ts";
import { ATTEMPT_TOKEN_VARIABLE } from "../processes/attempt-token.ts";
import { preferForOutOfMemory } from "../processes/out-of-memory.ts";
import type { ProcessHost } from "../processes/process-host.ts";
import { spawnWithReserve } from "../processes/process-reserve.ts";
import type { ProcessTree } from "../processes/process-tree.ts";
import type { ExecutorDeath } from "./executor-failure.ts";

export interface ExecutorProcess {
  readonly pid: number;
  readonly tree: ProcessTree;
  /** Our end of the socket pair on its descriptor 3; the caller owns it. */
  readonly channelDescriptor: number;
  /** On our clock. */
  readonly startedAtMs: number;
  readonly hasExited: boolean;
  readonly exited: Promise<unknown>;
  /** Once its tree has gone: how it ended. Call it once. */
  finish(): Promise<Omit<ExecutorDeath, "console">>;
}

export interface ExecutorProcessOptions {
  readonly command: readonly string[];
  readonly environment: { readonly atStart: Readonly<Record<string, string>> };
  readonly scratchFolder: string;
  readonly host: ProcessHost;
  /** Something was written to its stdout or stderr. */
  readonly onDirect: (stream: number, chunk: Uint8Array) => void;
}

/** So much of what user code writes past the console is kept, of each, for the failure of a crash. */
const DIRECT_OUTPUT_BYTES = 4_096;
const OUTPUT_GRACE_MS = 200;

type Child = Subprocess<"ignore", number | "pipe", number | "pipe">;

/** @throws CcError `spawn_failed` */
export function startExecutorProcess(options: ExecutorProcessOptions): ExecutorProcess {
  const { host } = options;
  const startedAtMs = performance.now();
  const token = host.tokens.allocate();
  const tails = [createTailOutput(DIRECT_OUTPUT_BYTES), createTailOutput(DIRECT_OUTPUT_BYTES)];
  const outputs = tails.map((tail, i) =>
    openOutputCapture((chunk) => {
      options.onDirect(i === 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, chunk);
      tail.push(chunk);
    }),
  );
  let child: Child;
  try {
    child = spawnWithReserve(() => spawnExecutor(options, token, outputs));
  } catch (cause) {
    for (const output of outputs) output.close();
    host.tokens.release(token);
    throw spawnFailed(cause);
  }
  followOutputs(child, outputs);
  preferForOutOfMemory(child.pid);
  host.watchdog.add(child.pid);
  return {
    pid: child.pid,
    tree: { leaderPid: child.pid, token },
    channelDescriptor: channelOf(child),
    startedAtMs,
    get hasExited() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    exited: child.exited,
    async finish() {
      host.watchdog.remove(child.pid);
      host.tokens.release(token);
      const directOutput = await finishOutputs(outputs, tails);
      return describeExit(child, directOutput, host);
    },
  };
}

function spawnExecutor(
  { command, environment, scratchFolder }: ExecutorProcessOptions,
  token: string,
  outputs: readonly OutputCapture[],
): Child {
  // "socket-fd" is a socket pair whose descriptor on our side belongs to us; Bun's types know it only
  // for the general form of `stdio`.
  const stdio = ["ignore", ...outputs.map((output) => output.childEnd), "socket-fd"];
  return Bun.spawn([...command], {
    cwd: scratchFolder,
    env: { ...environment.atStart, [ATTEMPT_TOKEN_VARIABLE]: token },
    stdio: stdio as unknown as ["ignore", number | "pipe", number | "pipe"],
    detached: true,
  });
}

function followOutputs(child: Child, outputs: readonly OutputCapture[]): void {
  const streams = [child.stdout, child.stderr];
  outputs.forEach((output, i) => {
    const stream: unknown = streams[i];
    output.spawned(stream instanceof ReadableStream ? stream : undefined);
    output.follow();
  });
}

/** stderr last: what a dying process says, it says there. */
async function finishOutputs(
  outputs: readonly OutputCapture[],
  tails: readonly TailOutput[],
): Promise<string> {
  await Promise.all(outputs.map((output) => output.isDryWithin(OUTPUT_GRACE_MS)));
  for (const output of outputs) output.close();
  return tails.map((tail) => new TextDecoder().decode(tail.take().bytes)).join("");
}

function describeExit(
  child: Child,
  directOutput: string,
  host: ProcessHost,
): Omit<ExecutorDeath, "console"> {
  const { exitCode, signalCode } = child;
  const signal = typeof signalCode === "number" ? `SIG${signalCode}` : signalCode;
  const wasOutOfMemory = signal === "SIGKILL" && host.outOfMemory.hasKilled();
  return { exitCode: signal === null ? exitCode : null, signal, wasOutOfMemory, directOutput };
}

function channelOf(child: Child): number {
  const descriptor: unknown = (child.stdio as readonly unknown[])[3];
  if (typeof descriptor !== "number") throw spawnFailed(new Error("no channel to the executor"));
  return descriptor;
}

function spawnFailed(cause: unknown): CcError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CcError({
    code: "spawn_failed",
    message: `This machine could not start an executor: ${reason}.`,
    hint: "Look at the limits of processes and open files (ulimit -u, ulimit -n) and at free memory.",
    retryable: true,
    cause,
  });
}
