/**
 * Runs a command trial with its output straight to the terminal: the same arguments, folder, stdin and
 * environment as on a worker, but in this terminal's process group, so that Ctrl-C reaches it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchStopSignals } from "../../runtime/platform/shutdown.ts";
import { compileText, expandCommand } from "../../runtime/protocol/command-template.ts";
import { CcError } from "../../runtime/protocol/error.ts";
import type { Failure } from "../../runtime/protocol/failure.ts";
import { OUTPUT_TEXT_BYTES_MAX } from "../../runtime/protocol/limits.ts";
import { inputText, type TemplateInput } from "../../runtime/protocol/placeholder.ts";
import {
  describeExit,
  describeSignal,
  describeStartFault,
} from "../../runtime/worker/commands/command-failure.ts";
import {
  inheritEnvironment,
  jobEnvironment,
  taskEnvironment,
} from "../../runtime/worker/host/task-environment.ts";
import {
  type CommandTrial,
  type CommandTrialEnd,
  type Trial,
  type TrialEnd,
  WORKER_NAME,
} from "./trial.ts";
import type { TrialFolder } from "./trial-folder.ts";

const SLOT = 1;

export interface SpawnOptions {
  /** Keeps stdout instead of showing it. */
  readonly keepStdout: boolean;
  /** The terminal itself sends Ctrl-C to everything that runs in it. */
  readonly terminalSignals: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws CcError `spawn_failed` when this machine cannot start anything. */
export async function spawnCommand(
  trial: Trial,
  work: CommandTrial,
  folder: TrialFolder,
  options: SpawnOptions,
): Promise<TrialEnd> {
  const startedAtMs = performance.now();
  const start = prepare(trial, work, folder, options);
  let child: Child;
  try {
    child = startChild(start, options.keepStdout);
  } catch (thrown) {
    const fault = describeStartFault(thrown, start);
    if ("error" in fault) throw fault.error;
    return { ...unstarted(startedAtMs), failure: fault.failure };
  }
  const { command, interrupted } = await followToEnd(child, options);
  const runMs = performance.now() - startedAtMs;
  return { runMs, failure: judge(command), value: null, command, interrupted };
}

interface CommandStart {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** null: an empty one, as on a worker. */
  readonly stdin: Uint8Array | null;
}

function prepare(
  trial: Trial,
  { work, shape }: CommandTrial,
  folder: TrialFolder,
  options: SpawnOptions,
): CommandStart {
  const input: TemplateInput = { value: trial.input, index: trial.index, slot: SLOT };
  const { argv, cwd, stdin } = expandCommand(work, shape, input);
  const filled = Object.entries(trial.env).map(
    ([name, text]) => [name, compileText(text, work.placeholder, shape)(input)] as const,
  );
  const job = jobEnvironment(inheritEnvironment(options.env), {
    env: Object.fromEntries(filled),
    cpus: trial.cpus,
    workerId: WORKER_NAME,
  });
  const text = textOf(trial.input);
  const inputFile = join(folder.path, "input");
  writeFileSync(inputFile, text ?? (trial.input as Uint8Array), { mode: 0o600 });
  return {
    argv,
    cwd: work.scratch ? folder.createFolder("scratch") : cwd,
    stdin: typeof stdin === "string" ? Buffer.from(stdin) : stdin,
    env: taskEnvironment(job, {
      jobId: trial.job.id,
      index: trial.index,
      attempt: trial.attempt,
      slot: SLOT,
      inputText: text,
      inputFile,
    }),
  };
}

/** null for bytes that are no text, the only input without one. */
function textOf(input: unknown): string | null {
  try {
    return inputText(input);
  } catch (thrown) {
    if (thrown instanceof CcError && thrown.code === "unserializable") return null;
    throw thrown;
  }
}

type Child = Bun.Subprocess<Uint8Array | "ignore", "pipe" | "inherit", "inherit">;

function startChild(start: CommandStart, keepStdout: boolean): Child {
  const { argv, cwd, env, stdin } = start;
  const options = {
    cwd,
    env,
    stdin: stdin ?? ("ignore" as const),
    stdout: keepStdout ? ("pipe" as const) : ("inherit" as const),
    stderr: "inherit" as const,
  };
  try {
    return Bun.spawn([...argv], options);
  } catch (thrown) {
    // A script without `#!`: what every shell gives to sh.
    const { code, path } = thrown as NodeJS.ErrnoException;
    if (code !== "ENOEXEC" || path === undefined) throw thrown;
    return Bun.spawn(["/bin/sh", path, ...argv.slice(1)], options);
  }
}

async function followToEnd(
  child: Child,
  { terminalSignals }: SpawnOptions,
): Promise<{ readonly command: CommandTrialEnd; readonly interrupted: boolean }> {
  let wasAsked = false;
  const forget = watchStopSignals({
    onFirst(signal) {
      wasAsked = true;
      if (signal !== "SIGINT" || !terminalSignals) child.kill(signal);
    },
    onSecond: () => child.kill("SIGKILL"),
  });
  try {
    const kept = child.stdout instanceof ReadableStream ? await readAll(child.stdout) : NOT_KEPT;
    await child.exited;
    const signal = child.signalCode === null ? null : String(child.signalCode);
    const exitCode = signal === null ? child.exitCode : null;
    // One that took the request as its own business, and then ended well, was not interrupted.
    return { command: { exitCode, signal, ...kept }, interrupted: wasAsked && exitCode !== 0 };
  } finally {
    forget();
  }
}

type KeptStdout = Pick<CommandTrialEnd, "stdout" | "stdoutByteCount">;
const NOT_KEPT: KeptStdout = { stdout: null, stdoutByteCount: 0 };

/** Reads to the end, so that the command never waits; keeps what fits a row of jsonl. */
async function readAll(stream: ReadableStream<Uint8Array>): Promise<KeptStdout> {
  let chunks: Uint8Array[] = [];
  let stdoutByteCount = 0;
  for await (const chunk of stream) {
    stdoutByteCount += chunk.byteLength;
    if (stdoutByteCount <= OUTPUT_TEXT_BYTES_MAX) chunks.push(chunk);
    else chunks = [];
  }
  const isKept = stdoutByteCount <= OUTPUT_TEXT_BYTES_MAX;
  return { stdout: isKept ? Buffer.concat(chunks) : null, stdoutByteCount };
}

function judge({ exitCode, signal }: CommandTrialEnd): Failure | null {
  const noStderr = new Uint8Array(0);
  if (signal !== null) return describeSignal(signal, noStderr);
  return exitCode === 0 ? null : describeExit(exitCode ?? -1, noStderr);
}

const unstarted = (startedAtMs: number): Omit<TrialEnd, "failure"> => ({
  runMs: performance.now() - startedAtMs,
  value: null,
  command: null,
  interrupted: false,
});
