/**
 * Rows before they are painted: pieces of text with a style each. A row stays in pieces as long as somebody
 * may still want it in one style only (the selected row is); painting is the last step. All text in spans
 * has been made inert.
 */
import { cellWidth, truncateEnd } from "../text/cells.ts";
import type { Style, Theme } from "../theme/theme.ts";

export interface Span {
  readonly style: Style;
  readonly text: string;
}

export const span = (style: Style, text: string): Span => ({ style, text });

export const plain = (text: string): Span => ({ style: "plain", text });

export function spansWidth(spans: readonly Span[]): number {
  let width = 0;
  for (const { text } of spans) width += cellWidth(text);
  return width;
}

/** Painted, exactly `width` cells: cut at the end, or filled with blanks. */
export function paintRow(theme: Theme, width: number, spans: readonly Span[]): string {
  let row = "";
  let left = width;
  for (const { style, text } of spans) {
    if (left <= 0) break;
    const cells = cellWidth(text);
    const shown = cells <= left ? text : truncateEnd(text, left);
    row += theme.paint(style, shown);
    left -= cells <= left ? cells : cellWidth(shown);
    if (cells > cellWidth(shown)) break;
  }
  return left > 0 ? row + " ".repeat(left) : row;
}

/** All of it in one style, whatever styles its pieces have. */
export function paintRowAs(
  theme: Theme,
  style: Style,
  width: number,
  spans: readonly Span[],
): string {
  const text = spans.map((piece) => piece.text).join("");
  return theme.paint(style, paintRow(UNPAINTED, width, [plain(text)]));
}

/** `left` from the left edge, `right` to the right one. Where both do not fit, `right` goes first. */
export function paintEnds(
  theme: Theme,
  width: number,
  left: readonly Span[],
  right: readonly Span[],
): string {
  const rightWidth = spansWidth(right);
  const leftWidth = spansWidth(left);
  if (leftWidth + rightWidth + (rightWidth > 0 ? 1 : 0) > width)
    return paintRow(theme, width, left);
  return paintRow(theme, width, [
    ...left,
    plain(" ".repeat(width - leftWidth - rightWidth)),
    ...right,
  ]);
}

/** The pieces that fit, whole, in order of importance (the first ones); the gaps between them count. */
export function fittingPieces(
  width: number,
  pieces: readonly (readonly Span[])[],
  gap = 2,
): readonly Span[] {
  const shown: Span[] = [];
  let left = width;
  for (const piece of pieces) {
    const cells = spansWidth(piece) + (shown.length > 0 ? gap : 0);
    if (piece.length === 0 || cells > left) continue;
    if (shown.length > 0) shown.push(plain(" ".repeat(gap)));
    shown.push(...piece);
    left -= cells;
  }
  return shown;
}

export const blankRows = (width: number, height: number): string[] =>
  Array.from({ length: Math.max(0, height) }, () => " ".repeat(Math.max(0, width)));

/** Exactly `height` rows: cut at the end or filled with blank ones. */
export function fitRows(rows: readonly string[], width: number, height: number): string[] {
  if (rows.length >= height) return rows.slice(0, Math.max(0, height));
  return [...rows, ...blankRows(width, height - rows.length)];
}

const UNPAINTED: Theme = {
  name: "mono",
  ascii: false,
  graph: "block",
  paint: (_style, text) => text,
};
