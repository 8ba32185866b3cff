import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { changeInk, INK_CHANGES, INK_VERSION } from "../../scripts/ink-row-path.ts";

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

/** The changed class beside the original one, in a folder of its own so that both can be loaded. */
async function loadOutputs(): Promise<readonly (new (size: Size) => InkOutput)[]> {
  const [change] = INK_CHANGES;
  if (change === undefined) throw new Error("no change");
  const original = inkFile(change.file);
  return await Promise.all(
    [original, changeInk(change, original)].map(async (source, at) => {
      const built = await Bun.build({
        entrypoints: [join(ROOT, "node_modules/ink/build/output.js")],
        target: "bun",
        plugins: [
          {
            name: "this source",
            setup: (build) => {
              build.onLoad({ filter: /ink\/build\/output\.js$/ }, () => ({
                contents: source,
                loader: "js",
              }));
            },
          },
        ],
      });
      const [artifact] = built.outputs;
      if (artifact === undefined) throw new Error(`not built: ${built.logs.join("\n")}`);
      const text = `${await artifact.text()}\n// ${at}`;
      const module = await import(
        URL.createObjectURL(new Blob([text], { type: "text/javascript" }))
      );
      return module.default;
    }),
  );
}

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
    const outputs = await loadOutputs();
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
    const outputs = await loadOutputs();
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
