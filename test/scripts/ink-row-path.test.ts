import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { changeInk, INK_CHANGES, INK_VERSION, type InkChange } from "../../scripts/ink-row-path.ts";
import { fitCells, fitName, inert } from "../../src/tui/text/cells.ts";
import { createRandom } from "../support/fuzz/random.ts";
import { hostileTexts } from "../support/monitor/hostile-texts.ts";
import { createEmulator, type Emulator } from "../support/terminal/emulator.ts";

const ROOT = resolve(import.meta.dir, "..", "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const inkFile = (file: string): string => read(join("node_modules/ink", file));

describe("the shorter way through Ink", () => {
  test("is for the version of Ink that is installed, which is pinned", () => {
    expect(JSON.parse(read("package.json")).dependencies.ink).toBe(INK_VERSION);
    expect(JSON.parse(inkFile("package.json")).version).toBe(INK_VERSION);
  });

  for (const change of INK_CHANGES) {
    test(`changes one place of ${change.file}, and the file is the one that it was written for`, () => {
      const source = inkFile(change.file);
      expect(source.split(change.find)).toHaveLength(2);
      const changed = changeInk(change, source);
      expect(changed).toContain(change.instead);
      expect(changed.length - source.length).toBe(change.instead.length - change.find.length);
    });

    test(`refuses another ${change.file}`, () => {
      expect(() => changeInk(change, `${inkFile(change.file)}\n`)).toThrow(INK_VERSION);
    });
  }
});

/** The module as published and as changed, both loaded. */
async function loadBoth<Value>(change: InkChange): Promise<readonly [Value, Value]> {
  const published = inkFile(change.file);
  return [
    await loadInk<Value>(change.file, published),
    await loadInk<Value>(change.file, changeInk(change, published)),
  ];
}

/** The default export of a file of Ink whose source is this. */
async function loadInk<Value>(file: string, source: string): Promise<Value> {
  const path = join(ROOT, "node_modules/ink", file);
  const built = await Bun.build({
    entrypoints: [path],
    target: "bun",
    plugins: [
      {
        name: "this source",
        setup: (build) => {
          build.onLoad({ filter: /\.js$/ }, async (asked) => ({
            contents: asked.path === path ? source : await Bun.file(asked.path).text(),
            loader: "js",
          }));
        },
      },
    ],
  });
  const [artifact] = built.outputs;
  if (artifact === undefined) throw new Error(`not built: ${built.logs.join("\n")}`);
  const text = await artifact.text();
  const module = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  return module.default;
}

const changeOf = (file: string): InkChange => {
  const change = INK_CHANGES.find((one) => one.file === file);
  if (change === undefined) throw new Error(`no change of ${file}`);
  return change;
};

type NewOutput = new (size: Size) => InkOutput;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface InkOutput {
  write(x: number, y: number, text: string, options: { transformers: readonly never[] }): void;
  clip(clip: object): void;
  unclip(): void;
  get(): { readonly output: string; readonly height: number };
}

const SIZE: Size = { width: 20, height: 4 };
const PLAIN = { transformers: [] };

describe("what it draws", () => {
  test("rows that are each written once are what Ink itself makes of them", async () => {
    const outputs = await loadBoth<NewOutput>(changeOf("build/output.js"));
    const drawn = outputs.map((Output) => {
      const output = new Output(SIZE);
      output.write(0, 0, "first", PLAIN);
      output.write(0, 1, "\u001b[31mred\u001b[39m and plain   ", PLAIN);
      output.write(0, 3, "⣿⣀ last", PLAIN);
      return output.get();
    });
    expect(drawn[1]).toEqual(drawn[0] as never);
    expect(drawn[1]?.output.split("\n")).toHaveLength(SIZE.height);
  });

  test("rows beside or over one another, and clipped ones, go Ink's own way", async () => {
    const outputs = await loadBoth<NewOutput>(changeOf("build/output.js"));
    for (const draw of [
      (output: InkOutput) => {
        output.write(0, 0, "under", PLAIN);
        output.write(2, 0, "over", PLAIN);
      },
      (output: InkOutput) => {
        output.write(0, 1, "first", PLAIN);
        output.write(0, 1, "x", PLAIN);
      },
      (output: InkOutput) => {
        output.clip({ x1: 0, x2: 3, y1: 0, y2: 4 });
        output.write(0, 0, "too long", PLAIN);
        output.unclip();
      },
    ]) {
      const drawn = outputs.map((Output) => {
        const output = new Output(SIZE);
        draw(output);
        return output.get().output;
      });
      expect(drawn[1]).toBe(drawn[0] as string);
    }
  });
});

type LineUpdate = (previous: string, next: string, columns: number) => string;

describe("a row that changes in its second half", () => {
  const COLUMNS = 100;
  const written = (emulator: Emulator, text: string) =>
    new Promise<void>((resolve) => emulator.write(Buffer.from(text), resolve));

  /** How many of many rows with hostile names look different from the same rows drawn whole. */
  async function countTorn(lineUpdate: LineUpdate): Promise<number> {
    const random = createRandom(5);
    const names = hostileTexts(200, 7).map((text) => inert(text));
    const row = (name: string): string => {
      const amount = fitCells(String(random.below(100_000)), 8, "right");
      return `${fitName(name, 24)} \u001b[36m${amount}\u001b[0m ${"x".repeat(random.below(20))}`;
    };
    let torn = 0;
    for (let round = 0; round < 400; round++) {
      const name = random.pick(names);
      const [before, after] = [row(name), row(name)];
      const pieces = createEmulator(COLUMNS, 1);
      const whole = createEmulator(COLUMNS, 1);
      await written(pieces, `${before}\u001b[1;1H${lineUpdate(before, after, COLUMNS)}`);
      await written(whole, after);
      if (!Bun.deepEquals(pieces.cells(), whole.cells())) torn += 1;
      pieces.dispose();
      whole.dispose();
    }
    return torn;
  }

  test("is drawn at its place, whatever the name before it; by Ink itself it is not always", async () => {
    const [published, changed] = await loadBoth<LineUpdate>(changeOf("build/line-update.js"));
    expect(await countTorn(changed)).toBe(0);
    expect(await countTorn(published)).toBeGreaterThan(0);
  });

  test("is still drawn in part where that is certain", async () => {
    const [, changed] = await loadBoth<LineUpdate>(changeOf("build/line-update.js"));
    expect(changed("render-frames ⣿⣿ 17", "render-frames ⣿⣿ 18", COLUMNS)).not.toContain("render");
    expect(changed("日本語 17", "日本語 18", COLUMNS)).toContain("日本語");
  });
});
