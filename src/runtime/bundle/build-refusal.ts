/** Turns what the bundler complains about into the one sentence with which the job file is refused. */
import { readFile } from "node:fs/promises";
import type { CcError } from "../protocol/error.ts";
import { findImportChain, type Import, packageOf } from "./import-graph.ts";
import { renamedAddon } from "./native-addons.ts";
import {
  computedImportWarning,
  nativeAddon,
  type Place,
  syntaxError,
  unresolvedImport,
} from "./refusals.ts";
import type { BuildLog } from "./run-bundler.ts";
import { displayPath, findSpecifier, formatPlace, START } from "./source-location.ts";
import { unresolvedHint } from "./unresolved-hint.ts";

const COMPUTED_IMPORT = /^This (.+) expression will not be bundled/;

/** Whether the bundler only minds names that are computed at run time, which is no reason to refuse. */
export function isAboutComputedImports(logs: readonly BuildLog[]): boolean {
  const errors = errorsOf(logs);
  return errors.length > 0 && errors.every(isComputedImport);
}

/** A warning for each computed import in the author's own files; packages know what they do. */
export function computedImportWarnings(logs: readonly BuildLog[], cwd: string): readonly string[] {
  return errorsOf(logs)
    .filter((log) => isComputedImport(log) && !packageOf(log.position?.file ?? ""))
    .map((log) =>
      computedImportWarning(
        placeOf(log, cwd),
        COMPUTED_IMPORT.exec(log.message)?.[1] ?? "import()",
      ),
    );
}

/** The first error, with the number of the others. */
export async function refusalOf(logs: readonly BuildLog[], cwd: string): Promise<CcError> {
  const errors = errorsOf(logs).filter((log) => !isComputedImport(log));
  const [first] = errors;
  if (!first) throw new Error(`the bundler failed without an error: ${logs.join("; ")}`);
  const place = placeOf(first, cwd);
  const moreCount = errors.length - 1;
  if (first.name === "ResolveMessage") {
    const { specifier } = first as ResolveMessage;
    const hint = await unresolvedHint(specifier, first.position?.file ?? cwd);
    return unresolvedImport(place, specifier, hint, moreCount);
  }
  return syntaxError(place, first.message.replace(/\.$/, ""), moreCount);
}

export interface AddonContext {
  /** Every import of the bundle, from the run that still had the addons in it. */
  readonly imports: readonly Import[];
  readonly entryPath: string;
  readonly cwd: string;
}

/** The refusal of a native addon that is needed, or null when the logs are about something else. */
export async function addonRefusalOf(
  logs: readonly BuildLog[],
  { imports, entryPath, cwd }: AddonContext,
): Promise<CcError | null> {
  for (const log of errorsOf(logs)) {
    if (log.name !== "ResolveMessage") continue;
    const specifier = renamedAddon((log as ResolveMessage).specifier);
    const file = log.position?.file;
    if (specifier === null || file === undefined) continue;
    return addonRefusalAt(
      placeOf(log, cwd),
      { importerPath: file, specifier },
      {
        imports,
        entryPath,
        cwd,
      },
    );
  }
  return null;
}

/** The refusal of an addon by its import; names the import in the author's file that led there. */
export async function addonRefusalAt(
  place: Place,
  { importerPath, specifier }: Pick<Import, "importerPath" | "specifier">,
  { imports, entryPath, cwd }: AddonContext,
): Promise<CcError> {
  const [way] = findImportChain(imports, entryPath, importerPath);
  if (!way || !packageOf(importerPath)) return nativeAddon(place, specifier, null);
  const loader = `${formatPlace(place.file, place.position)} requires ${specifier}`;
  return nativeAddon(await placeOfImport(way, cwd), way.specifier, loader);
}

/** Where an import stands in its file. */
export async function placeOfImport(step: Import, cwd: string): Promise<Place> {
  const text = await readFile(step.importerPath, "utf8");
  return {
    file: displayPath(step.importerPath, cwd),
    position: findSpecifier(text, step.specifier),
  };
}

/** In the order of files and lines: files are parsed in parallel, and a message must not change. */
function errorsOf(logs: readonly BuildLog[]): readonly BuildLog[] {
  const keyOf = ({ position }: BuildLog): string =>
    position ? `${position.file}:${String(position.line).padStart(9, "0")}` : "";
  return logs
    .filter((log) => log.level === "error")
    .toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

const isComputedImport = (log: BuildLog): boolean => COMPUTED_IMPORT.test(log.message);

function placeOf(log: BuildLog, cwd: string): Place {
  const { position } = log;
  if (!position) return { file: cwd, position: START };
  return {
    file: displayPath(position.file, cwd),
    position: { line: Math.max(1, position.line), column: Math.max(1, position.column) },
  };
}
