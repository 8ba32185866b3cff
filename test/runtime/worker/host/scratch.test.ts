import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { CcError } from "../../../../src/runtime/protocol/error.ts";
import { openScratchSpace } from "../../../../src/runtime/worker/host/scratch.ts";
import { eventually } from "../processes.ts";

let cache = "";
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), "cc-scratch-"));
});
afterAll(() => rmSync(cache, { recursive: true }));

const mode = (path: string) => statSync(path).mode & 0o777;
const bytes = (text: string) => new TextEncoder().encode(text);

describe("scratch space", () => {
  test("gives folders that are fresh and of this account alone, and removes them", async () => {
    const scratch = openScratchSpace(cache);
    const [one, two] = [scratch.createFolder(), scratch.createFolder()];
    expect(one).not.toBe(two);
    expect([mode(one), mode(scratch.folder)]).toEqual([0o700, 0o700]);
    expect(readdirSync(one)).toEqual([]);
    writeFileSync(join(one, "file"), "x");
    await scratch.removeFolder(one);
    expect([existsSync(one), existsSync(two)]).toEqual([false, true]);
    await scratch.close();
    expect(existsSync(scratch.folder)).toBe(false);
  });

  test("removes what a task has locked, and never what a link points to", async () => {
    const scratch = openScratchSpace(cache);
    const kept = join(cache, "kept");
    mkdirSync(kept);
    const folder = scratch.createFolder();
    mkdirSync(join(folder, "locked", "inner"), { recursive: true });
    chmodSync(join(folder, "locked"), 0o000);
    symlinkSync(kept, join(folder, "link"));
    await scratch.removeFolder(folder);
    expect([existsSync(folder), existsSync(kept)]).toEqual([false, true]);
    await scratch.close();
  });

  test("writes a slot's input whole, also over a longer one", async () => {
    const scratch = openScratchSpace(cache);
    const path = scratch.writeInput(1, bytes("a longer input"));
    expect(scratch.writeInput(1, bytes("short"))).toBe(path);
    expect([readFileSync(path, "utf8"), mode(path)]).toEqual(["short", 0o600]);
    expect(readFileSync(scratch.writeInput(2, new Uint8Array(0)), "utf8")).toBe("");
    await scratch.close();
  });

  test("does not write through a link or into a folder that a task has put there", async () => {
    const scratch = openScratchSpace(cache);
    const victim = join(cache, "victim");
    writeFileSync(victim, "safe");
    const path = scratch.writeInput(1, bytes("one"));
    rmSync(path);
    symlinkSync(victim, path);
    scratch.writeInput(1, bytes("two"));
    expect(readFileSync(victim, "utf8")).toBe("safe");
    expect([lstatSync(path).isFile(), readFileSync(path, "utf8")]).toEqual([true, "two"]);
    rmSync(path);
    mkdirSync(join(path, "inner"), { recursive: true });
    scratch.writeInput(1, bytes("three"));
    expect(readFileSync(path, "utf8")).toBe("three");
    await scratch.close();
  });

  test("removes what dead workers of this machine left, and spares living and foreign ones", async () => {
    const parent = join(cache, "scratch");
    const host = hostname().replace(/[^A-Za-z0-9_.]/g, "_");
    const living = openScratchSpace(cache);
    const dead = join(parent, `${host}-${process.pid}-1`);
    const foreign = join(parent, "elsewhere-99999999-1");
    for (const folder of [dead, foreign]) mkdirSync(join(folder, "task-1"), { recursive: true });
    const scratch = openScratchSpace(cache);
    expect(await eventually(() => !existsSync(dead), 2_000)).toBe(true);
    expect([existsSync(foreign), existsSync(living.folder)]).toEqual([true, true]);
    await scratch.close();
  });

  test("says worker_storage when the folder cannot be written", () => {
    const file = join(cache, "a-file");
    writeFileSync(file, "");
    let thrown: unknown = null;
    try {
      openScratchSpace(file);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CcError);
    expect((thrown as CcError).code).toBe("worker_storage");
  });
});
