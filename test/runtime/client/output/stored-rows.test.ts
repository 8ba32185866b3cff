import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type OutputOptions,
  openResultWriter,
} from "../../../../src/runtime/client/output/result-writer.ts";
import { partsOf } from "../../../../src/runtime/client/output/stored-rows.ts";
import type { StoredOutput } from "../../../../src/runtime/protocol/command-outcome.ts";
import { OUTPUT_TEXT_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import { pageOf, type TaskEnd } from "../results-page.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-stored-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stored = (byteCount: number): StoredOutput => ({
  byteCount,
  assignment: 9,
  sha256: "ab".repeat(32),
});
const large = (stderr = "", byteCount = 16): TaskEnd => ({
  command: { storedStdout: stored(byteCount), stderr },
});
const small = (stdout: string, stderr = ""): TaskEnd => ({ command: { stdout, stderr } });
const failed = (end: TaskEnd): TaskEnd => ({
  ...end,
  failure: { code: "exit_status", message: "no" },
});

/** What lies outside, in pieces that break lines and characters. */
const TEXT = "one\ntwö\nthree";
function readStored(index: number, { assignment }: StoredOutput) {
  expect(assignment).toBe(9);
  const bytes = Buffer.from(`${index}:${TEXT}`);
  return (async function* () {
    for (let at = 0; at < bytes.length; at += 4) yield bytes.subarray(at, at + 4);
  })();
}

async function write(changes: Partial<OutputOptions>, ends: TaskEnd[], inputs?: unknown[]) {
  const written: { readonly to: string; readonly bytes: Buffer }[] = [];
  const sink = (to: string) => ({
    async write(bytes: Uint8Array) {
      written.push({ to, bytes: Buffer.from(bytes) });
    },
  });
  const options: OutputOptions = {
    format: "value",
    output: "-",
    tag: false,
    placeholder: null,
    cwd: folder,
    ...changes,
  };
  const shape = { product_sources: 0, chunk: 0, none: false };
  const streams = { stdout: sink("stdout"), stderr: sink("stderr"), readStored };
  const writer = await openResultWriter(options, { isCommand: true, input: shape }, streams);
  await writer.write(pageOf(ends, inputs === undefined ? {} : { inputs }));
  await writer.close();
  const said = (to: string) =>
    Buffer.concat(written.filter((each) => each.to === to).map(({ bytes }) => bytes)).toString();
  return { stdout: said("stdout"), stderr: said("stderr") };
}

test("rows with a stdout outside stand alone, failed ones too, and all others together", () => {
  const page = pageOf([small("a"), small("b"), large(), failed(large()), small("c")], {
    inputs: [0, 1, 2, 3, 4],
  });
  const parts = partsOf(page);
  expect(parts.map((part) => [[...part.page.index], part.stored !== null])).toEqual([
    [[0, 1], false],
    [[2], true],
    [[3], true],
    [[4], false],
  ]);
  expect(parts.map(({ page }) => page.input?.data.byteLength)).toEqual([4, 2, 2, 2]);
  const plain = pageOf([small("a"), failed(small("b"))]);
  expect(partsOf(plain)).toEqual([{ page: plain, stored: null }]);
});

describe("a stdout that lies outside", () => {
  test("is printed in its place, and its stderr said", async () => {
    const { stdout, stderr } = await write({}, [
      small("a\n", "s\n"),
      large("err\n"),
      failed(large("err2\n")),
      small("z"),
    ]);
    expect(stdout).toBe(`a\n1:${TEXT}2:${TEXT}z`);
    expect(stderr).toBe("s\nerr\nerr2\n");
  });

  test("has the tag before each of its lines, wherever pieces end", async () => {
    const { stdout } = await write({ tag: true }, [large(), small("x")], ["in", "put"]);
    expect(stdout).toBe("in\t0:one\nin\ttwö\nin\tthree\nput\tx\n");
  });

  test("goes into the file of its task", async () => {
    await write({ output: "out/{}.txt" }, [small("a"), large()], ["x", "y"]);
    expect(readFileSync(join(folder, "out/y.txt"), "utf8")).toBe(`1:${TEXT}`);
    await write({ output: "{}.json", format: "jsonl" }, [large()], ["x"]);
    expect(JSON.parse(readFileSync(join(folder, "x.json"), "utf8"))).toMatchObject({
      value: `0:${TEXT}`,
    });
  });

  test("is in its row of jsonl and csv as any other", async () => {
    const size = Buffer.byteLength(`0:${TEXT}`);
    const { stdout } = await write({ format: "jsonl" }, [
      large("e", size),
      failed(large("", size)),
    ]);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows[0]).toMatchObject({ value: `0:${TEXT}`, stdout: `0:${TEXT}`, stderr: "e" });
    expect(rows[1]).toMatchObject({ error: { code: "exit_status" }, stdout: `1:${TEXT}` });
    const csv = await write({ format: "csv" }, [large("", size)]);
    expect(csv.stdout).toContain(`0,completed,"0:${TEXT}",`);
    expect(csv.stdout).toEndWith(`"0:${TEXT}",\r\n`);
  });

  test("is only named in a row where it is larger than a row may be", async () => {
    const byteCount = OUTPUT_TEXT_BYTES_MAX + 1;
    const { stdout } = await write({ format: "jsonl" }, [large("e", byteCount)]);
    const row = JSON.parse(stdout);
    expect(row).toMatchObject({ value: null, stdout_bytes: byteCount, stderr: "e" });
    expect(row.stdout_sha256).toBe("ab".repeat(32));
    expect("stdout" in row).toBe(false);
    const csv = await write({ format: "csv" }, [large("e", byteCount)]);
    expect(csv.stdout).toEndWith(
      `0,completed,,,stdout is left out: its ${byteCount} bytes are too many for a row,1,0.0015,w1,0,,,e\r\n`,
    );
  });
});
