/**
 * The sentences with which a job file is refused: exit code 2, file and line first. One function per
 * reason; every other file of this room only finds out which reason it is.
 */
import { type CcError, usageError } from "../protocol/error.ts";
import { formatPlace, type Position, START } from "./source-location.ts";

/** A place in an author's file: its name as the author knows it, and where in it. */
export interface Place {
  readonly file: string;
  readonly position: Position;
}

const at = (place: Place, sentence: string): string =>
  `${formatPlace(place.file, place.position)}: ${sentence}`;

/** `and 2 more errors`, or nothing. */
function more(count: number): string {
  if (count === 0) return "";
  return ` (and ${count} more error${count === 1 ? "" : "s"})`;
}

export function syntaxError(place: Place, what: string, moreCount: number): CcError {
  return usageError("syntax_error", at(place, `${what}${more(moreCount)}.`));
}

export function unresolvedImport(
  place: Place,
  specifier: string,
  hint: string,
  moreCount: number,
): CcError {
  return usageError(
    "unresolved_import",
    at(place, `Cannot find "${specifier}"${more(moreCount)}.`),
    hint,
  );
}

/** `loader` is the file that loads the addon when it is not the author's own. */
export function nativeAddon(place: Place, specifier: string, loader: string | null): CcError {
  const what = loader === null ? "is a native addon" : `loads a native addon (${loader})`;
  return usageError(
    "native_addon",
    at(place, `"${specifier}" ${what}, which cannot travel to workers.`),
    "Use a package written in JavaScript, or a built-in such as bun:sqlite.",
  );
}

export function macroImport(place: Place): CcError {
  return usageError(
    "macro_import",
    at(place, "A macro would run on this machine while the job file is bundled."),
    'Import the module without { type: "macro" } and call it in inputs or setup.',
  );
}

export function fileImport(place: Place, specifier: string): CcError {
  return usageError(
    "file_import",
    at(
      place,
      `"${specifier}" is imported as a file, but only code, JSON and text travel to workers.`,
    ),
    'Import text with { type: "text" }, or put the bytes into the inputs.',
  );
}

export function urlImport(place: Place, specifier: string): CcError {
  return usageError(
    "unresolved_import",
    at(place, `"${specifier}" is no local file and no package, expected one that can be bundled.`),
    "Download it, or install the package that has it.",
  );
}

export function noDefaultExport(place: Place): CcError {
  return usageError(
    "no_default_export",
    at(place, "The job file has no default export, expected the function that runs one task."),
    "Write: export default async function (input, ctx) { … }",
  );
}

/** `problem` is a whole sentence from `export-problem.ts`. */
export function wrongExport(place: Place, code: string, problem: string, hint: string): CcError {
  return usageError(code, at(place, problem), hint);
}

export function throwsWhenLoaded(place: Place, thrown: string, cause: unknown): CcError {
  const error = usageError("job_file_throws", at(place, `Loading the job file threw: ${thrown}.`));
  error.cause = cause;
  return error;
}

export function exitsWhenLoaded(place: Place, code: string): CcError {
  return usageError(
    "job_file_exits",
    at(place, `The job file called process.exit(${code}) while it was loaded.`),
    "Move what runs at once into the default export or into inputs.",
  );
}

export function loadsForever(place: Place, seconds: number): CcError {
  return usageError(
    "job_file_hangs",
    at(place, `The job file was not loaded within ${seconds} seconds.`),
    "A top-level await never ended; move it into setup or inputs.",
  );
}

export interface LargeBundle {
  readonly file: string;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly largest: readonly { readonly file: string; readonly bytes: number }[];
}

export function bundleTooLarge({ file, bytes, bytesMax, largest }: LargeBundle): CcError {
  const parts = largest.map((part) => `${part.file} (${formatMib(part.bytes)})`);
  return usageError(
    "bundle_too_large",
    at(
      { file, position: START },
      `The job is ${formatMib(bytes)} of code after bundling, expected at most ${formatMib(bytesMax)}.`,
    ),
    `Read large tables in setup or send them as inputs. The largest parts: ${parts.join(", ")}.`,
  );
}

function formatMib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Not a refusal: a word of warning about `import(expression)`. */
export function computedImportWarning(place: Place, call: string): string {
  return at(
    place,
    `This ${call} finds its module on the worker, which has neither this folder nor its packages.`,
  );
}
