/**
 * Whether `--output` can be written, looked at before anything is submitted, so that hours of work do not
 * end in a mistyped path. It leaves everything as it was: what is in the file stays until there is a
 * first result, and a file that was not there is not there afterwards.
 */
import { access, constants, open, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hasPlaceholder } from "../../protocol/command-template.ts";
import { usageError } from "../../protocol/error.ts";
import { parseTemplate, type TemplatePart } from "../../protocol/placeholder.ts";

export interface Destination {
  /** `-`, a file, or a path with placeholders. */
  readonly output: string;
  /** Another name for `{}`. */
  readonly placeholder: string | null;
  readonly cwd: string;
}

/** @throws CcError `output_not_written`, exit 2. */
export async function checkDestination({ output, placeholder, cwd }: Destination): Promise<void> {
  if (output === "-") return;
  try {
    if (!hasPlaceholder(output, placeholder)) await tryFile(resolve(cwd, output));
    else await tryFolder(resolve(cwd, folderBefore(parseTemplate(output, placeholder)[0])));
  } catch (cause) {
    throw cannotBeWritten(output, cause);
  }
}

/** The folder that every task's file lies below. */
function folderBefore(part: TemplatePart | undefined): string {
  return part?.kind === "text" ? part.text.slice(0, part.text.lastIndexOf("/") + 1) : "";
}

async function tryFile(path: string): Promise<void> {
  const found = await statOrNull(path);
  // Opening a pipe waits for its reader, and closing it again would end that reader.
  if (found !== null && !found.isFile() && !found.isDirectory()) return;
  await (await open(path, "a")).close();
  if (found === null) await rm(path, { force: true });
}

/** Folders are made as they are needed; the nearest that is there must take them. */
async function tryFolder(path: string): Promise<void> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await statOrNull(folder);
    if (found === null && folder !== dirname(folder)) continue;
    if (found !== null && !found.isDirectory())
      throw Object.assign(new Error(folder), { code: "ENOTDIR" });
    await access(folder, constants.W_OK | constants.X_OK);
    return;
  }
}

/** Null where nothing is; a file in place of a folder on the way is an error. */
async function statOrNull(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw cause;
  }
}

function cannotBeWritten(output: string, cause: unknown): Error {
  const { code } = cause as { readonly code?: string };
  const reason = REASONS[code ?? ""] ?? code ?? String(cause);
  return usageError("output_not_written", `--output: ${output} cannot be written: ${reason}.`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  EISDIR: "that is a folder",
  ENOTDIR: "a file stands where a folder is needed",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left",
};
