import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  copyOutputs,
  type OutputName,
  openOutputFiles,
} from "../../../src/runtime/store/output-files.ts";

let root = "";
let folder = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-outputs-"));
  folder = join(root, "artifacts");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const name = (changes: Partial<OutputName> = {}): OutputName => ({
  jobId: 17,
  index: 3,
  attempt: 1,
  assignment: 4294967297,
  ...changes,
});
const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (read: Uint8Array | null) => (read === null ? null : new TextDecoder().decode(read));

describe("files of outputs", () => {
  test("are written at a position and read in pieces", async () => {
    const files = openOutputFiles(folder);
    expect(await files.write(name(), 0, [bytes("one "), bytes("two ")])).toBe("ok");
    expect(await files.write(name(), 8, [bytes("three")])).toBe("ok");
    expect(await files.write(name(), 4, [bytes("TWO")])).toBe("ok");
    expect(textOf(await files.read(name(), 0, 7))).toBe("one TWO");
    expect(textOf(await files.read(name(), 7, 100))).toBe(" three");
    expect(textOf(await files.read(name(), 13, 100))).toBe("");
    expect(await files.read(name({ attempt: 2 }), 0, 1)).toBeNull();
  });

  test("are this account's alone, one an attempt in a folder a job", async () => {
    const files = openOutputFiles(folder);
    await files.write(name(), 0, [bytes("a")]);
    expect(readdirSync(join(folder, "17"))).toEqual(["3-1-4294967297.stdout"]);
    expect(statSync(join(folder, "17")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "17/3-1-4294967297.stdout")).mode & 0o777).toBe(0o600);
  });

  test("never follow a link in their place", async () => {
    const files = openOutputFiles(folder);
    mkdirSync(join(folder, "17"), { recursive: true });
    writeFileSync(join(root, "theirs"), "untouched");
    symlinkSync(join(root, "theirs"), join(folder, "17/3-1-4294967297.stdout"));
    await expect(files.write(name(), 0, [bytes("x")])).rejects.toMatchObject({
      code: "storage_failed",
    });
    await expect(files.read(name(), 0, 10)).rejects.toThrow();
    expect(readFileSync(join(root, "theirs"), "utf8")).toBe("untouched");
  });

  test("are listed with their lengths; what is named otherwise is left alone", async () => {
    const files = openOutputFiles(folder);
    expect(await files.list()).toEqual([]);
    await files.write(name(), 0, [bytes("abc")]);
    await files.write(name({ jobId: 2, index: 0 }), 0, [bytes("de")]);
    mkdirSync(join(folder, "notes"));
    writeFileSync(join(folder, "notes/1-1-1.stdout"), "");
    writeFileSync(join(folder, "17/notes.txt"), "");
    writeFileSync(join(folder, "loose"), "");
    const found = (await files.list()).toSorted((a, b) => a.jobId - b.jobId);
    expect(found).toEqual([
      { ...name({ jobId: 2, index: 0 }), byteCount: 2 },
      { ...name(), byteCount: 3 },
    ]);
  });

  test("go one by one or with their job, and empty folders with them", async () => {
    const files = openOutputFiles(folder);
    for (const index of [0, 1]) await files.write(name({ index }), 0, [bytes("a")]);
    await files.write(name({ jobId: 2 }), 0, [bytes("a")]);
    await files.remove(name({ index: 0 }));
    await files.remove(name({ index: 0 }));
    expect(readdirSync(join(folder, "17"))).toHaveLength(1);
    await files.removeJob(17);
    await files.removeJob(99);
    expect(existsSync(join(folder, "17"))).toBe(false);
    await files.remove(name({ jobId: 2 }));
    await files.removeEmptyFolders();
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("a copy has what is missing there or has grown meanwhile", async () => {
  const files = openOutputFiles(folder);
  const copy = join(root, "copy");
  await files.write(name(), 0, [bytes("abc")]);
  expect(await copyOutputs(folder, copy)).toBe(3);
  await files.write(name(), 3, [bytes("def")]);
  await files.write(name({ index: 4 }), 0, [bytes("x")]);
  expect(await copyOutputs(folder, copy)).toBe(7);
  expect(textOf(await openOutputFiles(copy).read(name(), 0, 10))).toBe("abcdef");
  expect(statSync(join(copy, "17/3-1-4294967297.stdout")).mode & 0o777).toBe(0o600);
  expect(await copyOutputs(join(root, "nowhere"), join(root, "nothing"))).toBe(0);
});
