/** Reads the sources as a graph of imports, for the tests that guard the architecture. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export interface ImportOf {
  /** As written: `./help.ts`, `node:fs`, `yargs`. */
  readonly specifier: string;
  /** Path from the root for relative ones; null for packages and built-ins. */
  readonly file: string | null;
  readonly kind: "value" | "type" | "lazy";
}

export interface SourceFile {
  /** From the root, with forward slashes: `src/commands/help.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the content of strings. */
  readonly code: string;
  readonly imports: readonly ImportOf[];
}

/** Every TypeScript file below `root/folder`. */
export function readSources(root: string, folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) =>
      describeSource(root, join(folder, name), readFileSync(join(root, folder, name), "utf8")),
    )
    .sort((left, right) => left.path.localeCompare(right.path));
}

export function describeSource(root: string, path: string, text: string): SourceFile {
  const unixPath = path.replaceAll("\\", "/");
  return {
    path: unixPath,
    text,
    code: stripText(text),
    imports: scanImports(root, unixPath, text),
  };
}

const STATIC_IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[\w$*\s{},]*?\bfrom\s*)?["']([^"'\n]+)["']/gm;
const LAZY_IMPORT = /\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;

function scanImports(root: string, path: string, text: string): readonly ImportOf[] {
  const code = stripComments(text);
  const toFile = (specifier: string) =>
    specifier.startsWith(".")
      ? relative(root, resolve(root, dirname(path), specifier)).replaceAll("\\", "/")
      : null;
  const found: ImportOf[] = [];
  for (const [, typeOnly, specifier = ""] of code.matchAll(STATIC_IMPORT)) {
    found.push({ specifier, file: toFile(specifier), kind: typeOnly ? "type" : "value" });
  }
  for (const [, specifier = ""] of code.matchAll(LAZY_IMPORT)) {
    found.push({ specifier, file: toFile(specifier), kind: "lazy" });
  }
  return found;
}

/** Comments, strings and template texts; a regular expression's text stays, which these tests can bear. */
const TEXTS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;

function stripComments(text: string): string {
  return text.replace(TEXTS, (match) => (match.startsWith("/") ? " " : match));
}

/** What stands between `${` and `}` is code and stays. */
function stripText(text: string): string {
  return text.replace(TEXTS, (match) => {
    if (match.startsWith("/")) return match.replace(/[^\n]/g, " ");
    if (!match.startsWith("`")) return '""';
    return `\`${[...match.matchAll(/\$\{([^}]*)\}/g)].map(([, code]) => code).join(";")}\``;
  });
}

/** The files that `start` needs before anything lazy, types left out. */
export function staticClosure(
  start: string,
  sources: readonly SourceFile[],
): readonly SourceFile[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const seen = new Set<SourceFile>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (!source || seen.has(source)) continue;
    seen.add(source);
    for (const { file, kind } of source.imports)
      if (file !== null && kind === "value") waiting.push(file);
  }
  return [...seen];
}

/** Each circle of static imports, types included, as the paths along it. */
export function findCycles(sources: readonly SourceFile[]): readonly (readonly string[])[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path]);
      return;
    }
    if (finished.has(path)) return;
    for (const { file, kind } of byPath.get(path)?.imports ?? []) {
      if (file !== null && kind !== "lazy") visit(file, [...trail, path]);
    }
    finished.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return cycles;
}
