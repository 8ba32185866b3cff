import { afterAll, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasReader } from "../../../src/runtime/platform/pipe-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "cc-pipe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a pipe has a reader until its other end is closed, also while nothing is written", () => {
  const path = join(folder, "pipe");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, "w");
  expect(hasReader(writer)).toBe(true);
  writeSync(writer, "unread");
  expect(hasReader(writer)).toBe(true);
  closeSync(reader);
  expect(hasReader(writer)).toBe(false);
  closeSync(writer);
});

test("a file never loses its reader", () => {
  const file = openSync(join(folder, "file"), "w");
  expect(hasReader(file)).toBe(true);
  closeSync(file);
});
