/**
 * Acts on the verdict about a call: prints help, runs a verb, answers a slip, or hands over to the C
 * compiler. It is the only place that reads the process's own words and ends the process.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { assertNever, type ExitCode } from "../runtime/protocol/error.ts";
import { type CommandIo, OutputClosed } from "./command-context.ts";
import { findNextCompiler, handOver, noCompilerMessage } from "./compiler-handover.ts";
import { judgeCall, type Verdict } from "./compiler-rule.ts";
import { allCommands, findCommand, verbWords } from "./dispatch.ts";
import { renderOverview } from "./help.ts";
import { openProcessIo } from "./io.ts";
import { putVerbFirst } from "./leading-options.ts";
import { jobFileWithoutVerb, mistypedVerb } from "./mistyped-verb.ts";
import { keyOfFlagName } from "./option-table.ts";
import { runCommand } from "./run-command.ts";

const SAFE_NAME = "crowdcompute";

/** Ends the process, or replaces it. */
export async function openFrontDoor(words: readonly string[]): Promise<never> {
  const io = openProcessIo(process.env);
  const verdict = judgeCall({
    words,
    neverCompiler: isCalledBySafeName(),
    stdoutIsTerminal: io.stdout.isTerminal,
    isVerb: (word) => findCommand(word) !== undefined,
    isOwnOption,
    isFile,
    compilerFollows: () => findNextCompiler(process.env, process.execPath) !== null,
  });
  process.exit(await follow(verdict, words, io));
}

/** By the name that was typed; a foreign one, such as /proc/self/exe, is looked up as a file. */
function isCalledBySafeName(): boolean {
  const called = basename(process.argv0);
  if (called === "cc") return false;
  return called === SAFE_NAME || basename(process.execPath) === SAFE_NAME;
}

function isOwnOption(name: string): boolean {
  const key = keyOfFlagName(name);
  return allCommands().some(({ table }) => Object.hasOwn(table.options, key));
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function follow(
  verdict: Verdict,
  words: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  switch (verdict.kind) {
    case "help":
      return printOverview(io);
    case "version":
      return runVerb(["version"], io);
    case "verb":
      return runVerb(words, io);
    case "leading-options":
      return runBehindOptions(words, io);
    case "mistyped-verb":
      return refuse(mistypedVerb(verdict.word, verbWords()), words, io);
    case "job-file":
      return refuse(jobFileWithoutVerb(verdict.path), words, io);
    case "compiler":
      return callCompiler(words, io);
    default:
      return assertNever(verdict, "verdict");
  }
}

async function printOverview(io: CommandIo): Promise<ExitCode> {
  const text = renderOverview(
    allCommands().map(({ table }) => table),
    io.stdout.columnCount,
  );
  // A reader that has gone has read enough.
  await io.stdout.write(text).catch(() => undefined);
  return 0;
}

function runVerb(words: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [verb = "", ...others] = words;
  const command = findCommand(verb);
  if (!command) return refuse(mistypedVerb(verb, verbWords()), words, io);
  sendUserOutputToStderr();
  reportStrayFaults(others, io);
  return runCommand({ command, verb, words: others, io, env: process.env, cwd: process.cwd() });
}

/** stdout carries results only; a job file's `inputs` and `reduce` run in this process and may print. */
function sendUserOutputToStderr(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
}

/** What nobody awaited: a fault of our own, unless the command has a judge of its own for it. */
function reportStrayFaults(words: readonly string[], io: CommandIo): void {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, async (fault: unknown) => {
      if (process.listenerCount(event) > 1) return;
      process.exit(fault instanceof OutputClosed ? 0 : await refuse(fault, words, io));
    });
  }
}

async function runBehindOptions(words: readonly string[], io: CommandIo): Promise<ExitCode> {
  let ordered: readonly string[];
  try {
    ordered = putVerbFirst(words, allCommands());
  } catch (error) {
    return refuse(error, words, io);
  }
  return runVerb(ordered, io);
}

async function refuse(error: unknown, words: readonly string[], io: CommandIo): Promise<ExitCode> {
  const { reportError } = await import("./report-error.ts");
  return reportError(error, { words, io, env: process.env });
}

async function callCompiler(words: readonly string[], io: CommandIo): Promise<ExitCode> {
  const compiler = findNextCompiler(process.env, process.execPath);
  if (compiler !== null) handOver(compiler, words, process.env, process.execPath);
  await io.stderr
    .write(`${noCompilerMessage(words, process.env, process.execPath)}\n`)
    .catch(() => undefined);
  return 2;
}
