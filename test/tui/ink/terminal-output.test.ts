import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTerminalOutput, type TerminalOutput } from "../../../src/tui/ink/terminal-output.ts";

const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";
const ERASE = "\u001b[H\u001b[J";

let folder = "";
let file = "";
let fd = -1;
let gone = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-terminal-output-"));
  file = join(folder, "terminal");
  fd = openSync(file, "w");
  gone = 0;
});

afterEach(() => {
  try {
    closeSync(fd);
  } catch {
    // A test has closed it.
  }
  rmSync(folder, { recursive: true, force: true });
});

const open = (): TerminalOutput =>
  createTerminalOutput({
    fd,
    size: { columns: 80, rows: 24 },
    onGone: () => {
      gone += 1;
    },
  });

const written = async (output: TerminalOutput): Promise<string> => {
  await output.flush(5_000);
  return readFileSync(file, "utf8");
};

describe("writing to the terminal", () => {
  test("keeps the order of everything, and is busy until it is out", async () => {
    const output = open();
    output.stream.write("one ");
    output.write("two ");
    output.stream.write("three");
    expect(output.isBusy).toBe(true);
    expect(await written(output)).toBe("one two three");
    expect(output.isBusy).toBe(false);
  });

  test("tells whoever waits for it, at once when nothing is under way", async () => {
    const output = open();
    let idle = 0;
    const count = () => {
      idle += 1;
    };
    output.whenIdle(count);
    expect(idle).toBe(1);
    output.write("x");
    output.whenIdle(count);
    expect(idle).toBe(1);
    await output.flush(5_000);
    expect(idle).toBe(2);
  });

  test("erases the screen inside the next frame's own update, once", async () => {
    const output = open();
    output.eraseBeforeNextFrame();
    for (const frame of ["first", "second"]) {
      output.stream.write(BEGIN);
      output.stream.write(frame);
      output.stream.write(END);
    }
    expect(await written(output)).toBe(`${BEGIN}${ERASE}first${END}${BEGIN}second${END}`);
  });

  test("drops what Ink writes while it is muted, and not what we write", async () => {
    const output = open();
    output.muted(() => output.stream.write("unseen"));
    output.stream.write("seen ");
    output.mute();
    output.stream.write("unseen");
    output.write("restored");
    expect(await written(output)).toBe("seen restored");
  });

  test("calls back the writer, as a stream does", async () => {
    const output = open();
    await new Promise<void>((resolve) => output.stream.write("", () => resolve()));
  });

  test("tells once that the terminal has gone, and takes nothing any more", async () => {
    const output = open();
    closeSync(fd);
    output.write("x");
    expect(await output.flush(5_000)).toBe(false);
    output.write("y");
    expect(output.isBusy).toBe(false);
    expect(gone).toBe(1);
  });
});

test("the stream that Ink gets knows its size and never says that it changed", () => {
  const output = open();
  let told = 0;
  output.stream.on("resize", () => {
    told += 1;
  });
  output.resize({ columns: 120, rows: 40 });
  expect([output.stream.columns, output.stream.rows, output.stream.isTTY]).toEqual([120, 40, true]);
  expect(told).toBe(0);
});
