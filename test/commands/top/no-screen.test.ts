/** A look that is printed must start fast and touch no terminal: nothing of it may load Ink or React. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readSources, type SourceFile } from "../../support/source-tree.ts";

const ROOT = resolve(import.meta.dir, "..", "..", "..");
const SOURCES = readSources(ROOT, "src");
const SCREEN_PACKAGES = /^(ink|react|react-reconciler|yoga-layout)\b/;
const INK = Bun.resolveSync("ink", ROOT);
const CLI = join(ROOT, "src", "cli.ts");
/** The one lazy import that goes to the screen. */
const DOOR = "src/commands/top/show-monitor.ts";
/** Everything that `start` may ever load, lazily too, except through the doors. */
function reach(start: string, doors: readonly string[]): readonly SourceFile[] {
  const byPath = new Map(SOURCES.map((source) => [source.path, source]));
  const seen = new Set<SourceFile>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (source === undefined || seen.has(source)) continue;
    seen.add(source);
    for (const { file, kind } of source.imports)
      if (file !== null && kind !== "type" && !doors.includes(file)) waiting.push(file);
  }
  return [...seen];
}

const screenImports = (sources: readonly SourceFile[]): readonly string[] =>
  sources.flatMap(({ path, imports }) =>
    imports
      .filter(
        ({ specifier, file, kind }) =>
          kind !== "type" &&
          (SCREEN_PACKAGES.test(specifier) || file?.startsWith("src/tui/ink/") === true),
      )
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );

test("whatever a printed look imports, now or later, is no part of the screen", () => {
  expect(screenImports(reach("src/commands/top.ts", [DOOR]))).toEqual([]);
  expect(screenImports(reach("src/commands/top.ts", []))).not.toEqual([]);
});

test("a running look loads no module of Ink or React", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cc-guard-"));
  const guard = join(folder, "guard.ts");
  writeFileSync(guard, GUARD);
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_STATE_HOME: folder, LANG: "C" };
  const start = (...words: string[]) =>
    Bun.spawn([process.execPath, "--preload", guard, ...words], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
    });
  const run = async (...words: string[]) => {
    const child = start(...words);
    const stderr = await new Response(child.stderr).text();
    return { exitCode: await child.exited, stderr };
  };
  const foreman = start(CLI, "foreman", "--port", "0");
  try {
    await untilSaid(foreman.stderr, /workers join with/);
    for (const words of [["--once"], ["--json"], []]) {
      const { exitCode, stderr } = await run(CLI, "top", ...words);
      expect({ words, exitCode, stderr }).toEqual({ words, exitCode: 0, stderr: "" });
    }
    // The guard itself: it does see Ink where Ink is loaded.
    expect((await run(INK)).stderr).toContain("LOADED");
  } finally {
    foreman.kill();
    await foreman.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

async function untilSaid(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (pattern.test(text)) return;
  }
  throw new Error(`ended without ${pattern}:\n${text}`);
}

const GUARD = `
import { plugin } from "bun";
plugin({
  name: "guard",
  setup(build) {
    build.onLoad({ filter: /node_modules\\/(ink|react|react-reconciler|yoga-layout)\\// }, ({ path }) => {
      console.error("LOADED " + path);
      process.exit(99);
    });
  },
});
`;
