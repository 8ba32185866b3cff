/**
 * Hands a compiler call over to the next `cc` on PATH that is not a copy of us, by replacing this process.
 * It must leave no trace: same arguments, same files, same exit code, and no loop, even where a wrapper
 * such as ccache looks for `cc` on PATH again and finds us.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { safeLine } from "../runtime/platform/safe-text.ts";

/** Lists the files, by real path, that this chain of calls has been through already. */
export const SKIPPED_VARIABLE = "CC_SKIPPED";
/** The build appends this to our executable, so that other versions of it are known too. */
export const EXECUTABLE_MARK = "\ncrowdcompute executable\n";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Compiler {
  /** As found on PATH: wrappers decide by this name what they are. */
  readonly path: string;
  readonly realPath: string;
}

/** The next `cc` on PATH that is neither a copy of us nor was tried before; null without one. */
export function findNextCompiler(env: Environment, ownPath: string): Compiler | null {
  const own = describeExecutable(ownPath);
  const skipped = new Set(skippedPaths(env));
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(resolve(folder === "" ? "." : folder), "cc");
    const found = describeExecutable(path);
    if (found === null || skipped.has(found.realPath) || isCopyOf(found, own)) continue;
    return { path, realPath: found.realPath };
  }
  return null;
}

/** Replaces this process; returns only by throwing. */
export function handOver(
  compiler: Compiler,
  words: readonly string[],
  env: Environment,
  ownPath: string,
): never {
  // Bun ignores these two, an ignored signal survives execve, and a compiler piped into `head` would then
  // complain instead of dying. A caught one is reset to its default by execve.
  process.on("SIGPIPE", () => undefined);
  process.on("SIGXFSZ" as NodeJS.Signals, () => undefined);
  const own = describeExecutable(ownPath);
  const skipped = [
    ...skippedPaths(env),
    ...(own === null ? [] : [own.realPath]),
    compiler.realPath,
  ];
  const passedOn: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) passedOn[name] = value;
  passedOn[SKIPPED_VARIABLE] = [...new Set(skipped)].join(delimiter);
  if (process.execve === undefined) throw new Error("this platform cannot replace a process");
  // The full path, not "cc": gcc finds its parts beside the first `cc` of that name on PATH, which is us.
  return process.execve(compiler.path, [compiler.path, ...words], passedOn);
}

/** One line that says how to get us out of the way. */
export function noCompilerMessage(
  words: readonly string[],
  env: Environment,
  ownPath: string,
): string {
  const call = `cc ${words[0] ?? ""}`.trimEnd();
  const tried = env[SKIPPED_VARIABLE] ? ` (already tried: ${env[SKIPPED_VARIABLE]})` : "";
  return `cc: "${safeLine(call)}" looks like a call of the C compiler, but no other cc follows on PATH${tried}. To get CrowdCompute out of the way, take ${ownPath} off PATH (it also answers to the name crowdcompute) or set CC=gcc; for its own verbs see cc --help.`;
}

function skippedPaths(env: Environment): readonly string[] {
  return (env[SKIPPED_VARIABLE] ?? "").split(delimiter).filter((path) => path !== "");
}

interface Executable {
  readonly realPath: string;
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
}

function describeExecutable(path: string): Executable | null {
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return null;
    accessSync(path, constants.X_OK);
    return {
      realPath: realpathSync(path),
      device: facts.dev,
      inode: facts.ino,
      sizeBytes: facts.size,
    };
  } catch {
    // Not there, or not ours to run: PATH may name anything.
    return null;
  }
}

function isCopyOf(found: Executable, own: Executable | null): boolean {
  if (own !== null) {
    if (found.realPath === own.realPath) return true;
    if (found.device === own.device && found.inode === own.inode) return true;
  }
  if (endsWithMark(found)) return true;
  return own !== null && found.sizeBytes === own.sizeBytes && hasSameContent(found, own);
}

/** Reads the last bytes only: a compiler may be large. */
function endsWithMark({ realPath, sizeBytes }: Executable): boolean {
  const mark = Buffer.from(EXECUTABLE_MARK);
  if (sizeBytes < mark.length) return false;
  const tail = Buffer.alloc(mark.length);
  let fd: number;
  try {
    fd = openSync(realPath, "r");
  } catch {
    // Runnable but not readable: no copy that we could know.
    return false;
  }
  try {
    readSync(fd, tail, 0, tail.length, sizeBytes - tail.length);
  } finally {
    closeSync(fd);
  }
  return tail.equals(mark);
}

/** Where an executable is signed the build cannot append its mark; files of one size are then compared whole. */
function hasSameContent(found: Executable, own: Executable): boolean {
  try {
    return readFileSync(found.realPath).equals(readFileSync(own.realPath));
  } catch {
    // What cannot be read is treated as another program; the list of skipped files still stops a loop.
    return false;
  }
}
