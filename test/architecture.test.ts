/** The house's floors and rooms, as the build sees them. A rule is changed here only together with docs/architecture.md. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  describeSource,
  findCycles,
  readSources,
  type SourceFile,
  staticClosure,
} from "./support/source-tree.ts";

const ROOT = resolve(import.meta.dir, "..");
const SOURCES = readSources(ROOT, "src");
const LINES_MAX = 400;

/** An import goes down or sideways, never up. */
const FLOORS: Readonly<Record<string, number>> = {
  "cli.ts": 6,
  commands: 5,
  tui: 4,
  "runtime/foreman": 4,
  "runtime/worker": 4,
  "runtime/executor": 4,
  "runtime/client": 4,
  "runtime/bundle": 4,
  "runtime/job-module": 4,
  "runtime/transport": 3,
  "runtime/store": 3,
  "runtime/scheduler": 2,
  "runtime/protocol": 1,
};
const PLATFORM = "runtime/platform";
const PURE_ROOMS: readonly string[] = ["runtime/scheduler", "runtime/protocol"];
/** Only commands bring these together. */
const STRANGERS: readonly string[] = ["runtime/foreman", "runtime/worker", "runtime/client"];
/** What the pure rooms may use of the world: a schema language and a codec, both without side effects. */
const PURE_PACKAGES: readonly string[] = ["zod/mini", "msgpackr"];
/** Milliseconds of start-up each, or more. */
const HEAVY_PACKAGES = /^(yargs|zod|ws|chalk|execa|msgpackr|better-sqlite3|ink|react)\b/;

const IMPURE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bprocess\.|\bperformance\.|\bBun\.|\bfetch\(|\bcrypto\./;
const CLOCK_AND_CHANCE = /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b/;
const CLOCK_FILES: readonly string[] = [
  "src/runtime/platform/clock.ts",
  "src/runtime/platform/random.ts",
];

function roomOf(path: string): string {
  const parts = path.split("/").slice(1);
  return parts[0] === "runtime" ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

/** Says what is wrong with each import; empty when nothing is. */
function floorViolations(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ file }) => {
      if (file === null || !file.startsWith("src/")) return [];
      const problem = judgeImport(roomOf(path), roomOf(file));
      return problem === null ? [] : [`${path} imports ${file}: ${problem}`];
    }),
  );
}

function judgeImport(from: string, to: string): string | null {
  if (from === to) return null;
  if (to === PLATFORM) return PURE_ROOMS.includes(from) ? "pure rooms know no platform" : null;
  if (from === PLATFORM)
    return to === "runtime/protocol" ? null : "the platform stands on the protocol only";
  const fromFloor = FLOORS[from];
  const toFloor = FLOORS[to];
  if (fromFloor === undefined || toFloor === undefined)
    return `the room ${fromFloor === undefined ? from : to} has no floor`;
  if (toFloor > fromFloor) return "an import goes down or sideways, never up";
  if (from === "tui")
    return to === "runtime/protocol" ? null : "the screens draw values and know no runtime";
  if (STRANGERS.includes(from) && STRANGERS.includes(to))
    return "only commands bring these rooms together";
  return null;
}

function impurities(sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap(({ path, code, imports }) => {
    if (!PURE_ROOMS.includes(roomOf(path))) return [];
    const foreign = imports.filter(
      ({ file, specifier }) => file === null && !PURE_PACKAGES.includes(specifier),
    );
    const used = IMPURE.exec(code);
    return [
      ...foreign.map(({ specifier }) => `${path} imports ${specifier}`),
      ...(used ? [`${path} uses ${used[0]}`] : []),
    ];
  });
}

describe("the architecture", () => {
  test("imports go down or sideways, never up", () => {
    expect(floorViolations(SOURCES)).toEqual([]);
  });

  test("protocol and scheduler are pure", () => {
    expect(impurities(SOURCES)).toEqual([]);
  });

  test("there are no import cycles", () => {
    expect(findCycles(SOURCES)).toEqual([]);
  });

  test("every import names a file that exists", () => {
    const absent = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== null && !existsSync(join(ROOT, file)))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(absent).toEqual([]);
  });

  test("nothing heavy loads before a verb is known", () => {
    for (const entry of ["src/cli.ts", "src/commands/front-door.ts"]) {
      const heavy = staticClosure(entry, SOURCES).flatMap(({ path, imports }) =>
        imports
          .filter(({ kind, specifier }) => kind === "value" && HEAVY_PACKAGES.test(specifier))
          .map(({ specifier }) => `${path} imports ${specifier}`),
      );
      expect(heavy).toEqual([]);
    }
  });

  test("time and chance have one source", () => {
    const offenders = SOURCES.filter(
      ({ path, code }) =>
        path.startsWith("src/runtime/") &&
        !CLOCK_FILES.includes(path) &&
        CLOCK_AND_CHANCE.test(code),
    );
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  test(`no file is longer than ${LINES_MAX} lines`, () => {
    const long = SOURCES.filter(({ text }) => text.split("\n").length - 1 > LINES_MAX);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("every file opens with a comment that says what it is for", () => {
    const silent = SOURCES.filter(({ text }) => !/^(?:#!.*\n)?\/[*/]/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("exports are named and come from the file that defines them", () => {
    const offenders = SOURCES.filter(({ code }) =>
      /^export\s+default\b|^export\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\b)/m.test(code),
    );
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });
});

describe("these tests can fail", () => {
  const source = (path: string, text: string) => describeSource(ROOT, path, text);

  test("an import upwards, a stranger, and a platform in a pure room are seen", () => {
    const sources = [
      source("src/runtime/store/a.ts", 'import { x } from "../foreman/b.ts";'),
      source("src/runtime/client/a.ts", 'import type {\n  X,\n} from "../worker/b.ts";'),
      source("src/runtime/protocol/a.ts", 'import "../platform/clock.ts";'),
      source("src/runtime/platform/a.ts", 'export const x = await import("../store/b.ts");'),
      source("src/tui/a.ts", 'import { x } from "../runtime/client/b.ts";'),
      source("src/attic/a.ts", 'import { x } from "../commands/b.ts";'),
    ];
    expect(floorViolations(sources)).toHaveLength(sources.length);
  });

  test("a clock, chance, a timer or a built-in in a pure room is seen", () => {
    for (const text of [
      "const a = Date.now();",
      "new Date()",
      "Math.random()",
      "setTimeout(f, 1)",
      "process.env",
      'import { x } from "node:fs";',
      'import { x } from "bun";',
    ]) {
      expect(impurities([source("src/runtime/scheduler/a.ts", text)])).toHaveLength(1);
    }
    const innocent =
      '// Date.now()\nconst text = "Math.random()"; const at = new Date(5);\n/* process.env */';
    expect(impurities([source("src/runtime/scheduler/a.ts", innocent)])).toEqual([]);
  });

  test("a cycle is seen, one through a lazy import is none", () => {
    const cycle = [
      source("src/a.ts", 'import { b } from "./b.ts";'),
      source("src/b.ts", 'import type { a } from "./a.ts";'),
    ];
    expect(findCycles(cycle)).toEqual([["src/a.ts", "src/b.ts", "src/a.ts"]]);
    const lazy = [
      source("src/a.ts", 'import { b } from "./b.ts";'),
      source("src/b.ts", 'const a = () => import("./a.ts");'),
    ];
    expect(findCycles(lazy)).toEqual([]);
  });
});
