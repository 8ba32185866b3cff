import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutputClosed } from "../../src/commands/command-context.ts";
import { openOutput } from "../../src/commands/io.ts";

const PIPE_BYTES = 64 * 1024;

let root: string;
let open: Set<number>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-io-"));
  open = new Set();
});
afterEach(() => {
  for (const fd of open) closeSync(fd);
  rmSync(root, { recursive: true });
});

function keep(fd: number): number {
  open.add(fd);
  return fd;
}

function closeEnd(fd: number): void {
  open.delete(fd);
  closeSync(fd);
}

function openPipe(writeFlags = constants.O_WRONLY): { reader: number; writer: number } {
  const path = join(root, "pipe");
  Bun.spawnSync(["mkfifo", path]);
  const reader = keep(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  return { reader, writer: keep(openSync(path, writeFlags)) };
}

/** Reads what is there; a writer's thread may need a moment to put it there. */
async function readBytes(fd: number, byteCount: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(byteCount);
  let offset = 0;
  while (offset < byteCount) {
    try {
      offset += readSync(fd, bytes, offset, byteCount - offset, null);
    } catch {
      await new Promise(setImmediate);
    }
  }
  return bytes;
}

test("writes to a file arrive in order, however they are awaited", async () => {
  const fd = keep(openSync(join(root, "file"), "w"));
  const output = openOutput(fd, {});
  void output.write("one ");
  void output.write(new TextEncoder().encode("two "));
  await output.write("thrée\n");
  expect(readFileSync(join(root, "file"), "utf8")).toBe("one two thrée\n");
  expect(output.isTerminal).toBe(false);
});

test.each([
  ["a pipe", constants.O_WRONLY],
  ["a non-blocking pipe", constants.O_WRONLY | constants.O_NONBLOCK],
] as const)("a slow reader of %s holds the writer back and loses nothing", async (_, flags) => {
  const { reader, writer } = openPipe(flags);
  const output = openOutput(writer, {});
  const bytes = Buffer.alloc(4 * PIPE_BYTES, "x");
  let isWritten = false;
  const writing = output.write(bytes).then(() => {
    isWritten = true;
  });
  await readBytes(reader, PIPE_BYTES / 2);
  expect(isWritten).toBe(false);
  await readBytes(reader, bytes.length - PIPE_BYTES / 2);
  await writing;
});

test("when the reader goes, the write under way and all later ones fail as closed", async () => {
  const { reader, writer } = openPipe();
  const output = openOutput(writer, {});
  await output.write("first");
  closeEnd(reader);
  expect(output.closed.aborted).toBe(false);
  await expect(output.write("second")).rejects.toBeInstanceOf(OutputClosed);
  expect(output.closed.aborted).toBe(true);
  await expect(output.write("third")).rejects.toBeInstanceOf(OutputClosed);
});

test("without a terminal the width is COLUMNS, else 80", () => {
  const fd = keep(openSync(join(root, "file"), "w"));
  expect(openOutput(fd, { COLUMNS: "132" }).columnCount).toBe(132);
  expect(openOutput(fd, { COLUMNS: "wide" }).columnCount).toBe(80);
});
