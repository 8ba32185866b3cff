/**
 * Panes put together: side by side, dimmed, or with a box drawn over them. All of them work on finished rows
 * and keep their exact width.
 */
import { cellWidth, sliceCells, stripSgr, truncateEnd } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { blankRows, fitRows } from "./spans.ts";

export interface Part {
  readonly rows: readonly string[];
  readonly width: number;
}

/** Beside one another with a line between, `height` rows; its width is that of the parts and the lines. */
export function sideBySide(parts: readonly Part[], height: number, theme: Theme): string[] {
  const line = theme.paint("track", "│");
  const filled = parts.map(({ rows, width }) => fitRows(rows, width, height));
  return Array.from({ length: height }, (_, at) => filled.map((rows) => rows[at] ?? "").join(line));
}

/** Without colour and dim: what lies behind an overlay, or is too old to be trusted. */
export const dimRows = (rows: readonly string[], theme: Theme): string[] =>
  rows.map((row) => theme.paint("dim", stripSgr(row)));

export interface Box {
  readonly title: string;
  /** At the right of the upper edge. */
  readonly end: string;
  /** In the lower edge. */
  readonly foot: string;
  /** Rows inside, `width - 2` cells each. */
  readonly rows: readonly string[];
  readonly width: number;
}

/** Its rows with a border, `rows.length + 2` of them. */
export function box({ title, end, foot, rows, width }: Box, theme: Theme): string[] {
  const edge = (text: string) => theme.paint("accent", text);
  const inner = width - 2;
  return [
    edge("┌") + borderRow(title, end, inner, theme) + edge("┐"),
    ...rows.map((row) => edge("│") + row + edge("│")),
    edge("└") + borderRow(foot, "", inner, theme) + edge("┘"),
  ];
}

/** The left text is kept longer than the right one. */
function borderRow(left: string, right: string, width: number, theme: Theme): string {
  const leftText = left === "" ? "" : truncateEnd(` ${left} `, width);
  const room = width - cellWidth(leftText);
  const rightText = right === "" || room < END_CELLS_MIN ? "" : truncateEnd(` ${right} `, room);
  return (
    theme.paint("strong", leftText) +
    theme.paint("accent", "─".repeat(Math.max(0, room - cellWidth(rightText)))) +
    theme.paint("dim", rightText)
  );
}

const END_CELLS_MIN = 5;

export interface Spot {
  readonly top: number;
  readonly left: number;
  readonly width: number;
}

/** `rows` dimmed, with `above` drawn over them at `spot`; what does not fit in the height is cut. */
export function drawOver(
  rows: readonly string[],
  above: readonly string[],
  { top, left, width }: Spot,
  columns: number,
  theme: Theme,
): string[] {
  const blank = blankRows(columns, 1)[0] ?? "";
  return rows.map((row, at) => {
    const over = above[at - top];
    const bare = stripSgr(row);
    if (over === undefined) return theme.paint("dim", bare || blank);
    return (
      theme.paint("dim", sliceCells(bare, 0, left)) +
      over +
      theme.paint("dim", sliceCells(bare, left + width, columns - left - width))
    );
  });
}

/** In the middle of a screen. */
export function centred(
  { columns, rows }: { readonly columns: number; readonly rows: number },
  width: number,
  height: number,
): Spot {
  return {
    top: Math.max(0, Math.floor((rows - height) / 2)),
    left: Math.max(0, Math.floor((columns - width) / 2)),
    width,
  };
}
