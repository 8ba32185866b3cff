/** Refuses imports that the bundler let pass but that no worker could follow. */
import { builtinModules } from "node:module";
import { basename, extname } from "node:path";
import type { CcError } from "../protocol/error.ts";
import { placeOfImport } from "./build-refusal.ts";
import { findImportChain, type Import, packageOf } from "./import-graph.ts";
import { fileImport, unresolvedImport, urlImport } from "./refusals.ts";
import { unresolvedHint } from "./unresolved-hint.ts";

export interface CheckContext {
  readonly imports: readonly Import[];
  readonly entryPath: string;
  readonly cwd: string;
  /** Files that the bundler wrote beside the module. */
  readonly extraOutputs: readonly string[];
}

/** The first import that would fail on a worker, or null. */
export async function findImportRefusal(context: CheckContext): Promise<CcError | null> {
  for (const step of context.imports) {
    if (step.isExternal) {
      const refusal = await externalRefusal(step, context.cwd);
      if (refusal) return refusal;
    } else if (isFileImport(step, context.extraOutputs)) {
      const way = nearestOwnImport(step, context);
      return fileImport(await placeOfImport(way, context.cwd), way.specifier);
    }
  }
  return null;
}

/** A static import that was left as it is. A dynamic one may be guarded, and fails where it stands. */
async function externalRefusal(step: Import, cwd: string): Promise<CcError | null> {
  if (step.kind !== "import-statement" || packageOf(step.importerPath)) return null;
  const { specifier } = step;
  if (/^(node|bun):/.test(specifier)) {
    if (isBuiltin(specifier)) return null;
    const place = await placeOfImport(step, cwd);
    return unresolvedImport(
      place,
      specifier,
      await unresolvedHint(specifier, step.importerPath),
      0,
    );
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) {
    return urlImport(await placeOfImport(step, cwd), specifier);
  }
  return /^[./]/.test(specifier) ? fileImport(await placeOfImport(step, cwd), specifier) : null;
}

function isBuiltin(specifier: string): boolean {
  return (
    builtinModules.includes(specifier) || builtinModules.includes(specifier.replace("node:", ""))
  );
}

/** Whether the bundler put the target beside the module instead of into it. */
function isFileImport({ targetPath }: Import, extraOutputs: readonly string[]): boolean {
  const extension = extname(targetPath);
  const stem = basename(targetPath, extension);
  return extraOutputs.some((output) => {
    const emitted = basename(output);
    if (extname(emitted) !== extension) return false;
    // Style sheets and pages are merged and renamed, everything else keeps its name before a hash.
    return extension === ".css" || extension === ".html" || emitted.startsWith(`${stem}-`);
  });
}

/** For a file that a package imports: the author's import that led there. */
function nearestOwnImport(step: Import, { imports, entryPath }: CheckContext): Import {
  if (!packageOf(step.importerPath)) return step;
  return findImportChain(imports, entryPath, step.targetPath)[0] ?? step;
}
