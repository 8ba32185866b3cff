/** Makes the modules that are loaded from now on contain a planted bug. It imports nothing of the program. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { plugin } from "bun";
import { PLANTED_BUGS, type PlantedBug } from "./bugs.ts";

export const ROOT = resolve(import.meta.dir, "../../..");

/** @throws when there is no such bug, or its text is not where it was. */
export function plantBug(name: string): PlantedBug {
  const bug = PLANTED_BUGS.find((one) => one.name === name);
  if (!bug) throw new Error(`There is no bug "${name}": ${PLANTED_BUGS.map((one) => one.name)}`);
  const sources = new Map<string, string>();
  for (const { file, find, replace } of bug.patches) {
    const path = join(ROOT, file);
    const text = sources.get(path) ?? readFileSync(path, "utf8");
    if (text.split(find).length !== 2) throw new Error(`${name}: its text is not once in ${file}`);
    sources.set(
      path,
      text.replace(find, () => replace),
    );
  }
  const isPatched = [...sources.keys()]
    .map((path) => path.replaceAll(/[.\\/+]/g, "\\$&"))
    .join("|");
  plugin({
    name,
    setup(build) {
      build.onLoad({ filter: new RegExp(`^(?:${isPatched})$`) }, ({ path }) => ({
        contents: sources.get(path) ?? "",
        loader: "ts",
      }));
    },
  });
  return bug;
}
