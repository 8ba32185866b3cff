/** A list with its title: how many, sorted and filtered by what, which part is seen, and its table. */

import type { WindowView } from "../../runtime/protocol/monitor-views.ts";
import { isDescending } from "../../runtime/protocol/row-order.ts";
import type { ListState } from "../navigation/view-state.ts";
import { formatExactCount } from "../text/amounts.ts";
import { inert } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { positionText, type ShownRows, shownRows } from "./list-window.ts";
import { ruleTitle } from "./rule.ts";
import { type Span, span } from "./spans.ts";
import { table } from "./table.ts";
import type { Column } from "./table-columns.ts";

export interface ListPane<Row> {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly title: string;
  /** After the title, the most important first. */
  readonly notes: readonly (readonly Span[])[];
  readonly window: WindowView<Row>;
  readonly columns: readonly Column<Row>[];
  readonly list: ListState;
  /** It has the cursor. */
  readonly isActive: boolean;
  readonly columnsFrom: number;
  /** Sentences for a list that has no rows at all. */
  readonly empty: readonly string[];
  /** The same for a list whose filter lets none through. */
  readonly unmatched?: readonly string[];
  readonly hasHeader?: boolean;
}

const UNMATCHED = ["nothing matches the filter; Esc clears it"];

/** Rows of a list's pane that are not data. */
export const LIST_PANE_FRAME_ROWS = 2;

/** Title, header and rows: `height` rows of `width` cells. */
export function listPane<Row>(
  pane: ListPane<Row>,
  { width, height }: { readonly width: number; readonly height: number },
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const { window, list, isActive, hasHeader = true } = pane;
  const room = height - (hasHeader ? LIST_PANE_FRAME_ROWS : 1);
  const shown = shownRows(window, list.top, room);
  const rows = table(
    {
      columns: pane.columns,
      width,
      height: room + 1,
      rows: shown.rows,
      below: shown.below,
      selectedRow: cursorRow(shown, list, isActive),
      marked: list.marked,
      sort:
        list.sort === ""
          ? null
          : { key: list.sort, descending: isDescending(list.sort, list.reverse) },
      columnsFrom: isActive ? pane.columnsFrom : 0,
      empty: window.total === 0 ? pane.empty : (pane.unmatched ?? UNMATCHED),
    },
    theme,
  );
  return [title(pane, shown, width, theme), ...(hasHeader ? rows : rows.slice(1))].slice(0, height);
}

/** Which of the rows shown has the cursor; null: it is elsewhere. */
export function cursorRow(
  shown: ShownRows<unknown>,
  { selectedAt }: ListState,
  isActive: boolean,
): number | null {
  return isActive && shown.rows.length > 0 ? selectedAt - shown.from : null;
}

function title<Row>(
  pane: ListPane<Row>,
  shown: ShownRows<Row>,
  width: number,
  theme: Theme,
): string {
  const { window, list } = pane;
  const all = formatExactCount(window.total);
  const count =
    window.matching === window.total ? all : `${formatExactCount(window.matching)}/${all}`;
  return ruleTitle(
    {
      number: pane.number,
      title: `${pane.title} ${count}`,
      isActive: pane.isActive,
      notes: [...listNotes(list, theme), ...pane.notes],
      end: positionText(shown, window.matching),
    },
    width,
    theme,
  );
}

/** Filter, marks and sort, where there are any. */
function listNotes(list: ListState, { ascii }: Theme): readonly (readonly Span[])[] {
  const notes: Span[][] = [];
  if (list.filter !== "")
    notes.push([span("dim", "filter "), span("warning", inert(list.filter, { ascii }))]);
  if (list.marked.size > 0)
    notes.push([span("accent", `* ${formatExactCount(list.marked.size)} marked`)]);
  if (list.sort !== "")
    notes.push([
      span(
        "dim",
        `sort ${list.sort.toUpperCase()} ${isDescending(list.sort, list.reverse) ? "v" : "^"}`,
      ),
    ]);
  return notes;
}
