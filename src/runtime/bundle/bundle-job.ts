/**
 * A job file becomes one module that runs on any worker: bundled with its local modules and npm
 * packages, named by its hash, loaded once here to see what it exports. Everything that is wrong with
 * the file is refused here, before anything is submitted.
 */
import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import type { JobModule } from "../job-module/job-module.ts";
import { CcError } from "../protocol/error.ts";
import { BUNDLE_BYTES_MAX } from "../protocol/limits.ts";
import { type BuildContext, type BuiltJob, buildJob } from "./build-job.ts";
import { addonRefusalAt, placeOfImport } from "./build-refusal.ts";
import { composeBundle } from "./compose-bundle.ts";
import { resolveEntryFile } from "./entry-file.ts";
import { listImports, listLargest, listSourceFiles } from "./import-graph.ts";
import { loadBundle } from "./load-bundle.ts";
import { bundleTooLarge } from "./refusals.ts";
import { displayPath } from "./source-location.ts";

export interface JobBundle {
  readonly code: Uint8Array;
  /** Of `code`, in hex: the bundle's name everywhere. */
  readonly sha256: string;
  /** As the author named it, relative to the folder it was named in. */
  readonly entryFile: string;
  /** `export const options` as it is, `{}` without one. */
  readonly options: unknown;
  readonly exportsPresent: {
    readonly setup: boolean;
    readonly inputs: boolean;
    readonly reduce: boolean;
    readonly initial: boolean;
    readonly classifyError: boolean;
  };
  /** Every file in the bundle, absolute, sorted. */
  readonly sourceFiles: readonly string[];
  /** The module, loaded in this process: for `readInputBatches` and `createReducer`. */
  readonly module: JobModule;
  /** One line each, to be shown once. */
  readonly warnings: readonly string[];
}

export interface BundleOptions {
  /** The folder that relative paths are meant from, in arguments and in messages. */
  readonly cwd: string;
  readonly bytesMax?: number;
  /** How long the file's top-level code may take. */
  readonly loadDeadlineMs?: number;
}

const LOAD_DEADLINE_MS = 30_000;
/** Files that the refusal of a large bundle names. */
const LARGEST_NAMED = 3;

/**
 * Bundles and loads a job file. User code prints to stdout unless `redirectConsoleToStderr` was
 * called before.
 * @throws CcError with exit code 2, file and line in its message, for everything that is wrong.
 */
export async function bundleJob(entryPath: string, options: BundleOptions): Promise<JobBundle> {
  const entry = await resolveEntryFile(entryPath, options.cwd);
  const cwd = await realpath(options.cwd);
  const context: BuildContext = { entryPath: entry.path, cwd, baseFolder: process.cwd() };
  const built = await buildJob(context);
  const code = composeBundle({ code: built.code, map: built.map, ...context });
  refuseTooLarge(code, built, { ...context, bytesMax: options.bytesMax ?? BUNDLE_BYTES_MAX });
  const module = await loadBundle({
    code,
    entryPath: entry.path,
    entryName: displayPath(entry.path, cwd),
    deadlineMs: options.loadDeadlineMs ?? LOAD_DEADLINE_MS,
  }).catch((thrown: unknown) => blameAddon(thrown, built, context));
  return {
    code,
    sha256: createHash("sha256").update(code).digest("hex"),
    entryFile: entry.namedAs,
    options: module.options,
    exportsPresent: presenceOf(module),
    sourceFiles: listSourceFiles(built.graph, context.baseFolder),
    module,
    warnings: built.warnings,
  };
}

/** A package that tried its addon and then gave up at once has the addon to blame. */
async function blameAddon(thrown: unknown, built: BuiltJob, context: BuildContext): Promise<never> {
  const [addon] = built.addonsLeftOut;
  if (!addon || !(thrown instanceof CcError && thrown.code === "job_file_throws")) throw thrown;
  const imports = listImports(built.graph, context.baseFolder);
  const place = await placeOfImport(addon, context.cwd);
  throw await addonRefusalAt(place, addon, { ...context, imports });
}

function refuseTooLarge(
  code: Uint8Array,
  { graph }: BuiltJob,
  { entryPath, cwd, baseFolder, bytesMax }: BuildContext & { readonly bytesMax: number },
): void {
  if (code.byteLength <= bytesMax) return;
  throw bundleTooLarge({
    file: displayPath(entryPath, cwd),
    bytes: code.byteLength,
    bytesMax,
    largest: listLargest(graph, LARGEST_NAMED).map(({ path, bytes }) => ({
      file: displayPath(resolve(baseFolder, path), cwd),
      bytes,
    })),
  });
}

function presenceOf(module: JobModule): JobBundle["exportsPresent"] {
  return {
    setup: module.setup !== undefined,
    inputs: module.hasInputs,
    reduce: module.reduce !== undefined,
    initial: module.hasInitial,
    classifyError: module.classifyError !== undefined,
  };
}
