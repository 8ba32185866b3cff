/**
 * A table of a part of a list: header with the sort mark, one row a line, `>` at the selected row, `*` at
 * marked ones, and how many there are below. It shows what it is given and knows nothing of where it is from.
 */

import { formatExactCount } from "../text/amounts.ts";
import { fitCells } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { fitRows, paintRow, paintRowAs, plain, type Span, span, spansWidth } from "./spans.ts";
import { type Column, type PlacedColumn, placeColumns } from "./table-columns.ts";

/** A row's id with its content; `row` null: not here yet. */
export interface TableRow<Row> {
  readonly id: string;
  readonly row: Row | null;
}

export interface TableShape<Row> {
  readonly columns: readonly Column<Row>[];
  readonly width: number;
  /** With the header. */
  readonly height: number;
  readonly rows: readonly TableRow<Row>[];
  /** Rows after the last of `rows`. */
  readonly below: number;
  /** Which of `rows` has the cursor; null: none, the cursor is elsewhere. */
  readonly selectedRow: number | null;
  readonly marked: ReadonlySet<string>;
  readonly sort: { readonly key: string; readonly descending: boolean } | null;
  readonly columnsFrom: number;
  /** Sentences for a list that has no rows. */
  readonly empty: readonly string[];
}

/** For `>` and `*`, at the left of every row. */
export const MARK_CELLS = 2;

/** Header and rows, `height` of them, painted. */
export function table<Row>(shape: TableShape<Row>, theme: Theme): string[] {
  const { width, height } = shape;
  const placed = placeColumns(shape.columns, width - MARK_CELLS, shape.columnsFrom);
  const header = paintRowAs(theme, "dim", width, [
    plain(" ".repeat(MARK_CELLS)),
    ...placed.map(({ column, width: cells }, at) =>
      plain(headerCell(column, cells, shape.sort) + gapAfter(placed, at)),
    ),
  ]);
  const room = Math.max(0, height - 1);
  const lines = [header];
  for (const [at, row] of shape.rows.slice(0, room).entries())
    lines.push(tableRow(row, placed, { ...shape, isSelected: shape.selectedRow === at }, theme));
  if (shape.rows.length === 0)
    for (const sentence of shape.empty.slice(0, room))
      lines.push(paintRow(theme, width, [plain("   "), span("dim", sentence)]));
  const hidden = shape.below + Math.max(0, shape.rows.length - room);
  if (hidden > 0 && lines.length < height) lines.push(moreBelow(hidden, width, theme));
  return fitRows(lines, width, height);
}

export const moreBelow = (count: number, width: number, theme: Theme): string =>
  paintRow(theme, width, [span("dim", `   .. ${formatExactCount(count)} more below`)]);

function headerCell<Row>(
  column: Column<Row>,
  width: number,
  sort: TableShape<Row>["sort"],
): string {
  const mark = sort?.key === column.key ? (sort.descending ? "v" : "^") : "";
  const spaced = mark === "" ? column.title : `${column.title} ${mark}`;
  const text =
    spaced.length <= width ? spaced : `${column.title.slice(0, width - mark.length)}${mark}`;
  return fitCells(text, width, column.align);
}

const gapAfter = <Row>(placed: readonly PlacedColumn<Row>[], at: number): string =>
  at === placed.length - 1 ? "" : " ".repeat(placed[at]?.column.gap ?? 1);

interface RowLook {
  readonly width: number;
  readonly marked: ReadonlySet<string>;
  readonly isSelected: boolean;
}

function tableRow<Row>(
  { id, row }: TableRow<Row>,
  placed: readonly PlacedColumn<Row>[],
  { width: rowWidth, marked, isSelected }: RowLook,
  theme: Theme,
): string {
  const isMarked = marked.has(id);
  const marks = span(
    isMarked ? "accent" : "plain",
    `${isSelected ? ">" : " "}${isMarked ? "*" : " "}`,
  );
  const cells =
    row === null
      ? [span("dim", "..")]
      : placed.flatMap(({ column, width }, at) => [
          ...cell(column, row, width, theme),
          plain(gapAfter(placed, at)),
        ]);
  return isSelected
    ? paintRowAs(theme, "selection", rowWidth, [marks, ...cells])
    : paintRow(theme, rowWidth, [marks, ...cells]);
}

function cell<Row>(column: Column<Row>, row: Row, width: number, theme: Theme): readonly Span[] {
  const drawn = column.draw(row, width, theme);
  if (!Array.isArray(drawn)) {
    const { style, text } = drawn as Span;
    return [span(style, fitCells(text, width, column.align))];
  }
  const spans: readonly Span[] = drawn;
  const room = width - spansWidth(spans);
  // What takes too many cells is cut as a whole: a column never moves its neighbours.
  if (room < 0) return [plain(fitCells(spans.map(({ text }) => text).join(""), width))];
  const blanks = plain(" ".repeat(room));
  return column.align === "right" ? [blanks, ...spans] : [...spans, blanks];
}
