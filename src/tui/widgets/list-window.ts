/**
 * The part of a list that is on the screen: the foreman's window of rows brought together with where the
 * person has scrolled to. Positions count among the rows that the filter lets through.
 */
import type { WindowView } from "../../runtime/protocol/monitor-views.ts";
import { createListState } from "../navigation/initial-view.ts";
import type { ListName, ListState, ViewState } from "../navigation/view-state.ts";
import { formatExactCount } from "../text/amounts.ts";
import type { TableRow } from "./table.ts";

export interface ShownRows<Row> {
  readonly rows: readonly TableRow<Row>[];
  /** Position of the first. */
  readonly from: number;
  readonly below: number;
}

/** From so many rows on, one is kept for how many there are below. */
const ROWS_WITH_MORE_MIN = 5;

/** How far a page is in a list that has `height` rows of room. */
export const pageRows = (height: number): number =>
  height >= ROWS_WITH_MORE_MIN ? height - 1 : Math.max(0, height);

/** What fits in `height` rows; the last of them stays free for `.. 7 more below` when that is needed. */
export function shownRows<Row>(
  window: WindowView<Row>,
  top: number,
  height: number,
): ShownRows<Row> {
  const page = pageRows(height);
  const first = Math.max(0, Math.min(top, window.matching - page));
  const count = window.matching - first <= height ? height : page;
  const end = Math.min(window.matching, first + count);
  const rows: TableRow<Row>[] = [];
  for (let position = first; position < end; position++) {
    const id = window.order[position - window.from];
    rows.push({
      id: id ?? `?${position}`,
      // Names are other people's: `constructor` is none of the object's own.
      row: id !== undefined && Object.hasOwn(window.rows, id) ? (window.rows[id] ?? null) : null,
    });
  }
  return { rows, from: first, below: window.matching - end };
}

/** `1-5/12`, or nothing when all are shown or there are none. */
export function positionText(shown: ShownRows<unknown>, matching: number): string {
  if (matching === 0 || shown.rows.length === 0) return "";
  const last = shown.from + shown.rows.length;
  if (shown.from === 0 && last === matching) return "";
  return `${formatExactCount(shown.from + 1)}-${formatExactCount(last)}/${formatExactCount(matching)}`;
}

/** How the list is looked at on the screen shown. */
export function listStateOf(view: ViewState, list: ListName): ListState {
  return view.stack.at(-1)?.lists[list] ?? UNTOUCHED;
}

const UNTOUCHED = createListState();
