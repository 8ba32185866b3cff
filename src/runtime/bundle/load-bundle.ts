/**
 * Loads a fresh bundle in this process, to see what the job file exports. This runs the author's
 * top-level code, as reading `inputs` would anyway; it must not let that code end the program.
 */
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describeThrown } from "../job-module/describe-thrown.ts";
import { findExportProblem } from "../job-module/export-problem.ts";
import { type JobModule, jobModuleOf, type ModuleNamespace } from "../job-module/job-module.ts";
import { parseFrames } from "../job-module/stack-trace.ts";
import { CcError } from "../protocol/error.ts";
import {
  exitsWhenLoaded,
  loadsForever,
  type Place,
  throwsWhenLoaded,
  wrongExport,
} from "./refusals.ts";
import { findExport, formatPlace, START } from "./source-location.ts";

export interface LoadRequest {
  readonly code: Uint8Array;
  readonly entryPath: string;
  /** The entry file as messages name it. */
  readonly entryName: string;
  /** How long top-level code may take. */
  readonly deadlineMs: number;
}

/** @throws CcError with exit code 2 when the top level throws, exits or hangs, or an export is wrong. */
export async function loadBundle(request: LoadRequest): Promise<JobModule> {
  const folder = await createFolder();
  try {
    const path = join(folder, "job.mjs");
    await writeFile(path, request.code);
    const namespace = await importGuarded(path, request);
    const entryText = await readFile(request.entryPath, "utf8");
    refuseWrongExports(namespace, entryText, request.entryName);
    return jobModuleOf(namespace, path, exportPlaces(namespace, entryText, request.entryName));
  } finally {
    // The runtime keeps module and source map in memory once it has loaded them.
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its real path, because that is what stack traces name. */
async function createFolder(): Promise<string> {
  try {
    return await realpath(await mkdtemp(join(tmpdir(), "cc-job-")));
  } catch (cause) {
    throw new CcError({
      code: "no_temporary_folder",
      message: `No file can be written to ${tmpdir()}, where a job file is loaded from.`,
      hint: "Set TMPDIR to a folder that can be written.",
      exitCode: 2,
      cause,
    });
  }
}

/** Thrown into the author's code in place of an exit. */
class ExitAttempt extends Error {
  readonly exitCode: string;
  constructor(code: unknown) {
    super("process.exit is not allowed while a job file is loaded");
    this.exitCode = code === undefined ? "" : String(code);
  }
}

async function importGuarded(path: string, request: LoadRequest): Promise<ModuleNamespace> {
  const start: Place = { file: request.entryName, position: START };
  const realExit = process.exit;
  process.exit = (code) => {
    const attempt = new ExitAttempt(code);
    // Only the author's code is held back: Ctrl-C must still end the program meanwhile.
    const frames = parseFrames(attempt.stack ?? "", path);
    if (frames.some((frame) => frame.place !== null)) throw attempt;
    return realExit(code);
  };
  try {
    return await withDeadline(import(path) as Promise<ModuleNamespace>, request.deadlineMs, () =>
      loadsForever(start, request.deadlineMs / 1000),
    );
  } catch (thrown) {
    throw refusalOfThrown(thrown, path, start);
  } finally {
    process.exit = realExit;
  }
}

class DeadlinePassed {
  readonly refusal: Error;
  constructor(refusal: Error) {
    this.refusal = refusal;
  }
}

async function withDeadline<Value>(
  work: Promise<Value>,
  deadlineMs: number,
  refuse: () => Error,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlinePassed(refuse())), deadlineMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function refusalOfThrown(thrown: unknown, path: string, start: Place): Error {
  if (thrown instanceof DeadlinePassed) return thrown.refusal;
  const options = { bundlePath: path, classifyError: undefined };
  const { message, place } = describeThrown(thrown, options);
  const where = place === null ? start : parsePlace(place);
  if (thrown instanceof ExitAttempt) return exitsWhenLoaded(where, thrown.exitCode);
  return throwsWhenLoaded(where, message.replace(/\.$/, ""), thrown);
}

/** `lib/parse.ts:4:13` back into its parts. */
function parsePlace(place: string): Place {
  const [, file = place, line = "1", column = "1"] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
  return { file, position: { line: Number(line), column: Number(column) } };
}

function refuseWrongExports(
  namespace: ModuleNamespace,
  entryText: string,
  entryName: string,
): void {
  const problem = findExportProblem(namespace);
  if (!problem) return;
  const place = { file: entryName, position: findExport(entryText, problem.name) };
  throw wrongExport(place, problem.code, problem.sentence, problem.hint);
}

function exportPlaces(
  namespace: ModuleNamespace,
  entryText: string,
  entryName: string,
): Readonly<Record<string, string>> {
  const names = Object.keys(namespace);
  return Object.fromEntries(
    names.map((name) => [name, formatPlace(entryName, findExport(entryText, name))]),
  );
}
