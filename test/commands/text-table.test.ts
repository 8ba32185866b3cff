import { expect, test } from "bun:test";
import {
  type Column,
  renderTable,
  textWidth,
  truncateMiddle,
} from "../../src/commands/text-table.ts";

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
    "12345  word-…iles  text",
  ]);
});

test("no line is wider than the terminal while anything can go", () => {
  for (let widthMax = 20; widthMax <= 70; widthMax += 1) {
    for (const line of renderTable(COLUMNS, ROWS, { widthMax }))
      expect(textWidth(line)).toBeLessThanOrEqual(widthMax);
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
  expect(truncateMiddle("日本語日本語", 7)).toBe("日…語");
  expect(textWidth(truncateMiddle("日本語日本語", 7))).toBeLessThanOrEqual(7);
});

test("the middle is cut, both ends stay", () => {
  expect(truncateMiddle("a-very-long-name.ts", 11)).toBe("a-ver…me.ts");
  expect(truncateMiddle("short", 5)).toBe("short");
  expect(truncateMiddle("anything", 1)).toBe("…");
  expect(truncateMiddle("anything", 0)).toBe("");
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
