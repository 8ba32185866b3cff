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
  readonly width: number;
  /** 0 is the most important; those from 9 on are shown only when all others are. */
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

const GAP = 1;
const gapOf = (column: { readonly gap?: number }) => column.gap ?? GAP;

/** The columns for `width` cells, in their order, with the cells that each has. */
export function placeColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
  columnsFrom = 0,
): readonly PlacedColumn<Row>[] {
  const scrolled = scrollColumns(columns, width, columnsFrom);
  const kept = keepImportant(scrolled, width);
  return growColumns(kept, width - totalWidth(kept));
}

const totalWidth = <Row>(columns: readonly Column<Row>[]) =>
  columns.reduce((sum, column) => sum + column.width + gapOf(column), 0);

/** Without the first `columnsFrom` that are not pinned, but never further than until the last ones show. */
function scrollColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
  columnsFrom: number,
): readonly Column<Row>[] {
  const loose = columns.filter((column) => column.isPinned !== true);
  let from = Math.min(Math.max(0, columnsFrom), Math.max(0, loose.length - 1));
  const without = (count: number) => {
    const gone = new Set(loose.slice(0, count));
    return columns.filter((column) => !gone.has(column));
  };
  while (from > 0 && totalWidth(without(from - 1)) <= width) from -= 1;
  // Those that were scrolled to are wanted, whatever their priority: cut at the right edge instead.
  return from === 0 ? columns : cutAtEdge(without(from), width);
}

function cutAtEdge<Row>(columns: readonly Column<Row>[], width: number): readonly Column<Row>[] {
  let left = width;
  return columns.filter((column) => {
    left -= column.width + gapOf(column);
    return left >= 0;
  });
}

function keepImportant<Row>(
  columns: readonly Column<Row>[],
  width: number,
): readonly Column<Row>[] {
  const kept = [...columns];
  let total = totalWidth(kept);
  while (total > width && kept.length > 1) {
    let least = kept.length - 1;
    for (let at = kept.length - 1; at >= 0; at--)
      if ((kept[at]?.priority ?? 0) > (kept[least]?.priority ?? 0)) least = at;
    const [gone] = kept.splice(least, 1);
    if (gone !== undefined) total -= gone.width + gapOf(gone);
  }
  return kept;
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
