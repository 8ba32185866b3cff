import { expect, test } from "bun:test";
import { type Column, renderTable } from "../../src/commands/text-table.ts";
import { cellWidth } from "../../src/tui/text/cells.ts";
import { hostileTexts } from "../support/monitor/hostile-texts.ts";

const COLUMNS: readonly Column[] = [
  { title: "JOB", align: "right" },
  { title: "NAME" },
  { title: "NOTE", priority: 2 },
  { title: "QUEUE", priority: 1 },
];
const ROWS = [
  ["7", "primes", "a remark of some length", "math"],
  ["12345", "word-count-over-files", "", "text"],
];

test("columns are aligned and lines have no blanks at the end", () => {
  expect(renderTable(COLUMNS, ROWS, { widthMax: Number.POSITIVE_INFINITY })).toEqual([
    "  JOB  NAME                   NOTE                     QUEUE",
    "    7  primes                 a remark of some length  math",
    "12345  word-count-over-files                           text",
  ]);
});

test("the least important column goes first, then the widest shrinks", () => {
  expect(renderTable(COLUMNS, ROWS, { widthMax: 24 })).toEqual([
    "  JOB  NAME        QUEUE",
    "    7  primes      math",
    "12345  word-c…les  text",
  ]);
});

test("no line is wider than the terminal while anything can go", () => {
  for (let widthMax = 20; widthMax <= 70; widthMax += 1) {
    for (const line of renderTable(COLUMNS, ROWS, { widthMax }))
      expect(cellWidth(line)).toBeLessThanOrEqual(widthMax);
  }
});

test("wide characters take two cells", () => {
  const lines = renderTable(
    [{ title: "A" }, { title: "B" }],
    [
      ["日本", "x"],
      ["abcd", "y"],
    ],
    { widthMax: 80 },
  );
  expect(lines.slice(1)).toEqual(["日本  x", "abcd  y"]);
});

test("the middle is cut, both ends stay", () => {
  const cut = (text: string, widthMax: number) =>
    renderTable([{ title: "A", widthMin: 1 }], [[text]], { widthMax })[1];
  expect(cut("a-very-long-name.ts", 11)).toBe("a-very-….ts");
  expect(cut("日本語日本語", 7)).toBe("日本…語");
  expect(cut("short", 5)).toBe("short");
});

test("whatever cells hold, every column begins where its title does", () => {
  const texts = hostileTexts(400);
  for (const widthMax of [30, 60, 200, Number.POSITIVE_INFINITY]) {
    for (let at = 0; at < texts.length; at += 8) {
      const rows = [0, 2, 4, 6].map((i) => [texts[at + i] ?? "", texts[at + i + 1] ?? "", "x"]);
      const columns = [{ title: "AA" }, { title: "BB", align: "right" as const }, { title: "C" }];
      const [header = "", ...lines] = renderTable(columns, rows, { widthMax });
      for (const line of lines) {
        expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
        // The last column is one character wide: it stands below its title.
        expect([cellWidth(line), line.at(-1)]).toEqual([cellWidth(header), "x"]);
      }
    }
  }
});

test("escape sequences in a cell are inert", () => {
  const [, line] = renderTable([{ title: "NAME" }], [["\u001b[31mred\nnext\u202e"]], {
    widthMax: 80,
  });
  expect(line).toBe("?[31mred next?");
});

test("paint gets the aligned cell and the text it shows", () => {
  const columns: readonly Column[] = [
    { title: "STATE", paint: (cell, text) => `<${text}>${cell}` },
    { title: "B" },
  ];
  expect(renderTable(columns, [["up", "x"]], { widthMax: 80 })[1]).toBe("<up>up     x");
});
