/**
 * Text measured and cut in cells of a terminal, and foreign text made inert. What a person, a task or another
 * machine wrote goes through `inert` once, at the border of the panes; after that each of its characters
 * takes the cells that are counted here, in every terminal.
 */
import stringWidth from "string-width";
import { BLANK, glyphKind, NARROW, SILENT, UNSAFE, WIDE } from "./glyph-kinds.ts";

export type Align = "left" | "right" | "center";

// Written without the escape byte itself, which the linter takes for an accident.
const SGR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;:]*m`, "g");
const NOT_PLAIN = /[^\x20-\x7e]/;
/** Latin letters, `…`, box drawing, blocks and braille: most of what is drawn, and one cell each. */
const NOT_NARROW = /[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2026\u2500-\u259f\u2800-\u28ff]/;
const TAB_CELLS = 8;

/** Cells that `text` takes; it may hold our own SGR sequences when `sgr` is set. */
export function cellWidth(text: string, { sgr = false }: { readonly sgr?: boolean } = {}): number {
  const bare = sgr ? stripSgr(text) : text;
  if (!NOT_NARROW.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) {
    const kind = glyphKind(character.codePointAt(0) ?? 0);
    // Not made inert: the careful way, by graphemes.
    if (kind > WIDE) return stringWidth(bare);
    width += kind;
  }
  return width;
}

export function stripSgr(text: string): string {
  return text.includes("\u001b") ? text.replace(SGR, "") : text;
}

/** `text` in exactly `width` cells: cut with `…` or filled with blanks. */
export function fitCells(text: string, width: number, align: Align = "left"): string {
  if (width <= 0) return "";
  const used = cellWidth(text);
  if (used === width) return text;
  if (used > width) return fillCells(truncateEnd(text, width), width, align);
  return fill(text, width - used, align);
}

/** As `fitCells`, but cut in the middle: names end in what tells them apart. */
export function fitName(name: string, width: number, align: Align = "left"): string {
  return width <= 0 ? "" : fillCells(truncateMiddle(name, width), width, align);
}

/** At most `width` cells, ending in `…` when something was cut. */
export function truncateEnd(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  return width <= 0 ? "" : `${headOf(text, width - 1)}…`;
}

/** `render-fr…-0042`: at most `width` cells, a good third of them from the end. */
export function truncateMiddle(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  if (width <= 4) return truncateEnd(text, width);
  const tail = tailCells(text, Math.floor((width - 1) * 0.36));
  return `${headOf(text, width - 1 - cellWidth(tail))}…${tail}`;
}

/** The cells from `from` on, `width` of them, exactly; half a wide character becomes a blank. */
export function sliceCells(text: string, from: number, width: number): string {
  const skipped = headOf(text, from);
  const gap = from - cellWidth(skipped);
  let rest = text.slice(skipped.length);
  if (gap > 0 && rest !== "") rest = " ".repeat(gap) + [...rest].slice(1).join("");
  return fillCells(headOf(rest, width), width, "left");
}

/**
 * Foreign text on one line: controls, escapes and what terminals disagree on become `?`, line ends and
 * blanks of all sorts a blank, tabs the blanks up to the next stop. `ascii` leaves bytes 0x20 to 0x7e only.
 * `dropsColour` forgets SGR sequences without a trace, for output of programs that colour theirs.
 */
export function inert(
  text: string,
  { ascii = false, dropsColour = false }: { ascii?: boolean; dropsColour?: boolean } = {},
): string {
  if (!NOT_PLAIN.test(text)) return text;
  const shown: string[] = [];
  let width = 0;
  for (const character of (dropsColour ? stripSgr(text) : text).toWellFormed().normalize("NFC")) {
    const drawn =
      character === "\t" ? " ".repeat(TAB_CELLS - (width % TAB_CELLS)) : draw(character, ascii);
    shown.push(drawn);
    width += drawn.length;
  }
  return shown.join("");
}

function draw(character: string, ascii: boolean): string {
  const kind = glyphKind(character.codePointAt(0) ?? 0);
  if (kind === SILENT) return "";
  if (kind === BLANK) return " ";
  if (kind === UNSAFE) return "?";
  return ascii ? asciiOf(character) : character;
}

const LOOKALIKES: Readonly<Record<string, string>> = {
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  "‐": "-",
  "–": "-",
  "—": "-",
  "…": ".",
  "→": ">",
  "←": "<",
  "×": "x",
  ß: "s",
  µ: "u",
  "•": "*",
  "✔": "v",
  "✖": "x",
};

/** One character of ASCII for each, the same letter without its accent where there is one. */
export function asciiOf(character: string): string {
  if (!NOT_PLAIN.test(character)) return character;
  const alike = LOOKALIKES[character];
  if (alike !== undefined) return alike;
  const first = character.normalize("NFKD")[0] ?? "?";
  return NOT_PLAIN.test(first) ? "?" : first;
}

/** What we draw ourselves; every one of them is one cell. */
const DRAWN_AS: Readonly<Record<string, string>> = {
  "─": "-",
  "│": "|",
  "┌": "+",
  "┐": "+",
  "└": "+",
  "┘": "+",
  "…": "~",
  "█": "#",
  "░": ".",
  "▒": "R",
  "·": ".",
};

const FOREIGN = new RegExp(`[^\\x20-\\x7e${String.fromCharCode(27)}]`, "gu");

/** A finished row in ASCII, as wide as it was: for whoever drew something else in spite of the theme. */
export function asciiRow(row: string): string {
  return row.replace(FOREIGN, (character) => {
    const drawn = DRAWN_AS[character] ?? asciiOf(character);
    return drawn + "?".repeat(Math.max(0, characterCells(character) - 1));
  });
}

/** As many whole characters as fit in `width` cells. */
export function headOf(text: string, width: number): string {
  if (width <= 0) return "";
  if (!NOT_NARROW.test(text)) return text.slice(0, width);
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += characterCells(character);
    if (used > width) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function tailCells(text: string, width: number): string {
  if (!NOT_NARROW.test(text)) return width <= 0 ? "" : text.slice(-width);
  const characters = [...text];
  let used = 0;
  let start = characters.length;
  while (start > 0) {
    used += characterCells(characters[start - 1] ?? "");
    if (used > width) break;
    start -= 1;
  }
  return characters.slice(start).join("");
}

function characterCells(character: string): number {
  const kind = glyphKind(character.codePointAt(0) ?? 0);
  return kind === NARROW || kind === WIDE ? kind : 0;
}

function fillCells(text: string, width: number, align: Align): string {
  return fill(text, width - cellWidth(text), align);
}

function fill(text: string, blanks: number, align: Align): string {
  if (blanks <= 0) return text;
  if (align === "right") return " ".repeat(blanks) + text;
  if (align === "left") return text + " ".repeat(blanks);
  const before = Math.floor(blanks / 2);
  return " ".repeat(before) + text + " ".repeat(blanks - before);
}
