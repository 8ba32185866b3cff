import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkOutputOptions,
  needsInputs,
  type OutputOptions,
  openResultWriter,
} from "../../../../src/runtime/client/output/result-writer.ts";
import { pageOf } from "../results-page.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-output-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const JOB = { isCommand: false, input: { product_sources: 0, chunk: 0, none: false } };
const values = (...all: unknown[]) => all.map((value) => ({ value }));

function options(changes: Partial<OutputOptions>): OutputOptions {
  return { format: "value", output: "-", tag: false, placeholder: null, cwd: folder, ...changes };
}

function sink() {
  const chunks: Uint8Array[] = [];
  return {
    text: () => Buffer.concat(chunks).toString(),
    async write(bytes: Uint8Array) {
      chunks.push(bytes.slice());
    },
  };
}

async function write(changes: Partial<OutputOptions>, pages: Parameters<typeof pageOf>[]) {
  const stdout = sink();
  const stderr = sink();
  const readStored = () => {
    throw new Error("nothing lies outside");
  };
  const writer = await openResultWriter(options(changes), JOB, { stdout, stderr, readStored });
  for (const page of pages) await writer.write(pageOf(...page));
  await writer.close();
  return { stdout: stdout.text(), stderr: stderr.text() };
}

describe("results", () => {
  test("go to stdout, in one file, or both of a format's head and rows", async () => {
    expect((await write({}, [[values(1)], [values(2)]])).stdout).toBe("1\n2\n");
    await write({ output: "out.txt" }, [[values(1)], [values("b")]]);
    expect(readFileSync(join(folder, "out.txt"), "utf8")).toBe("1\nb\n");
    const csv = await write({ format: "csv" }, [[values(1)], [values(2), { firstIndex: 1 }]]);
    expect(csv.stdout.split("\r\n").map((line) => line.split(",")[0])).toEqual([
      "index",
      "0",
      "1",
      "",
    ]);
  });

  test("a file that exists is written anew", async () => {
    await write({ output: "out.txt" }, [[values("long text")]]);
    await write({ output: "out.txt" }, [[values("x")]]);
    expect(readFileSync(join(folder, "out.txt"), "utf8")).toBe("x\n");
  });

  test("with a placeholder each task has a file, in folders made as needed", async () => {
    await write({ output: "out/{/.}-{#}.txt" }, [
      [
        values("A", new Uint8Array([1, 2]), undefined),
        { inputs: ["d/a.png", "d/b.png", "d/c.png"] },
      ],
    ]);
    expect(readdirSync(join(folder, "out")).toSorted()).toEqual(["a-1.txt", "b-2.txt"]);
    expect(readFileSync(join(folder, "out/a-1.txt"), "utf8")).toBe("A\n");
    expect(readFileSync(join(folder, "out/b-2.txt"))).toEqual(Buffer.from([1, 2]));
  });

  test("two tasks with one file are refused by name", async () => {
    const pages: Parameters<typeof pageOf>[] = [
      [values(1), { inputs: ["a/x"] }],
      [values(2), { firstIndex: 1, inputs: ["b/x"] }],
    ];
    await expect(write({ output: "{/}" }, pages)).rejects.toThrow(/results of 17\/0 and of task 1/);
  });

  test("a name in braces that no input has is part of the file's name", async () => {
    await write({ output: "{when}.txt" }, [[values(1, 2), { inputs: ["a", "b"] }]]);
    expect(readFileSync(join(folder, "{when}.txt"), "utf8")).toBe("1\n2\n");
    await write({ output: "of-{who}.txt" }, [
      [values(1, 2), { inputs: [{ who: "ann" }, { who: "bob" }] }],
    ]);
    expect(readFileSync(join(folder, "of-bob.txt"), "utf8")).toBe("2\n");
  });

  test("commands' stderr is still said when results go to files", async () => {
    const { stderr } = await write({ output: "{#}.out" }, [
      [[{ command: { stdout: "o", stderr: "warned\n" } }], { inputs: ["a"] }],
    ]);
    expect(stderr).toBe("warned\n");
    expect(existsSync(join(folder, "1.out"))).toBe(true);
  });

  test("a place that cannot be written is named, with the way to the kept results", async () => {
    await expect(write({ output: "no/such/folder/x" }, [])).rejects.toThrow(
      /--output: no\/such\/folder\/x cannot be written \(ENOENT\)/,
    );
  });
});

test("inputs are asked for only where a name or a tag needs them", () => {
  expect(needsInputs(options({}))).toBe(false);
  expect(needsInputs(options({ output: "{#}.txt" }))).toBe(false);
  expect(needsInputs(options({ output: "{}.txt" }))).toBe(true);
  expect(needsInputs(options({ tag: true }))).toBe(true);
});

test("options that exclude each other are refused", () => {
  expect(() => checkOutputOptions(options({ tag: true, format: "csv" }))).toThrow(/--tag is for/);
  expect(() => checkOutputOptions(options({ output: "{%}" }))).toThrow(/cannot have \{%\}/);
});
