/**
 * What every pane must keep at every size and in every look, and its rows as a picture that can be kept. A
 * pane is judged by what a terminal would draw: cells, not characters.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FRAME_ROWS } from "../../src/tui/panes/layout.ts";
import type { Size } from "../../src/tui/panes/pane.ts";
import { asciiRow } from "../../src/tui/text/cells.ts";
import type { Theme } from "../../src/tui/theme/theme.ts";
import { createTheme } from "../../src/tui/theme/themes.ts";
import { expectGolden } from "../support/terminal/golden.ts";

const size = (width: number, height: number): Size => ({ width, height });

/** From one that is too small for anything to a wall. */
export const SIZES: readonly Size[] = [
  size(39, 7),
  size(40, 8),
  size(60, 15),
  size(80, 24),
  size(120, 40),
  size(200, 60),
  size(300, 80),
];

const look = (name: "ansi16" | "cb" | "mono", ascii = false): Theme =>
  createTheme({ name, ascii, graph: "braille", depth: "16" });

export const THEMES = {
  ansi16: look("ansi16"),
  cb: look("cb"),
  mono: look("mono"),
  ascii: look("ansi16", true),
} as const satisfies Record<string, Theme>;

export const EACH_LOOK: readonly (readonly [string, Size, Theme])[] = SIZES.flatMap((each) =>
  Object.entries(THEMES).map(
    ([name, theme]) => [`${each.width}x${each.height} ${name}`, each, theme] as const,
  ),
);

/** The room between a screen's header and footer. */
export const bodyOf = ({ width, height }: Size): Size => ({ width, height: height - FRAME_ROWS });

const ESCAPE = String.fromCharCode(27);
const SGR = new RegExp(`${ESCAPE}\\[([0-9;]*)m`, "g");
const CONTROL = /\p{Cc}/u;
const NOT_ASCII = /[^\x20-\x7e]/;
const FAULTS_MAX = 5;

/** As the screen shows a pane's rows. */
export const asShown = (rows: string[], theme: Theme): string[] =>
  theme.ascii ? rows.map(asciiRow) : rows;

/** What is wrong with these rows; empty when nothing is. */
export function rowFaults(
  rows: readonly string[],
  { width, height }: Size,
  theme: Theme,
): string[] {
  const faults = rows.length === height ? [] : [`${rows.length} rows instead of ${height}`];
  for (const [at, row] of rows.entries()) {
    const text = row.replace(SGR, "");
    const cells = Bun.stringWidth(text);
    if (cells !== width) faults.push(`row ${at} has ${cells} cells instead of ${width}: ${text}`);
    if (CONTROL.test(text)) faults.push(`row ${at} has a control: ${JSON.stringify(text)}`);
    if (theme.ascii && NOT_ASCII.test(text)) faults.push(`row ${at} is not ASCII: ${text}`);
    const last = [...row.matchAll(SGR)].at(-1)?.[1];
    if (last !== undefined && last !== "0") faults.push(`row ${at} does not end plain: ${text}`);
    if (faults.length >= FAULTS_MAX) break;
  }
  return faults;
}

/** The text, then a letter for each cell's look (`.`: plain), then what the letters mean. */
export function pictureOfRows(rows: readonly string[]): string {
  const letters = new Map<string, string>();
  const painted = rows.map((row) => paintedRow(row, letters));
  const legend = [...letters].map(([sgr, letter]) => `${letter} = ${sgr}`);
  const texts = painted.map(({ text }) => `|${text}|`);
  const looks = painted.map(({ looks: cells }) => `|${cells}|`);
  return [...texts, "", ...looks, "", ...legend, ""].join("\n");
}

function paintedRow(row: string, letters: Map<string, string>): { text: string; looks: string } {
  let text = "";
  let looks = "";
  let letter = ".";
  let at = 0;
  const take = (piece: string) => {
    text += piece;
    looks += letter.repeat(Bun.stringWidth(piece));
  };
  for (const match of row.matchAll(SGR)) {
    take(row.slice(at, match.index));
    letter = letterOf(match[1] ?? "", letters);
    at = match.index + match[0].length;
  }
  take(row.slice(at));
  return { text, looks };
}

function letterOf(sgr: string, letters: Map<string, string>): string {
  if (sgr === "" || sgr === "0") return ".";
  const known = letters.get(sgr);
  if (known !== undefined) return known;
  const letter = String.fromCharCode("a".charCodeAt(0) + letters.size);
  letters.set(sgr, letter);
  return letter;
}

/** Compares with the picture that is kept beside the tests: `CC_UPDATE_GOLDENS=1` writes it anew. */
export function expectPane(name: string, rows: readonly string[]): void {
  expectGolden(join(GOLDENS, `${name}.txt`), pictureOfRows(rows));
}

const GOLDENS = join(import.meta.dir, "goldens");
const PICTURE_WIDTH_MAX = 200;

/**
 * One drawing at every size and in every look: a digest of each, and whole pictures of those that a person
 * would look at. More of them would be megabytes.
 */
export function expectEveryLook(
  name: string,
  draw: (size: Size, theme: Theme) => readonly string[],
): void {
  const digests: string[] = [];
  for (const [look, size, theme] of EACH_LOOK) {
    const rows = draw(size, theme);
    const isDesign = size.width === 80;
    if (isDesign || (theme === THEMES.ansi16 && size.width <= PICTURE_WIDTH_MAX))
      expectPane(`${name}/${look.replace(" ", "-")}`, rows);
    digests.push(`${look} ${digestOf(rows)}\n`);
  }
  expectGolden(join(GOLDENS, name, "digests.txt"), digests.join(""));
}

const digestOf = (rows: readonly string[]): string =>
  createHash("sha256").update(rows.join("\n")).digest("hex").slice(0, 16);
