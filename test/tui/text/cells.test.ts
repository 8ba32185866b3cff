import { expect, test } from "bun:test";
import headless from "@xterm/headless";
import stringWidth from "string-width";
import {
  asciiOf,
  cellWidth,
  fitCells,
  fitName,
  inert,
  sliceCells,
  truncateEnd,
  truncateMiddle,
} from "../../../src/tui/text/cells.ts";
import { glyphKind, NARROW, WIDE } from "../../../src/tui/text/glyph-kinds.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";

const columnsAfter = (text: string) =>
  new Promise<number>((resolve) => {
    const terminal = new headless.Terminal({ cols: 1000, rows: 2, allowProposedApi: true });
    terminal.write(text, () => {
      resolve(terminal.buffer.active.cursorX);
      terminal.dispose();
    });
  });

test("each character that is drawn as it is takes the same cells here, in string-width and in the emulator", async () => {
  const drawn: string[] = [];
  for (let codePoint = 0x20; codePoint < 0x40000; codePoint++)
    if (glyphKind(codePoint) <= WIDE) drawn.push(String.fromCodePoint(codePoint));
  expect(drawn.length).toBeGreaterThan(80_000);
  expect(drawn.filter((character) => stringWidth(character) !== cellWidth(character))).toEqual([]);
  // Every seventh, 300 at a time: the emulator is slow.
  const sample = drawn.filter((_, index) => index % 7 === 0);
  for (let from = 0; from < sample.length; from += 300) {
    const text = sample.slice(from, from + 300).join("");
    expect(await columnsAfter(text)).toBe(cellWidth(text));
  }
});

test("what is counted without looking at each character is one cell each", () => {
  for (let codePoint = 0x20; codePoint < 0x2900; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    // A wide or silent neighbour would show that this one was counted by itself.
    if (glyphKind(codePoint) > WIDE) continue;
    expect(cellWidth(`${character}a`)).toBe(cellWidth(`${character}猫`) - 1);
  }
  for (const [from, to] of [
    [0xa1, 0xac],
    [0xae, 0x2ff],
    [0x2500, 0x259f],
    [0x2800, 0x28ff],
  ] as const)
    for (let codePoint = from; codePoint <= to; codePoint++)
      expect(glyphKind(codePoint)).toBe(NARROW);
});

test("whatever was written, made inert it takes the cells that are counted and holds no control", async () => {
  for (const text of hostileTexts(500)) {
    const shown = inert(text.slice(0, 400));
    expect(shown).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u);
    expect(cellWidth(shown)).toBe(stringWidth(shown));
    expect(inert(shown)).toBe(shown);
    expect(inert(text, { ascii: true })).toMatch(/^[\x20-\x7e]*$/);
  }
  const all = hostileTexts(60).map((text) => inert(text.slice(0, 40)));
  for (const shown of all) expect(await columnsAfter(shown)).toBe(cellWidth(shown));
});

test("escape sequences, bidirectional controls and line ends are visible or blank, never obeyed", () => {
  expect(inert("a\u001b[2Jb")).toBe("a?[2Jb");
  expect(inert("\u001b]52;c;ZXZpbA==\u0007")).toBe("?]52;c;ZXZpbA==?");
  expect(inert("\u009b31mred")).toBe("?31mred");
  expect(inert("abc\u202egnp.exe")).toBe("abc?gnp.exe");
  expect(inert("one\ntwo\u2028three\r\n")).toBe("one two three  ");
  expect(inert("a\tb")).toBe("a       b");
  expect(inert("\u001b[1;31mred\u001b[0m", { dropsColour: true })).toBe("red");
  expect(inert("\ud800")).toBe("\ufffd");
});

test("letters of all scripts stay, what terminals disagree on goes", () => {
  expect(inert("Žluťoučký кот 猫 ねこ 고양이 חתול")).toBe("Žluťoučký кот 猫 ねこ 고양이 חתול");
  expect(inert("e\u0301te\u0301")).toBe("été");
  expect(inert("z\u0336\u0337\u0338a\u0489lgo")).toBe("zalgo");
  expect(inert("a\u200bb\u200dc\ufeffd")).toBe("abcd");
  expect(inert("run 🚀 👨‍👩‍👧 ⚠️")).toBe("run ? ??? ⚠");
  expect(inert("Žluť… “q” – 猫", { ascii: true })).toBe('Zlut. "q" - ?');
  expect([asciiOf("é"), asciiOf("→"), asciiOf("Ж")]).toEqual(["e", ">", "?"]);
});

test.each([
  ["render-frames", 20, "left", "render-frames       "],
  ["render-frames", 13, "left", "render-frames"],
  ["render-frames", 8, "left", "render-…"],
  ["render-frames", 0, "left", ""],
  ["42", 5, "right", "   42"],
  ["ab", 5, "center", " ab  "],
  ["猫猫猫", 4, "left", "猫… "],
  ["猫猫猫", 6, "left", "猫猫猫"],
] as const)("%s in %d cells, %s: '%s'", (text, width, align, expected) => {
  expect(fitCells(text, width, align)).toBe(expected);
});

test("names are cut in the middle, so that their ends can be told apart", () => {
  expect(truncateMiddle("render-frames-of-the-film-0042", 15)).toBe("render-fr…-0042");
  expect(truncateMiddle("render-frames", 4)).toBe("ren…");
  expect(truncateEnd("render-frames", 1)).toBe("…");
  expect(fitName("猫猫猫猫猫猫", 8)).toBe("猫猫…猫 ");
});

test("a slice of cells is exact also through wide characters", () => {
  expect(sliceCells("abcdef", 2, 3)).toBe("cde");
  expect(sliceCells("abc", 2, 3)).toBe("c  ");
  expect(sliceCells("猫猫猫", 1, 4)).toBe(" 猫 ");
  expect(sliceCells("abc", 9, 2)).toBe("  ");
});

test("every cut is exact for any text and width", () => {
  for (const text of hostileTexts(200)) {
    const shown = inert(text);
    for (const width of [0, 1, 2, 3, 5, 8, 21, 80]) {
      expect(stringWidth(fitCells(shown, width))).toBe(width);
      expect(stringWidth(fitName(shown, width, "right"))).toBe(width);
      expect(stringWidth(sliceCells(shown, 3, width))).toBe(width);
      expect(stringWidth(truncateMiddle(shown, width))).toBeLessThanOrEqual(width);
    }
  }
});

test("our own colours count for nothing where that is asked", () => {
  expect(cellWidth("\u001b[1;31mred\u001b[0m", { sgr: true })).toBe(3);
});
