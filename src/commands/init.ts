/**
 * `cc init [DIR]`: a new job project. It never changes a file that exists: one with another text stops
 * it before anything is written.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PROJECT_FILES, type ProjectFile } from "../runtime/bundle/project-files.ts";
import { CcError, type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import type { CommandContext } from "./command-context.ts";
import type { INIT_VERB } from "./tables/setup.ts";

export async function run(context: CommandContext<typeof INIT_VERB>): Promise<ExitCode> {
  const typed = context.positionals[0] ?? ".";
  const folder = resolve(context.cwd, typed);
  const named = folder === resolve(context.cwd) ? "" : typed;
  const missing = await findMissing(folder, named);
  await createFiles(folder, missing);
  await report(context, { folder, named, created: missing.map((file) => file.name) });
  return 0;
}

/** The files still to be written; refuses before the first one when a file is in the way. */
async function findMissing(folder: string, named: string): Promise<readonly ProjectFile[]> {
  const missing: ProjectFile[] = [];
  for (const file of PROJECT_FILES) {
    const existing = await readExisting(join(folder, file.name));
    if (existing === null) missing.push(file);
    else if (existing !== file.text && file.whenDifferent === "refuse") {
      throw usageError(
        "file_exists",
        `${join(named, file.name)} exists and is not what cc init writes; nothing was changed.`,
        "Name another folder: cc init DIR",
      );
    }
  }
  return missing;
}

async function readExisting(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT") return null;
    throw cannotWrite(path, cause);
  }
}

async function createFiles(folder: string, files: readonly ProjectFile[]): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    // `wx`: a file that appeared since the check is not overwritten either.
    for (const { name, text } of files) await writeFile(join(folder, name), text, { flag: "wx" });
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}

function cannotWrite(path: string, cause: unknown): CcError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CcError({
    code: "cannot_write",
    message: `The project cannot be written to ${path}: ${reason}.`,
    hint: "Name a folder that can be written: cc init DIR",
    exitCode: 2,
    cause,
  });
}

interface Outcome {
  readonly folder: string;
  /** As the user typed it; empty for the folder they stand in. */
  readonly named: string;
  readonly created: readonly string[];
}

async function report(
  { io, json, quiet }: CommandContext<typeof INIT_VERB>,
  { folder, named, created }: Outcome,
): Promise<void> {
  if (json) {
    await io.stdout.write(`${JSON.stringify({ schema: JSON_SCHEMA_NAME, folder, created })}\n`);
    return;
  }
  if (quiet) return;
  const lines = created.map((name) => `created ${join(named, name)}\n`);
  if (lines.length === 0) await io.stderr.write("nothing to do: all files exist\n");
  else await io.stdout.write(lines.join(""));
  const steps = [...(named === "" ? [] : [`cd ${quoteWord(named)}`]), "cc submit job.ts"];
  await io.stderr.write(`Next:\n${steps.map((step) => `  ${step}\n`).join("")}`);
}

/** For a shell, when the name holds more than letters and the like. */
function quoteWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
