import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  EXECUTABLE_MARK,
  findNextCompiler,
  noCompilerMessage,
} from "../../src/commands/compiler-handover.ts";

let root: string;
let own: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "cc-handover-")));
  own = writeCc("own", "ours without a mark");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeCc(folder: string, content: string, mode = 0o755): string {
  mkdirSync(join(root, folder), { recursive: true });
  const path = join(root, folder, "cc");
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const find = (folders: readonly string[], skipped = "") =>
  findNextCompiler(
    { PATH: folders.map((folder) => join(root, folder)).join(":"), CC_SKIPPED: skipped },
    own,
  )?.path ?? null;

test("the first runnable cc on PATH that is not ours is taken", () => {
  const compiler = writeCc("usr", "compiler");
  writeCc("later", "another");
  writeCc("data", "not runnable", 0o644);
  mkdirSync(join(root, "folder", "cc"), { recursive: true });
  expect(find(["absent", "data", "folder", "own", "usr", "later"])).toBe(compiler);
});

test("the same file under other names and links is ours", () => {
  for (const [folder, place] of [
    ["symbolic", symlinkSync],
    ["hard", linkSync],
    ["copy", copyFileSync],
  ] as const) {
    mkdirSync(join(root, folder));
    place(own, join(root, folder, "cc"));
    chmodSync(join(root, folder, "cc"), 0o755);
    expect(find(["own", folder])).toBeNull();
  }
});

test("another version of ours is known by its mark", () => {
  writeCc("older", `another binary${EXECUTABLE_MARK}`);
  expect(find(["own", "older"])).toBeNull();
});

test("what was tried before is not tried again", () => {
  const first = writeCc("first", "wrapper");
  const second = writeCc("second", "compiler");
  expect(find(["own", "first", "second"], `${own}:${first}`)).toBe(second);
  expect(find(["own", "first", "second"], `${own}:${first}:${second}`)).toBeNull();
});

test("a symbolic link to a compiler keeps its own name, for wrappers decide by it", () => {
  writeCc("tools", "ccache");
  mkdirSync(join(root, "links"));
  symlinkSync(join(root, "tools", "cc"), join(root, "links", "cc"));
  expect(find(["own", "links"])).toBe(join(root, "links", "cc"));
});

test("without PATH there is none, and one line says what to do", () => {
  expect(findNextCompiler({}, own)).toBeNull();
  const message = noCompilerMessage(["-c", "x.c"], { CC_SKIPPED: "/a" }, own);
  expect(message).not.toContain("\n");
  expect(message).toContain(own);
  expect(message).toContain("(already tried: /a)");
});
