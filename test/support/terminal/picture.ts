/**
 * A screen as text that can be compared and kept: its rows, and below them the same rows with a letter for
 * each cell's attributes (`.` for plain ones) and what the letters mean.
 */
import type { Cell } from "./emulator.ts";

export interface Mask {
  readonly pattern: RegExp;
  /** As long as what it replaces, or what follows would move. */
  readonly instead: (found: string) => string;
}

/** What differs from run to run: the clock in the corner, and the port that was free. */
export const RUN_MASKS: readonly Mask[] = [
  { pattern: /\b\d\d:\d\d:\d\d\b/g, instead: () => "HH:MM:SS" },
  { pattern: /127\.0\.0\.1:\d+/g, instead: (found) => found.replace(/\d+$/, digitsOf) },
];

const digitsOf = (digits: string): string => "#".repeat(digits.length);

/** Letters for attributes, in the order in which a screen shows them. */
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export function pictureOf(
  rows: readonly (readonly Cell[])[],
  masks: readonly Mask[] = RUN_MASKS,
): string {
  const letters = new Map<string, string>();
  const letterOf = (cell: Cell): string => {
    const look = lookOf(cell);
    if (look === "") return ".";
    const known = letters.get(look);
    if (known !== undefined) return known;
    const letter = LETTERS[letters.size] ?? "?";
    letters.set(look, letter);
    return letter;
  };
  const texts = rows.map((row) => `|${masked(textOf(row), masks)}|`);
  const looks = rows.map((row) => `|${row.map(letterOf).join("")}|`);
  const legend = [...letters].map(([look, letter]) => `${letter} = ${look}`);
  return [...texts, "", ...looks, "", ...legend, ""].join("\n");
}

export const textOf = (row: readonly Cell[]): string => row.map(({ text }) => text).join("");

/** Blanks have no colour that can be seen, except on a background or as inverse. */
function lookOf(cell: Cell): string {
  const isBlank = cell.text === " " && !cell.inverse && !cell.underline;
  return [
    cell.foreground === "default" || isBlank ? "" : `colour ${cell.foreground}`,
    cell.background === "default" ? "" : `on ${cell.background}`,
    cell.bold && !isBlank ? "bold" : "",
    cell.dim && !isBlank ? "dim" : "",
    cell.italic && !isBlank ? "italic" : "",
    cell.underline ? "underline" : "",
    cell.inverse ? "inverse" : "",
  ]
    .filter((word) => word !== "")
    .join(" ");
}

function masked(text: string, masks: readonly Mask[]): string {
  return masks.reduce((now, { pattern, instead }) => now.replace(pattern, instead), text);
}

/** The cells in which two screens differ, as a person would look for them; empty: none. */
export function differingCells(
  before: readonly (readonly Cell[])[],
  after: readonly (readonly Cell[])[],
  masks: readonly Mask[] = RUN_MASKS,
): readonly string[] {
  if (before.length !== after.length) return [`${before.length} rows and then ${after.length}`];
  return before.flatMap((row, at) => {
    const other = after[at] ?? [];
    const spared = new Set([...maskedColumns(row, masks), ...maskedColumns(other, masks)]);
    return row.flatMap((cell, column) => {
      const now = other[column];
      if (now !== undefined && (isSameCell(cell, now) || spared.has(column))) return [];
      return [`row ${at} column ${column}: ${describe(cell)} and then ${describe(now)}`];
    });
  });
}

/** One column a character: a wide one's second half has an empty text, which is a column, too. */
function maskedColumns(row: readonly Cell[], masks: readonly Mask[]): readonly number[] {
  const text = row.map((cell) => (cell.text.length === 1 ? cell.text : "\u0000")).join("");
  return masks.flatMap(({ pattern }) =>
    [...text.matchAll(pattern)].flatMap(({ index, 0: found }) =>
      Array.from({ length: found.length }, (_, offset) => index + offset),
    ),
  );
}

const isSameCell = (a: Cell, b: Cell): boolean => a.text === b.text && lookOf(a) === lookOf(b);

const describe = (cell: Cell | undefined): string =>
  cell === undefined ? "nothing" : `${JSON.stringify(cell.text)} ${lookOf(cell)}`.trim();
