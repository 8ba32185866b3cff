/**
 * Reads the bundler's account of which file imports which. Pure. Paths in it are relative to the
 * process's folder; callers get absolute ones.
 */
import { resolve } from "node:path";
import { CROWDCOMPUTE_NAMESPACE } from "./crowdcompute-module.ts";

/** The part of the bundler's metafile that we use. */
export interface ImportGraph {
  readonly inputs: Readonly<Record<string, GraphInput>>;
  readonly outputs: Readonly<Record<string, GraphOutput>>;
}

interface GraphInput {
  readonly bytes: number;
  readonly imports: readonly GraphImport[];
  readonly format?: string;
}

interface GraphImport {
  readonly path: string;
  readonly kind: string;
  /** As written, when it differs from `path`. */
  readonly original?: string;
  readonly external?: boolean;
}

interface GraphOutput {
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
  readonly exports: readonly string[];
  readonly entryPoint?: string;
}

/** One import statement or call, as it stands in a file. */
export interface Import {
  readonly importerPath: string;
  readonly specifier: string;
  /** Absolute; as written when the import is left to run time. */
  readonly targetPath: string;
  readonly kind: string;
  readonly isExternal: boolean;
}

/** Every import of every file in the bundle, of local files and packages alike. */
export function listImports(graph: ImportGraph, baseFolder: string): readonly Import[] {
  return Object.entries(graph.inputs).flatMap(([importer, input]) =>
    input.imports.map((entry) => ({
      importerPath: resolve(baseFolder, importer),
      specifier: entry.original ?? entry.path,
      targetPath: entry.external ? entry.path : resolve(baseFolder, entry.path),
      kind: entry.kind,
      isExternal: entry.external ?? false,
    })),
  );
}

/** Every file that went into the bundle, absolute and in a stable order. */
export function listSourceFiles(graph: ImportGraph, baseFolder: string): readonly string[] {
  return Object.keys(graph.inputs)
    .filter((path) => !path.startsWith(`${CROWDCOMPUTE_NAMESPACE}:`))
    .map((path) => resolve(baseFolder, path))
    .sort();
}

/** What the entry module exports; null for CommonJS, whose exports show only when it runs. */
export function listExports(
  graph: ImportGraph,
  entryPath: string,
  baseFolder: string,
): readonly string[] | null {
  const isEntry = (path: string): boolean => resolve(baseFolder, path) === entryPath;
  const [, input] = Object.entries(graph.inputs).find(([path]) => isEntry(path)) ?? [];
  if (input?.format === "cjs") return null;
  // Of an empty file the bundler makes a module whose default export is an empty object.
  if (input?.bytes === 0) return [];
  const outputs = Object.values(graph.outputs);
  return outputs.find(({ entryPoint }) => entryPoint && isEntry(entryPoint))?.exports ?? [];
}

/** The files that make up most of the bundle, largest first: `lib/table.json (12.3 MiB)`. */
export function listLargest(graph: ImportGraph, count: number): readonly LargeFile[] {
  const sizes = Object.values(graph.outputs).flatMap((output) => Object.entries(output.inputs));
  return sizes
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
    .sort((left, right) => right.bytes - left.bytes)
    .slice(0, count);
}

export interface LargeFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * The imports that lead from the entry file to `targetPath`, the entry's own first; empty when there
 * are none. The shortest such way, so that the message names the import the author can change.
 */
export function findImportChain(
  imports: readonly Import[],
  entryPath: string,
  targetPath: string,
): readonly Import[] {
  const importsOf = Map.groupBy(imports, (step) => step.importerPath);
  const reachedBy = new Map<string, Import>();
  const frontier = [entryPath];
  // The list grows while it is walked: breadth first, so the first way found is the shortest.
  for (const path of frontier) {
    for (const step of importsOf.get(path) ?? []) {
      if (reachedBy.has(step.targetPath) || step.targetPath === entryPath) continue;
      reachedBy.set(step.targetPath, step);
      frontier.push(step.targetPath);
    }
  }
  const chain: Import[] = [];
  for (let step = reachedBy.get(targetPath); step; step = reachedBy.get(step.importerPath)) {
    chain.unshift(step);
  }
  return chain;
}

/** The package a file belongs to: its folder and name, or null for a file of the author's own. */
export function packageOf(path: string): { readonly folder: string; readonly name: string } | null {
  const match = /^(.*[\\/]node_modules[\\/])((?:@[^\\/]+[\\/])?[^\\/]+)(?:[\\/]|$)/.exec(path);
  if (!match) return null;
  const [, parent = "", name = ""] = match;
  return { folder: parent + name, name: name.replaceAll("\\", "/") };
}
