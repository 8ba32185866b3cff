/**
 * Runs the bundler over a job file as often as it takes to know what travels: with computed imports as
 * errors and then without, with native addons and then without.
 */
import type { CcError } from "../protocol/error.ts";
import {
  addonRefusalOf,
  computedImportWarnings,
  isAboutComputedImports,
  refusalOf,
} from "./build-refusal.ts";
import { findImportRefusal } from "./check-imports.ts";
import { type Import, type ImportGraph, listExports, listImports } from "./import-graph.ts";
import { macroPosition } from "./macro-import.ts";
import { findNativeImports, renameNativeImports } from "./native-addons.ts";
import { macroImport, noDefaultExport } from "./refusals.ts";
import { type BuildResult, runBundler } from "./run-bundler.ts";
import { displayPath, START } from "./source-location.ts";

export interface BuildContext {
  /** Absolute, symbolic links resolved, as all paths from the bundler are. */
  readonly entryPath: string;
  /** Symbolic links resolved; messages name files relative to it. */
  readonly cwd: string;
  /** The process's folder: the bundler writes paths as seen from there, whatever `cwd` is. */
  readonly baseFolder: string;
}

export interface BuiltJob {
  readonly code: string;
  readonly map: string;
  readonly graph: ImportGraph;
  readonly warnings: readonly string[];
  /** Imports of native addons that packages try and were left out. */
  readonly addonsLeftOut: readonly Import[];
}

type Built = Extract<BuildResult, { kind: "built" }>;

/** @throws CcError with exit code 2 for whatever no worker could run. */
export async function buildJob(context: BuildContext): Promise<BuiltJob> {
  const { built, warnings } = await buildWithWarnings(context);
  refuseMissingDefault(built, context);
  const imports = listImports(built.graph, context.baseFolder);
  const native = await findNativeImports(imports);
  const carried = native.length === 0 ? built : await buildWithout(native, { ...context, imports });
  await refuseImports(carried, context);
  const { code, map, graph } = carried;
  return { code, map, graph, warnings, addonsLeftOut: native };
}

/** First with computed imports as errors, because only so does the bundler tell where they are. */
async function buildWithWarnings(
  context: BuildContext,
): Promise<{ readonly built: Built; readonly warnings: readonly string[] }> {
  const request = { entryPath: context.entryPath, replacements: new Map<string, string>() };
  const strict = await runBundler({ ...request, computedImports: "refuse" });
  if (strict.kind === "failed" && isAboutComputedImports(strict.logs)) {
    const lenient = await runBundler({ ...request, computedImports: "allow" });
    const warnings = computedImportWarnings(strict.logs, context.cwd);
    return { built: await builtOrRefusal(lenient, context), warnings };
  }
  return { built: await builtOrRefusal(strict, context), warnings: [] };
}

async function builtOrRefusal(result: BuildResult, { cwd }: BuildContext): Promise<Built> {
  switch (result.kind) {
    case "built":
      return result;
    case "macro":
      throw macroImport({
        file: displayPath(result.path, cwd),
        position: macroPosition(result.text),
      });
    case "failed":
      throw await refusalOf(result.logs, cwd);
  }
}

function refuseMissingDefault(
  { graph }: Built,
  { entryPath, cwd, baseFolder }: BuildContext,
): void {
  const exports = listExports(graph, entryPath, baseFolder);
  if (exports !== null && !exports.includes("default")) {
    throw noDefaultExport({ file: displayPath(entryPath, cwd), position: START });
  }
}

/** The bundle without addons that packages only try; the refusal of one that is needed. */
async function buildWithout(
  native: readonly Import[],
  context: BuildContext & { readonly imports: readonly Import[] },
): Promise<Built> {
  const result = await runBundler({
    entryPath: context.entryPath,
    replacements: await renameNativeImports(native),
    computedImports: "allow",
  });
  if (result.kind === "failed") {
    const refusal: CcError | null = await addonRefusalOf(result.logs, context);
    if (refusal) throw refusal;
  }
  return builtOrRefusal(result, context);
}

async function refuseImports(built: Built, context: BuildContext): Promise<void> {
  const refusal = await findImportRefusal({
    ...context,
    imports: listImports(built.graph, context.baseFolder),
    extraOutputs: built.extraOutputs,
  });
  if (refusal) throw refusal;
}
