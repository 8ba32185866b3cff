/** Guesses what an import that leads nowhere was meant to be. Reads file names only, never files. */
import { readdir } from "node:fs/promises";
import { builtinModules } from "node:module";
import { basename, dirname, extname, resolve } from "node:path";
import { nearestName } from "../platform/nearest-name.ts";
import { JOB_FILE_EXTENSIONS } from "./entry-file.ts";

const PACKAGE_NAME = /^(@[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*|[a-z0-9][\w.-]*)(?:\/.*)?$/i;

export async function unresolvedHint(specifier: string, importerPath: string): Promise<string> {
  if (/^[./]/.test(specifier)) return fileHint(specifier, importerPath);
  if (specifier.startsWith("#")) return `Add "${specifier}" to "imports" in package.json.`;
  const builtin = builtinHint(specifier);
  if (builtin) return builtin;
  const beside = await findBeside(`./${specifier}`, importerPath);
  if (beside) return `Did you mean "${beside}"?`;
  const name = PACKAGE_NAME.exec(specifier)?.[1];
  if (name) return `npm install ${name}`;
  return `Give "${specifier}" a meaning under "paths" in tsconfig.json, or write a relative path.`;
}

async function fileHint(specifier: string, importerPath: string): Promise<string> {
  const near = await findBeside(specifier, importerPath, nearestName);
  return near
    ? `Did you mean "${near}"?`
    : `Write the path as seen from ${basename(importerPath)}, such as "./lib/helper.ts".`;
}

/** A file where the specifier points, with the same name or one that `choose` takes for it. */
async function findBeside(
  specifier: string,
  importerPath: string,
  choose: (typed: string, names: string[]) => string | null = (typed, names) =>
    names.includes(typed) ? typed : null,
): Promise<string | null> {
  const folder = dirname(resolve(dirname(importerPath), specifier));
  const files = (await readdir(folder).catch(() => [])).filter((file) =>
    (JOB_FILE_EXTENSIONS as readonly string[]).includes(extname(file)),
  );
  const stem = withoutExtension(basename(specifier));
  const chosen = choose(stem, files.map(withoutExtension));
  const file = files.find((name) => withoutExtension(name) === chosen);
  return file ? specifier.slice(0, specifier.lastIndexOf("/") + 1) + file : null;
}

function withoutExtension(file: string): string {
  const extension = extname(file);
  return extension === "" ? file : file.slice(0, -extension.length);
}

/** Only for what clearly means a built-in: `node:fs/promise`, `bun:sqlit`, `fs/promise`. */
function builtinHint(specifier: string): string | null {
  const [, scheme, name = ""] = /^(node:|bun:)?(.*)$/.exec(specifier) ?? [];
  const root = name.split("/")[0] ?? "";
  const isMeant = scheme !== undefined || (name.includes("/") && builtinModules.includes(root));
  if (!isMeant) return null;
  const prefix = scheme ?? "node:";
  const names = builtinModules
    .filter((builtin) => builtin.startsWith("bun:") === (prefix === "bun:"))
    .map((builtin) => builtin.replace(/^(node|bun):/, ""));
  const near = nearestName(name, names);
  return near ? `Did you mean "${prefix}${near}"?` : `Bun ${Bun.version} has no such built-in.`;
}
