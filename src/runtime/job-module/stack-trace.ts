/**
 * Cleans the stack of an author's error: frames name the author's files, our own and the engine's are
 * gone. The bundle's source map has already been applied by the runtime. Pure text work.
 */
import { dirname, relative, sep } from "node:path";

export interface Frame {
  /** `at parse (lib/parse.ts:4:13)`, without indentation. */
  readonly text: string;
  /** `lib/parse.ts:4:13`; null for a frame without a file. */
  readonly place: string | null;
}

const FRAME = /^\s*at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/;
const FRAME_WITHOUT_PLACE = /^\s*at .+$/;

/** What the engine puts between a caller and an author's module or promise. */
const ENGINE_FUNCTIONS =
  /^(async )?(processTicksAndRejections|asyncFunctionResume|asyncFunctionNext|promiseReactionJob\w*|moduleEvaluation|\w*ModuleEvaluation|loadAndEvaluateModule|loadModule|requestImportModule|linkAndEvaluateModule|drainMicrotasks|runMicrotasks)\b/;

/** The name that `crowdcompute-module.ts` has in source maps. */
const RUNTIME_MODULE = "crowdcompute-runtime";

/** Our own code: the executable's files, and this source tree when it runs uncompiled. */
const OWN_FOLDERS = ["/$bunfs/", "B:\\~BUN\\", "B:/~BUN/", `${sourceRoot()}${sep}`];

/**
 * The frames of `stack` in the author's files and packages, outermost last, with what the engine ran
 * within or between them; what called the author's outermost function is of no interest.
 */
export function parseFrames(stack: string, bundlePath: string): readonly Frame[] {
  const frames: Frame[] = [];
  for (const line of stack.split("\n")) {
    const frame = parseFrame(line, dirname(bundlePath));
    if (frame) frames.push(frame);
  }
  const outermost = frames.findLastIndex(({ place }) => place !== null);
  return outermost < 0 ? frames : frames.slice(0, outermost + 1);
}

function parseFrame(line: string, bundleFolder: string): Frame | null {
  const match = FRAME.exec(line);
  if (!match) return FRAME_WITHOUT_PLACE.test(line) ? parsePlaceless(line) : null;
  const [, name = "", path = "", row = "", column = ""] = match;
  if (ENGINE_FUNCTIONS.test(name) || OWN_FOLDERS.some((folder) => path.startsWith(folder))) {
    return null;
  }
  if (
    path === "native" ||
    path === "unknown" ||
    path.startsWith("node:") ||
    path.startsWith("bun:")
  ) {
    return name === "" ? null : { text: `at ${name} (native)`, place: null };
  }
  const file = path.startsWith(bundleFolder + sep) ? relative(bundleFolder, path) : path;
  if (file === RUNTIME_MODULE) return null;
  const place = `${file}:${row}:${column}`;
  return { text: name === "" ? `at ${place}` : `at ${name} (${place})`, place };
}

function parsePlaceless(line: string): Frame | null {
  const text = line.trim().replace(/ \(unknown\)$/, " (native)");
  // The engine's inner frames repeat the function's name and have no place at all.
  if (text.endsWith("(:0)")) return null;
  return ENGINE_FUNCTIONS.test(text.slice("at ".length)) ? null : { text, place: null };
}

function sourceRoot(): string {
  return dirname(dirname(import.meta.dir));
}
