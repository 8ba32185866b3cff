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

/** A few words that stay together; those with the highest number are the first to be left out. */
export interface Piece {
  readonly spans: readonly Span[];
  readonly priority: number;
}

export const piece = (priority: number, ...spans: readonly Span[]): Piece => ({ spans, priority });

/** The pieces that fit, in their order, `gap` blanks between them; bare spans count from first to last. */
export function fittingPieces(
  width: number,
  pieces: readonly (Piece | readonly Span[])[],
  gap = 2,
): readonly Span[] {
  let kept = pieces
    .map((each, at) => ("spans" in each ? each : { spans: each, priority: at }))
    .filter(({ spans }) => spans.length > 0);
  const total = () =>
    kept.reduce((sum, { spans }) => sum + spansWidth(spans) + gap, kept.length > 0 ? -gap : 0);
  while (kept.length > 0 && total() > width) {
    const least = Math.max(...kept.map(({ priority }) => priority));
    kept = kept.toSpliced(
      kept.findLastIndex(({ priority }) => priority === least),
      1,
    );
  }
  const between = plain(" ".repeat(gap));
  return kept.flatMap(({ spans }, at) => (at === 0 ? spans : [between, ...spans]));
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
