import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  chooseInputs,
  type InputOptions,
} from "../../../../src/runtime/client/inputs/choose-inputs.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-inputs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let fileCount = 0;
function file(content: string | Uint8Array): string {
  const name = `f${fileCount++}`;
  writeFileSync(join(folder, name), content);
  return name;
}

interface Given {
  readonly products?: readonly (readonly string[])[];
  readonly stdin?: readonly string[];
}

async function valuesOf(options: InputOptions, given: Given = {}): Promise<unknown[]> {
  const source = chooseInputs({
    options,
    products: given.products ?? [],
    job: null,
    cwd: folder,
    async *stdin() {
      for (const piece of given.stdin ?? []) yield Buffer.from(piece);
    },
  });
  const values: unknown[] = [];
  for await (const batch of source.batches) values.push(...batch);
  return values;
}

async function refusalOf(options: InputOptions, given: Given = {}): Promise<string> {
  try {
    await valuesOf(options, given);
  } catch (thrown) {
    const error = thrown as Error & { code: string; exitCode: number };
    expect(error.exitCode).toBe(2);
    return `${error.code}: ${error.message}`;
  }
  throw new Error("nothing was refused");
}

describe("--array", () => {
  test("counts from the first to the last, both included", async () => {
    expect(await valuesOf({ array: "1-5" })).toEqual([1, 2, 3, 4, 5]);
    expect(await valuesOf({ array: "0-10:4" })).toEqual([0, 4, 8]);
    expect(await valuesOf({ array: "-2-1" })).toEqual([-2, -1, 0, 1]);
    expect(await valuesOf({ array: "-3--1" })).toEqual([-3, -2, -1]);
    expect(await valuesOf({ array: "7" })).toEqual([7]);
    expect((await valuesOf({ array: "1-10000" })).length).toBe(10_000);
  });

  test("refuses what is no range", async () => {
    expect(await refusalOf({ array: "5-1" })).toMatch(/bad_range.*from 5 down to 1/);
    expect(await refusalOf({ array: "1-9:0" })).toMatch(/step below 1/);
    expect(await refusalOf({ array: "a-b" })).toMatch(/is no range/);
    expect(await refusalOf({ array: "1-999999999" })).toMatch(/at most 100000000/);
  });
});

describe("--each-line", () => {
  test("takes every line as it is", async () => {
    const name = file("one\n  two  \n\nthree\r\nlast");
    expect(await valuesOf({ eachLine: name })).toEqual(["one", "  two  ", "", "three\r", "last"]);
  });

  test("a last newline ends the last line and begins none", async () => {
    expect(await valuesOf({ eachLine: file("a\nb\n") })).toEqual(["a", "b"]);
    expect(await valuesOf({ eachLine: file("\n") })).toEqual([""]);
  });

  test("an empty file has no lines", async () => {
    expect(await valuesOf({ eachLine: file("") })).toEqual([]);
  });

  test("lines and characters may be cut anywhere between two reads", async () => {
    const text = "zeile äöü\n日本\n🚀 last";
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut++) {
      const source = chooseInputs({
        options: { eachLine: "-" },
        products: [],
        job: null,
        cwd: folder,
        async *stdin() {
          yield new Uint8Array(bytes.subarray(0, cut));
          yield new Uint8Array(bytes.subarray(cut));
        },
      });
      const values: unknown[] = [];
      for await (const batch of source.batches) values.push(...batch);
      expect(values).toEqual(text.split("\n"));
    }
  });

  test("with --null entries end in NUL and may hold newlines", async () => {
    const name = file("a\nb\0c d\0\0e");
    expect(await valuesOf({ eachLine: name, null: true })).toEqual(["a\nb", "c d", "", "e"]);
  });

  test("a line that is not UTF-8 is refused with its number", async () => {
    const bytes = Buffer.concat([
      Buffer.from("ok\nfine\n"),
      Buffer.from([0xff, 0x0a]),
      Buffer.from("x\n"),
    ]);
    expect(await refusalOf({ eachLine: file(bytes) })).toMatch(
      /not_utf8: --each-line f\d+: line 3 /,
    );
    const unended = Buffer.concat([Buffer.from("a\nb\nc"), Buffer.from([0xe2, 0x82])]);
    expect(await refusalOf({ eachLine: file(unended) })).toMatch(/line 3 is not UTF-8/);
  });

  test("a NUL in a line is refused with the line's number, and divides with --null", async () => {
    const name = file("a\nb\0c\n");
    expect(await refusalOf({ eachLine: name })).toMatch(/^nul_in_line: .*: line 2 holds a NUL\.$/);
    expect(await valuesOf({ eachLine: name, null: true })).toEqual(["a\nb", "c\n"]);
  });

  test("a huge file is read in pieces", async () => {
    const name = file(`${"x".repeat(99)}\n`.repeat(50_000));
    const values = await valuesOf({ eachLine: name });
    expect(values.length).toBe(50_000);
    expect(new Set(values).size).toBe(1);
  });

  test("a line beyond the limit of an input is refused", async () => {
    const name = file("short\n".concat("y".repeat(9 * 1024 * 1024)));
    expect(await refusalOf({ eachLine: name })).toMatch(
      /input_too_large.*line 2 is longer than 8 MiB/,
    );
  });

  test("names a file that is missing or a folder", async () => {
    expect(await refusalOf({ eachLine: "nowhere.txt" })).toMatch(
      /no_such_file: --each-line nowhere.txt/,
    );
    expect(await refusalOf({ eachLine: "." })).toMatch(/that is a folder/);
  });
});

describe("--each-json", () => {
  const cases: readonly (readonly [string, string, unknown[]])[] = [
    ["an array on one line", '[1, "a,]", {"x": [2]}]\n', [1, "a,]", { x: [2] }]],
    ["an array over many lines", '[\n  {"a": 1},\n  {"a": 2}\n]\n', [{ a: 1 }, { a: 2 }]],
    ["JSON lines", '{"a":1}\n{"a":2}\n', [{ a: 1 }, { a: 2 }]],
    ["JSON lines of arrays", "[1,2]\n[3]\n", [[1, 2], [3]]],
    ["JSON lines of scalars", '1\n"two"\nnull\ntrue', [1, "two", null, true]],
    [
      "values over many lines, as jq prints them",
      '{\n "a": 1\n}\n{\n "a": 2\n}\n',
      [{ a: 1 }, { a: 2 }],
    ],
    ["blank lines between", '\n\n{"a":1}\n\n{"a":2}\n\n', [{ a: 1 }, { a: 2 }]],
    ["an empty array", " [ ] ", []],
    ["nothing", "", []],
    ["nested arrays in an array", "[[1],[2,[3]]]", [[1], [2, [3]]]],
    ["brackets and quotes in texts", '["]","\\"","[{"]', ["]", '"', "[{"]],
    ["values side by side", '{"a":1}{"a":2} 3', [{ a: 1 }, { a: 2 }, 3]],
  ];
  for (const [name, text, expected] of cases) {
    test(`${name}, cut anywhere`, async () => {
      for (let cut = 0; cut <= text.length; cut++) {
        const stdin = [text.slice(0, cut), text.slice(cut)];
        expect(await valuesOf({ eachJson: "-" }, { stdin })).toEqual(expected);
      }
    });
  }

  test("extended values come back from their tags", async () => {
    const [value] = await valuesOf({ eachJson: file('[{"$date":"2026-01-02T03:04:05.000Z"}]') });
    expect(value).toEqual(new Date("2026-01-02T03:04:05.000Z"));
  });

  test("what is not JSON is refused with its line", async () => {
    expect(await refusalOf({ eachJson: file('{"a":1}\n{oops}\n') })).toMatch(
      /bad_json: .*line 2: "\{oops\}"/,
    );
    expect(await refusalOf({ eachJson: file("[1,\n2,,3]") })).toMatch(/line 2: a value is missing/);
    expect(await refusalOf({ eachJson: file("[1,2") })).toMatch(/bad_json/);
    expect(await refusalOf({ eachJson: file('[\n1\n]\n"more"') })).toMatch(
      /bad_json.*line 4: .* follows the end/,
    );
    expect(await refusalOf({ eachJson: file('{"a": "unended') })).toMatch(/line 1/);
    expect(await refusalOf({ eachJson: file("[1,2,]") })).toMatch(/a value is missing/);
  });

  test("a key __proto__ stays a key", async () => {
    const [value] = await valuesOf({ eachJson: file('{"__proto__":{"x":1}}') });
    expect(Object.hasOwn(value as object, "__proto__")).toBe(true);
  });
});

describe("--each-csv", () => {
  test("each row is an object named by the header", async () => {
    const name = file('name,size\r\nann,1\r\n"b, c",2\n"say ""hi""","two\nlines"\n');
    expect(await valuesOf({ eachCsv: name })).toEqual([
      { name: "ann", size: "1" },
      { name: "b, c", size: "2" },
      { name: 'say "hi"', size: "two\nlines" },
    ]);
  });

  test("a byte order mark, empty fields and a missing last newline are fine", async () => {
    expect(await valuesOf({ eachCsv: file("\ufeffa,b\n,\n1,") })).toEqual([
      { a: "", b: "" },
      { a: "1", b: "" },
    ]);
  });

  test("text cut anywhere gives the same rows", async () => {
    const text = 'a,b\n"x""y","1\n2"\nü,"🚀"\n';
    for (let cut = 0; cut <= text.length; cut++) {
      const stdin = [text.slice(0, cut), text.slice(cut)].filter((part) => part.isWellFormed());
      if (stdin.length < 2) continue;
      expect(await valuesOf({ eachCsv: "-" }, { stdin })).toEqual([
        { a: 'x"y', b: "1\n2" },
        { a: "ü", b: "🚀" },
      ]);
    }
  });

  test("wrong rows and headers are refused with their line", async () => {
    expect(await refusalOf({ eachCsv: file("a,b\n1,2\n3\n") })).toMatch(
      /line 3: the row has 1 field, the header 2/,
    );
    expect(await refusalOf({ eachCsv: file('a,b\n"x\ny",2\n1,2,3\n') })).toMatch(
      /line 4: the row has 3 fields/,
    );
    expect(await refusalOf({ eachCsv: file("a,a\n1,2\n") })).toMatch(/two columns "a"/);
    expect(await refusalOf({ eachCsv: file("a,\n1,2\n") })).toMatch(/a column without a name/);
    expect(await refusalOf({ eachCsv: file('a\n"open\n') })).toMatch(
      /line 2: a quoted field begins here/,
    );
  });
});

describe("one source", () => {
  test("--input gives one value", async () => {
    expect(await valuesOf({ input: '{"a":[1]}' })).toEqual([{ a: [1] }]);
    expect(await refusalOf({ input: "word" })).toMatch(/bad_json: --input: "word" is not JSON/);
  });

  test("::: lists make their product, the last list fastest; one list its words", async () => {
    expect(await valuesOf({}, { products: [["a", "b"]] })).toEqual(["a", "b"]);
    expect(
      await valuesOf(
        {},
        {
          products: [
            ["a", "b"],
            ["1", "2", "3"],
          ],
        },
      ),
    ).toEqual([
      ["a", "1"],
      ["a", "2"],
      ["a", "3"],
      ["b", "1"],
      ["b", "2"],
      ["b", "3"],
    ]);
    expect(await refusalOf({}, { products: [["a"], []] })).toMatch(/inputs_empty/);
  });

  test("two sources are refused by name", async () => {
    expect(await refusalOf({ array: "1-2", eachLine: "f" })).toMatch(
      /both --array and --each-line f/,
    );
    expect(await refusalOf({ input: "1" }, { products: [["a"]] })).toMatch(/both --input and :::/);
    expect(await refusalOf({ null: true, array: "1-2" })).toMatch(
      /--null says how --each-line splits/,
    );
  });

  test("without any there is one task without input", async () => {
    expect(await valuesOf({})).toEqual([undefined]);
  });
});
