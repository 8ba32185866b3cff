/**
 * Finds imports of native addons, which cannot travel to another machine. A package may try an addon
 * and do without it (`try { require("…") } catch {}`); only the bundler knows which requires are so
 * guarded. So each one found is renamed to a package that does not exist, the bundler runs again,
 * and what it then cannot resolve was needed.
 */
import { readdir, readFile } from "node:fs/promises";
import { type Import, packageOf } from "./import-graph.ts";

const ABSENT_PACKAGE = "crowdcompute-native-addon/";

/** Packages whose only purpose is to find and load the addon of the package that requires them. */
const ADDON_LOADERS: ReadonlySet<string> = new Set([
  "bindings",
  "node-gyp-build",
  "node-gyp-build-optional-packages",
  "node-pre-gyp",
  "@mapbox/node-pre-gyp",
  "pkg-prebuilds",
]);

/** What the root folder of a package with an addon of its own holds. */
const ADDON_MARKS: ReadonlySet<string> = new Set(["binding.gyp", "prebuilds"]);

/** Imports of `.node` files, of addon loaders, and of packages that load an addon in a hidden way. */
export async function findNativeImports(imports: readonly Import[]): Promise<readonly Import[]> {
  const direct = imports.filter((step) => isAddonFile(step) || isAddonLoader(step));
  const explained = new Set(direct.map((step) => packageOf(step.importerPath)?.folder));
  const hidden = await findMarkedPackages(imports, explained);
  const intoHidden = imports.filter((step) => {
    const target = packageOf(step.targetPath)?.folder;
    return (
      target !== undefined && hidden.has(target) && packageOf(step.importerPath)?.folder !== target
    );
  });
  return [...direct, ...intoHidden];
}

const isAddonFile = (step: Import): boolean => step.targetPath.endsWith(".node");

function isAddonLoader(step: Import): boolean {
  const target = packageOf(step.targetPath)?.name;
  return (
    target !== undefined &&
    ADDON_LOADERS.has(target) &&
    packageOf(step.importerPath)?.name !== target
  );
}

/** Folders of packages that ship an addon; those in `explained` already show how they load it. */
async function findMarkedPackages(
  imports: readonly Import[],
  explained: ReadonlySet<string | undefined>,
): Promise<ReadonlySet<string>> {
  const folders = new Set(imports.map((step) => packageOf(step.targetPath)?.folder));
  const marked = new Set<string>();
  for (const folder of folders) {
    if (folder === undefined || explained.has(folder)) continue;
    const names = await readdir(folder).catch(() => []);
    if (names.some((name) => ADDON_MARKS.has(name))) marked.add(folder);
  }
  return marked;
}

/** The importing files' texts with the addons' names made unresolvable, by absolute path. */
export async function renameNativeImports(
  nativeImports: readonly Import[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const { importerPath, specifier } of nativeImports) {
    let text = texts.get(importerPath) ?? (await readFile(importerPath, "utf8"));
    for (const quote of ['"', "'", "`"]) {
      text = text.replaceAll(quote + specifier + quote, quote + ABSENT_PACKAGE + specifier + quote);
    }
    texts.set(importerPath, text);
  }
  return texts;
}

/** The addon's name as the author wrote it, when `specifier` is one that was renamed; null otherwise. */
export function renamedAddon(specifier: string): string | null {
  return specifier.startsWith(ABSENT_PACKAGE) ? specifier.slice(ABSENT_PACKAGE.length) : null;
}
