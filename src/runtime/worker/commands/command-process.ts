/**
 * One attempt of a command: started in a session of its own without any wrapper, watched, and
 * reported only after its whole tree has gone. Placeholders and the environment are filled in by the
 * caller. Never keeps more of its output than the limits, and never leaves a process behind. What is
 * larger goes to whoever takes it, and the command waits for that.
 *
 * States: running -> stopping (cancelled, timed out, too much output or memory) -> ended, or
 * running -> ended. What stops an attempt first is what it is reported with.
 */
import type { Subprocess } from "bun";
import { findSpaceTrouble } from "../../platform/free-space.ts";
import { encodeFailure } from "../../protocol/failure.ts";
import { createLogBuffer } from "../logs/log-buffer.ts";
import type { Printed } from "../logs/printed.ts";
import { ATTEMPT_TOKEN_VARIABLE } from "../processes/attempt-token.ts";
import { startDeadline } from "../processes/deadline.ts";
import { isGroupAlive } from "../processes/libc.ts";
import { preferForOutOfMemory } from "../processes/out-of-memory.ts";
import type { ProcessHost } from "../processes/process-host.ts";
import { spawnWithReserve } from "../processes/process-reserve.ts";
import { endTree, KILL_AFTER_MS, type ProcessTree } from "../processes/process-tree.ts";
import { watchTreeMemory } from "../processes/tree-memory.ts";
import { type CommandEnd, type CommandLimits, describeEnd, type StopCause } from "./command-end.ts";
import { describeStartFault } from "./command-failure.ts";
import { type CommandOutput, type KeptOutput, openCommandOutput } from "./command-output.ts";
import type { OpenUpload } from "./command-stdout.ts";

/** `timeoutMs` 0: none. `memoryBytesMax` is resident memory of the whole tree; null: no limit. */
export interface CommandRequest extends CommandLimits {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Complete; only the attempt's token is added. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder of its own on the worker's disk; null: it runs where the submitter said. */
  readonly scratchFolder: string | null;
  /** Given whole to its stdin; null: an empty stdin. */
  readonly stdin: Uint8Array | null;
  /** Takes a stdout that is larger than a value; absent: nobody does. */
  readonly openUpload?: OpenUpload;
  /** Hears what it prints; absent: nobody does. */
  readonly onPrinted?: (printed: Printed) => void;
}

export interface RunningCommand {
  /** 0 when it did not start. */
  readonly pid: number;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** SIGTERM, and after 5 s SIGKILL, to the whole tree. Repeating it changes nothing. */
  cancel(): void;
  /** Resolves when nothing of its tree is left; never rejects. */
  readonly ended: Promise<CommandEnd>;
}

/** Shorter commands are read once, at their end, and are too short to fill the memory. */
const SHORT_COMMAND_MS = 2;
/** Longer than a fork takes, also on a loaded machine; short against filling the memory. */
const FORK_MS = 50;
/** After the command's own end its pipes get so long to run dry, as `>(tee log)` needs it. */
const OUTPUT_GRACE_MS = 300;
/** What it left running in the background gets so long between SIGTERM and SIGKILL. */
const LEFTOVER_KILL_AFTER_MS = 1_000;

type Child = Subprocess<Uint8Array | "ignore", number | "pipe", number | "pipe">;

export function startCommand(request: CommandRequest, host: ProcessHost): RunningCommand {
  const startedAtMs = performance.now();
  const token = host.tokens.allocate();
  const { onPrinted } = request;
  const output = openCommandOutput({
    log: onPrinted === undefined ? null : createLogBuffer(onPrinted),
    openUpload: request.openUpload ?? null,
    onRefused: () => attempt?.stop("output_refused"),
  });
  let attempt: Attempt | null = null;
  let child: Child;
  try {
    child = spawnCommand(request, token, output);
  } catch (thrown) {
    output.close();
    host.tokens.release(token);
    const ended = Promise.resolve(endUnstarted(thrown, request, startedAtMs));
    return { pid: 0, startedAtMs, cancel() {}, ended };
  }
  attempt = createAttempt(child, { leaderPid: child.pid, token }, output, request, host);
  const ended = attempt.followToEnd().then((finish) => {
    host.tokens.release(token);
    const signal = signalName(child);
    const runUs = Math.round((finish.endedAtMs - startedAtMs) * 1000);
    const exitCode = signal === null ? child.exitCode : null;
    const wasOutOfMemory = signal === "SIGKILL" && host.outOfMemory.hasKilled();
    const { scratchFolder } = request;
    const mayLackSpace = scratchFolder !== null && exitCode !== 0;
    const storageTrouble = mayLackSpace ? findSpaceTrouble(scratchFolder) : null;
    const how = { runUs, exitCode, signal, wasOutOfMemory, storageTrouble };
    return describeEnd({ ...finish, ...how }, request);
  });
  const cancel = (): void => {
    attempt.stop("cancelled");
    // It may have ended already, and only its output be under way.
    output.abandon();
  };
  return { pid: child.pid, startedAtMs, cancel, ended };
}

interface AttemptFinish extends KeptOutput {
  readonly stopCause: StopCause | null;
  readonly endedAtMs: number;
}

interface Attempt {
  stop(cause: StopCause): void;
  followToEnd(): Promise<AttemptFinish>;
}

function createAttempt(
  child: Child,
  tree: ProcessTree,
  output: CommandOutput,
  limits: CommandLimits,
  { watchdog }: ProcessHost,
): Attempt {
  let stopCause: StopCause | null = null;
  let treeGone: Promise<void> | null = null;
  let hasExited = false;

  function stop(cause: StopCause): void {
    // Once it has ended by itself, its own end is what is reported.
    if (stopCause !== null || hasExited) return;
    stopCause = cause;
    // What exceeds its memory must not be given five seconds to take more.
    treeGone = endTree(tree, cause === "out_of_memory" ? 0 : KILL_AFTER_MS);
  }

  async function followToEnd(): Promise<AttemptFinish> {
    const stopWatching = watchAttempt(tree, limits, stop, () => {
      output.follow();
      watchdog.add(tree.leaderPid);
    });
    await child.exited;
    const endedAtMs = performance.now();
    hasExited = true;
    stopWatching();
    if (treeGone !== null) await treeGone;
    await endLeftovers(tree, output);
    watchdog.remove(tree.leaderPid);
    return { stopCause, endedAtMs, ...(await output.finish()) };
  }

  return { stop, followToEnd };
}

/** Timers of a running attempt; the answer ends them. */
function watchAttempt(
  tree: ProcessTree,
  { timeoutMs, memoryBytesMax }: CommandLimits,
  stop: (cause: StopCause) => void,
  onLong: () => void,
): () => void {
  let lookAgain: NodeJS.Timeout | null = null;
  const longTimer = setTimeout(() => {
    preferForOutOfMemory(tree.leaderPid);
    // A child that was being forked at the first look has the old score and was not there yet.
    lookAgain = setTimeout(() => preferForOutOfMemory(tree.leaderPid), FORK_MS);
    onLong();
  }, SHORT_COMMAND_MS);
  const endDeadline = timeoutMs > 0 ? startDeadline(timeoutMs, () => stop("timeout")) : null;
  const endSampling =
    memoryBytesMax === null
      ? null
      : watchTreeMemory(tree, memoryBytesMax, () => stop("out_of_memory"));
  return () => {
    clearTimeout(longTimer);
    if (lookAgain !== null) clearTimeout(lookAgain);
    endDeadline?.();
    endSampling?.();
  };
}

/**
 * After the command's own end: whatever it left in its group is ended, and its pipes are read until
 * they close. On the usual way this is three system calls and no waiting.
 */
async function endLeftovers(tree: ProcessTree, output: CommandOutput): Promise<void> {
  const isDry = await output.isDryWithin(OUTPUT_GRACE_MS);
  // An open pipe without a group member belongs to something that called setsid.
  if (isDry && !isGroupAlive(tree.leaderPid)) return;
  await endTree(tree, LEFTOVER_KILL_AFTER_MS);
  // Only what daemonised and cleared its environment can hold a pipe even now.
  if (!isDry) await output.isDryWithin(OUTPUT_GRACE_MS);
}

function spawnCommand(request: CommandRequest, token: string, output: CommandOutput): Child {
  const { argv, cwd, environment, stdin } = request;
  const options = {
    cwd,
    env: { ...environment, [ATTEMPT_TOKEN_VARIABLE]: token },
    stdin: stdin ?? ("ignore" as const),
    stdout: output.stdoutEnd,
    stderr: output.stderrEnd,
    // A session and a group of its own: a signal to the group reaches all of it and nothing else.
    detached: true,
  };
  const child = spawnWithReserve(() => spawnOrScript(argv, options));
  output.spawned({ stdout: asStream(child.stdout), stderr: asStream(child.stderr) });
  return child;
}

function spawnOrScript(
  argv: readonly string[],
  options: Bun.Spawn.SpawnOptions<Uint8Array | "ignore", number | "pipe", number | "pipe">,
): Child {
  try {
    return Bun.spawn([...argv], options);
  } catch (thrown) {
    // A script without `#!`: what execvp, and so every shell and xargs, gives to sh.
    const { code, path } = thrown as NodeJS.ErrnoException;
    if (code !== "ENOEXEC" || path === undefined) throw thrown;
    return Bun.spawn(["/bin/sh", path, ...argv.slice(1)], options);
  }
}

function asStream(end: unknown): ReadableStream<Uint8Array> | undefined {
  return end instanceof ReadableStream ? end : undefined;
}

function endUnstarted(thrown: unknown, request: CommandRequest, startedAtMs: number): CommandEnd {
  const fault = describeStartFault(thrown, request);
  if ("error" in fault) return { kind: "refused", error: fault.error };
  const { failure } = fault;
  const runUs = Math.round((performance.now() - startedAtMs) * 1000);
  return { kind: "failed", runUs, failure, value: encodeFailure(failure) };
}

/** Bun names the usual signals and numbers the real-time ones. */
function signalName(child: Child): string | null {
  const { signalCode } = child;
  return typeof signalCode === "number" ? `SIG${signalCode}` : signalCode;
}
