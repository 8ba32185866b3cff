/**
 * The one call of `Bun.build`: a job file in, one ESM module with its map and import graph out. It must
 * never run any code of the folder it reads: no macro, no preload, no plugin, no environment file.
 */
import { CROWDCOMPUTE_NAMESPACE, CROWDCOMPUTE_SOURCE } from "./crowdcompute-module.ts";
import type { ImportGraph } from "./import-graph.ts";
import { isMacroImport } from "./macro-import.ts";

/** What `__dirname` and `__filename` become; `compose-bundle.ts` declares them. */
export const DIRNAME_IDENTIFIER = "__crowdcompute_dirname";
export const FILENAME_IDENTIFIER = "__crowdcompute_filename";

export type BuildLog = BuildMessage | ResolveMessage;

export interface BuildRequest {
  readonly entryPath: string;
  /** Whether `import(expression)` is an error (so that it can be reported) or left to run time. */
  readonly computedImports: "refuse" | "allow";
  /** Text that stands in for a file's own, by absolute path. */
  readonly replacements: ReadonlyMap<string, string>;
}

export type BuildResult =
  | { readonly kind: "failed"; readonly logs: readonly BuildLog[] }
  /** A file asks for a macro, which would run at bundling; it was not run. */
  | { readonly kind: "macro"; readonly path: string; readonly text: string }
  | {
      readonly kind: "built";
      readonly code: string;
      /** The source map as JSON text. */
      readonly map: string;
      readonly graph: ImportGraph;
      /** Outputs beside the module, such as images: names of the emitted files. */
      readonly extraOutputs: readonly string[];
    };

/** Files of npm packages keep the bundler's fast way: only an author's own files are looked into. */
const AUTHOR_FILES = /^(?!.*[\\/]node_modules[\\/]).*\.[cm]?[jt]sx?$/;
const EVERY_SCRIPT = /\.[cm]?[jt]sx?$/;

export async function runBundler(request: BuildRequest): Promise<BuildResult> {
  const macroFiles: { path: string; text: string }[] = [];
  const output = await Bun.build({
    entrypoints: [request.entryPath],
    target: "bun",
    format: "esm",
    // Comments name paths as seen from this process; without them equal sources give equal bytes.
    minify: { whitespace: true },
    sourcemap: "external",
    metafile: true,
    throw: false,
    env: "disable",
    // Otherwise the submitter's NODE_ENV and folders would be written into the code.
    define: {
      "process.env.NODE_ENV": '"production"',
      __dirname: DIRNAME_IDENTIFIER,
      __filename: FILENAME_IDENTIFIER,
    },
    allowUnresolved: request.computedImports === "refuse" ? [] : ["*", ""],
    plugins: [
      {
        name: "crowdcompute",
        setup(builder) {
          provideCrowdcompute(builder);
          replaceFiles(builder, request.replacements);
          keepMacrosOut(builder, macroFiles, request.replacements);
        },
      },
    ],
  });
  const macro = macroFiles[0];
  if (macro) return { kind: "macro", ...macro };
  return output.success ? readOutput(output) : { kind: "failed", logs: output.logs };
}

function provideCrowdcompute(builder: Bun.PluginBuilder): void {
  builder.onResolve({ filter: /^crowdcompute$/ }, () => ({
    path: "crowdcompute",
    namespace: CROWDCOMPUTE_NAMESPACE,
  }));
  builder.onLoad({ filter: /.*/, namespace: CROWDCOMPUTE_NAMESPACE }, () => ({
    contents: CROWDCOMPUTE_SOURCE,
    loader: "js",
  }));
}

function replaceFiles(builder: Bun.PluginBuilder, replacements: ReadonlyMap<string, string>): void {
  if (replacements.size === 0) return;
  builder.onLoad({ filter: EVERY_SCRIPT }, ({ path, loader }) => {
    const contents = replacements.get(path);
    return contents === undefined ? undefined : { contents, loader };
  });
}

/** A file with a macro is given to the bundler empty: it would run the macro while parsing. */
function keepMacrosOut(
  builder: Bun.PluginBuilder,
  found: { path: string; text: string }[],
  replacements: ReadonlyMap<string, string>,
): void {
  builder.onLoad({ filter: AUTHOR_FILES }, async ({ path }) => {
    if (replacements.has(path)) return undefined;
    const text = await Bun.file(path).text();
    if (!isMacroImport(text)) return undefined;
    found.push({ path, text });
    return { contents: "", loader: "js" };
  });
}

async function readOutput(output: Bun.BuildOutput): Promise<BuildResult> {
  const [module, ...others] = output.outputs;
  const map = module?.sourcemap;
  if (!module || !map || !output.metafile) throw new Error("the bundler gave no module");
  return {
    kind: "built",
    code: await module.text(),
    map: await map.text(),
    graph: output.metafile,
    extraOutputs: others.filter((other) => other.kind !== "sourcemap").map((other) => other.path),
  };
}
