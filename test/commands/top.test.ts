import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { isInteractive, type TopContext } from "../../src/commands/top.ts";
import { readSources, staticClosure } from "../support/source-tree.ts";

const SOURCES = readSources(resolve(import.meta.dir, "..", ".."), "src");

interface Circumstances {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly values?: Partial<TopContext["values"]>;
  readonly json?: boolean;
}

const isShown = ({ stdin = true, stdout = true, env, values, json = false }: Circumstances) =>
  isInteractive({
    values: { once: false, watch: false, ...values } as TopContext["values"],
    json,
    env: { TERM: "xterm", ...env },
    io: { stdin: { isTerminal: stdin }, stdout: { isTerminal: stdout } } as TopContext["io"],
  });

describe("cc top shows a screen", () => {
  test("to a person at a terminal", () => {
    expect(isShown({})).toBe(true);
    expect(isShown({ env: { CI: "" } })).toBe(true);
  });

  test("to nobody else", () => {
    const others: readonly Circumstances[] = [
      { stdin: false },
      { stdout: false },
      { env: { TERM: "dumb" } },
      { env: { CI: "true" } },
      { values: { once: true } },
      { values: { watch: true } },
      { json: true },
    ];
    expect(others.filter(isShown)).toEqual([]);
  });
});

describe("Ink and React", () => {
  const drawing = /^(ink|react|yoga-layout)\b/;
  const loads = (entry: string): readonly string[] =>
    staticClosure(entry, SOURCES).flatMap(({ path, imports }) =>
      imports
        .filter(({ kind, specifier }) => kind === "value" && drawing.test(specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );

  test("are loaded by no printing path", () => {
    for (const entry of [
      "src/commands/top.ts",
      "src/commands/top/print-once.ts",
      "src/commands/top/print-text.ts",
      "src/commands/top/print-json.ts",
      "src/commands/top/watch-json.ts",
    ]) {
      expect(loads(entry)).toEqual([]);
    }
  });

  test("are loaded while the foreman is dialled, by one file alone", () => {
    expect(loads("src/commands/top/show-monitor.ts")).toEqual([]);
    expect(loads("src/tui/ink/run-monitor.ts")).toEqual([]);
    expect(loads("src/tui/ink/ink-screen.tsx")).not.toEqual([]);
    const outside = SOURCES.filter(
      ({ path, imports }) =>
        path.startsWith("src/") &&
        !path.startsWith("src/tui/ink/") &&
        imports.some(({ specifier }) => drawing.test(specifier)),
    );
    expect(outside.map(({ path }) => path)).toEqual([]);
  });
});
