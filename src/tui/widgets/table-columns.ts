/**
 * Which columns of a table are shown in a width: the least important go first, none is ever wrapped, and
 * what is left over goes to those that can use it. Scrolled to the side, the pinned ones stay.
 */
import type { Align } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import type { Span } from "./spans.ts";

export interface Column<Row> {
  /** As in `ListWindow.sort` where the list can be sorted by it. */
  readonly key: string;
  readonly title: string;
  /** The least that it needs. */
  readonly width: number;
  /** What it should have before a column of priority `SPARE_PRIORITY` and above is shown; by default `width`. */
  readonly ideal?: number;
  /** 0 is the most important. */
  readonly priority: number;
  readonly align?: Align;
  /** Share of the cells that are left over, up to `widthMax`. */
  readonly grow?: number;
  readonly widthMax?: number;
  /** Stays when the columns are scrolled. */
  readonly isPinned?: boolean;
  /** Cells without a gap to the next column after it. */
  readonly gap?: number;
  /** At most `width` cells; is filled to it. Text is inert. */
  draw(row: Row, width: number, theme: Theme): Span | readonly Span[];
}

export interface PlacedColumn<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Columns from here on are for room to spare: the others get their ideal widths first. */
const SPARE_PRIORITY = 8;

const GAP = 1;
const gapOf = (column: { readonly gap?: number }) => column.gap ?? GAP;

/** The columns for `width` cells, in their order, with the cells that each has. */
export function placeColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
  columnsFrom = 0,
): readonly PlacedColumn<Row>[] {
  const from = Math.min(Math.max(0, columnsFrom), columnsFromMax(columns, width));
  // Those that were scrolled to are wanted, whatever their importance: cut at the right edge instead.
  const kept =
    from === 0 ? keepImportant(columns, width) : cutAtEdge(withoutLoose(columns, from), width);
  return growColumns(kept, width - totalWidth(kept));
}

/** The last column needs no gap behind it. */
function totalWidth<Row>(columns: readonly Column<Row>[], isIdeal = false): number {
  const last = columns.at(-1);
  return columns.reduce(
    (sum, column) =>
      sum + (isIdeal ? (column.ideal ?? column.width) : column.width) + gapOf(column),
    last === undefined ? 0 : -gapOf(last),
  );
}

/** How far columns can be scrolled in this width: until the last ones are all there. */
export function columnsFromMax<Row>(columns: readonly Column<Row>[], width: number): number {
  const loose = columns.filter((column) => column.isPinned !== true).length;
  let from = 0;
  while (from < loose - 1 && totalWidth(withoutLoose(columns, from)) > width) from += 1;
  return from;
}

/** Without the first `count` of those that are not pinned. */
function withoutLoose<Row>(columns: readonly Column<Row>[], count: number): readonly Column<Row>[] {
  const gone = new Set(columns.filter((column) => column.isPinned !== true).slice(0, count));
  return columns.filter((column) => !gone.has(column));
}

function cutAtEdge<Row>(columns: readonly Column<Row>[], width: number): readonly Column<Row>[] {
  let end = columns.length;
  while (end > 1 && totalWidth(columns.slice(0, end)) > width) end -= 1;
  return columns.slice(0, end);
}

function keepImportant<Row>(
  columns: readonly Column<Row>[],
  width: number,
): readonly Column<Row>[] {
  let kept = columns;
  while (kept.length > 1) {
    const least = leastImportant(kept);
    const isSpare = (kept[least]?.priority ?? 0) >= SPARE_PRIORITY;
    if (totalWidth(kept, isSpare) <= width) break;
    kept = kept.toSpliced(least, 1);
  }
  return kept;
}

/** Of equals the last one. */
function leastImportant<Row>(columns: readonly Column<Row>[]): number {
  let least = 0;
  for (const [at, { priority }] of columns.entries())
    if (priority >= (columns[least]?.priority ?? 0)) least = at;
  return least;
}

function growColumns<Row>(
  columns: readonly Column<Row>[],
  left: number,
): readonly PlacedColumn<Row>[] {
  const shares = columns.reduce((sum, column) => sum + (column.grow ?? 0), 0);
  let rest = Math.max(0, left);
  let restShares = shares;
  return columns.map((column) => {
    const grow = column.grow ?? 0;
    const most = Math.max(0, (column.widthMax ?? Number.POSITIVE_INFINITY) - column.width);
    const more = restShares > 0 ? Math.min(most, Math.floor((rest * grow) / restShares)) : 0;
    rest -= more;
    restShares -= grow;
    return { column, width: column.width + more };
  });
}
