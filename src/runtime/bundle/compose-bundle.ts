/**
 * Makes the bytes that travel: the bundler's module with a source map whose paths are the author's.
 * Equal sources must give equal bytes, whoever bundles them and wherever; the hash is the code's name.
 */
import { resolve } from "node:path";
import { CROWDCOMPUTE_NAMESPACE } from "./crowdcompute-module.ts";
import { DIRNAME_IDENTIFIER, FILENAME_IDENTIFIER } from "./run-bundler.ts";
import { displayPath } from "./source-location.ts";

export interface ComposeRequest {
  readonly code: string;
  /** The bundler's source map as JSON; its sources are relative to `baseFolder`. */
  readonly map: string;
  readonly baseFolder: string;
  /** Paths under this folder are shown relative to it, all others absolute. */
  readonly cwd: string;
}

/** Tells the runtime that the code needs no further transpiling; it must stand on the first line. */
const PRAGMA = "// @bun";

export function composeBundle({ code, map, baseFolder, cwd }: ComposeRequest): Uint8Array {
  const { body, headLineCount } = splitHead(code);
  const prologue = body.includes("__crowdcompute_")
    ? `var ${DIRNAME_IDENTIFIER}=import.meta.dir,${FILENAME_IDENTIFIER}=import.meta.path;`
    : "";
  const rewritten = rewriteMap(map, {
    addedLineCount: 2 - headLineCount,
    rename: (source) =>
      source.startsWith(`${CROWDCOMPUTE_NAMESPACE}:`)
        ? CROWDCOMPUTE_NAMESPACE
        : displayPath(resolve(baseFolder, source), cwd),
  });
  const encodedMap = Buffer.from(rewritten).toString("base64");
  return new TextEncoder().encode(
    `${PRAGMA}\n${prologue}\n${body}\n//# sourceMappingURL=data:application/json;base64,${encodedMap}\n`,
  );
}

/** The code without the lines before it (pragma, `#!`) and the debug id after it. */
function splitHead(code: string): { readonly body: string; readonly headLineCount: number } {
  const lines = code.split("\n");
  let headLineCount = 0;
  while (/^(#!|\/\/ @bun)/.test(lines[headLineCount] ?? "")) headLineCount += 1;
  const body = lines
    .slice(headLineCount)
    .join("\n")
    .replace(/\n*(\/\/# debugId=[0-9A-F]*\n*)?$/, "");
  return { body, headLineCount };
}

interface MapChange {
  /** Lines added in front; negative when more were taken away. */
  readonly addedLineCount: number;
  readonly rename: (source: string) => string;
}

/** Also drops the sources' texts, which double a bundle and serve no stack trace. */
function rewriteMap(map: string, { addedLineCount, rename }: MapChange): string {
  const { mappings, names, sources } = JSON.parse(map) as {
    mappings: string;
    names: string[];
    sources: string[];
  };
  return JSON.stringify({
    version: 3,
    sources: sources.map(rename),
    // Without this column, empty or not, the runtime takes the whole map for invalid.
    sourcesContent: sources.map(() => ""),
    names,
    mappings:
      addedLineCount >= 0 ? ";".repeat(addedLineCount) + mappings : mappings.slice(-addedLineCount),
  });
}
