/**
 * A build of the program whose monitor throws when the key `9` is pressed, in the place that CC_TEST_THROW names.
 * The throws are put into the sources as they are bundled; no other build can be told to.
 */
import { join } from "node:path";
import type { BunPlugin } from "bun";
import { type BuildRequest, buildBinary } from "../../../../scripts/build-binary.ts";

export const PLACES_OF_THROWS = ["handler", "timer", "promise", "picture", "react"] as const;
export type PlaceOfThrow = (typeof PLACES_OF_THROWS)[number];

interface Edit {
  readonly find: string;
  readonly instead: string;
}

/** By the end of a file's path: a text that must stand there exactly once, and what comes instead. */
const EDITS: Readonly<Record<string, Edit>> = {
  "src/tui/navigation/reducer.ts": {
    find: "  const step = apply(state, action, context);",
    instead: `
      const told = process.env["CC_TEST_THROW"];
      const fault = () => new Error("thrown in " + told);
      if (action.kind === "key" && action.key === "9") {
        if (told === "handler") throw fault();
        if (told === "timer") setTimeout(() => { throw fault(); }, 1);
        if (told === "promise") void Promise.reject(fault());
        globalThis.throwsIn = told;
      }
      const step = apply(state, action, context);`,
  },
  "src/tui/panes/screen.ts": {
    find: "  const { columns, rows } = model.view;\n  const drawn =",
    instead: `
      if (globalThis.throwsIn === "picture") throw new Error("thrown in picture");
      const { columns, rows } = model.view;
      const drawn =`,
  },
  "src/tui/ink/app.tsx": {
    find: "  const { suspendTerminal } = useApp();",
    instead: `
      if (globalThis.throwsIn === "react") throw new Error("thrown in react");
      const { suspendTerminal } = useApp();`,
  },
};

const FAULTS: BunPlugin = {
  name: "faults of the monitor",
  setup(build) {
    for (const [path, edit] of Object.entries(EDITS)) {
      const filter = new RegExp(`${path.replaceAll(/[./]/g, "\\$&")}$`);
      build.onLoad({ filter }, async (file) => ({
        contents: edited(await Bun.file(file.path).text(), edit, path),
        loader: path.endsWith("x") ? "tsx" : "ts",
      }));
    }
  },
};

function edited(source: string, { find, instead }: Edit, path: string): string {
  if (source.split(find).length !== 2) throw new Error(`${path} must hold once: ${find}`);
  return source.replace(find, instead);
}

/** @returns the program's path, in this folder. */
export async function buildFaultyMonitor(folder: string): Promise<string> {
  const outfile = join(folder, "cc");
  const target = `${process.platform}-${process.arch}` as BuildRequest["target"];
  await buildBinary({ target, outfile, plugins: [FAULTS] });
  return outfile;
}
