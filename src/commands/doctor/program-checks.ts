/** Which program this is, whether a shell finds it, and where calls of the C compiler go. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { isCompiled } from "../../runtime/platform/self.ts";
import { BUILD_COMMIT, PROGRAM_VERSION } from "../../runtime/platform/version.ts";
import { findNextCompiler } from "../compiler-handover.ts";
import { type Check, type CheckSection, ok, warning } from "./check.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** @param ownPath the executable that runs now. */
export function checkProgram(env: Environment, ownPath: string): CheckSection {
  return {
    title: "program",
    checks: [describeProgram(), checkPath(env, ownPath), checkCompiler(env, ownPath)],
  };
}

function describeProgram(): Check {
  const platform = `${process.platform}-${process.arch}`;
  const runtime = `bun ${Bun.version}`;
  const parts = [BUILD_COMMIT, platform, runtime, isCompiled ? null : "run from its sources"];
  const facts = { version: PROGRAM_VERSION, commit: BUILD_COMMIT, platform, runtime };
  return ok(
    "version",
    `crowdcompute ${PROGRAM_VERSION} (${parts.filter((part) => part !== null).join(", ")})`,
    facts,
  );
}

/** What a shell runs for `cc`, and failing that for `crowdcompute`. */
function checkPath(env: Environment, ownPath: string): Check {
  const found = findOnPath("cc", env);
  const second = findOnPath("crowdcompute", env);
  const facts = { cc: found, crowdcompute: second, executable: ownPath };
  if (found !== null && isSame(found, ownPath)) {
    return ok("path", `a shell finds this program as cc: ${found}`, facts);
  }
  const toFront = `export PATH=${dirname(ownPath)}:"$PATH"`;
  if (found !== null && findNextCompiler({ PATH: dirname(found) }, ownPath) === null) {
    const text = `a shell finds another CrowdCompute as cc: ${found}; this one is ${ownPath}`;
    return warning("path", text, isCompiled ? toFront : "Build this one: npm run build", facts);
  }
  const what = found === null ? "no cc" : `the C compiler as cc: ${found}`;
  if (second !== null && isSame(second, ownPath)) {
    return ok("path", `a shell finds ${what}; this program is crowdcompute: ${second}`, facts);
  }
  return warning("path", `a shell finds ${what}; this program is ${ownPath}`, toFront, facts);
}

function checkCompiler(env: Environment, ownPath: string): Check {
  const compiler = findNextCompiler(env, ownPath);
  if (compiler === null) {
    const text = "no C compiler named cc is on PATH, so there is none to hand its calls to";
    return ok("compiler", text, { compiler: null });
  }
  const { path, realPath } = compiler;
  const real = basename(realPath) === "cc" ? "" : `, which is ${realPath}`;
  const text = `calls of the C compiler (cc -c x.c, cc x.c) are handed to ${path}${real}`;
  return ok("compiler", text, { compiler: path });
}

function findOnPath(name: string, env: Environment): string | null {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(resolve(folder === "" ? "." : folder), name);
    if (isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // PATH may name anything.
    return false;
  }
}

/** The two names of an installation are links to one file. */
function isSame(path: string, ownPath: string): boolean {
  try {
    const [left, right] = [statSync(realpathSync(path)), statSync(ownPath)];
    return left.ino === right.ino && left.dev === right.dev;
  } catch {
    return false;
  }
}
