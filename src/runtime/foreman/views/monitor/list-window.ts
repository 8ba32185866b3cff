/**
 * The part of a list that a monitor shows: sorted by a figure, cut to the window that was asked for. It
 * works on whatever names the rows, so that only rows that are shown are ever built.
 */
import type { ListWindow } from "../../../protocol/messages/client.ts";
import type { WindowView } from "../../../protocol/monitor-views.ts";
import { isDescending } from "../../../protocol/row-order.ts";

/** What a row is sorted by; null: it has no such figure, and comes last. */
export type SortKey = number | string | null;

/**
 * In the order that `window.sort` asks for; what is equal stays as it was.
 * @param keyOf null: this is no name of a sort here, so the list's own order holds.
 */
export function sortForWindow<Item>(
  items: Item[],
  { sort, reverse }: Pick<ListWindow, "sort" | "reverse">,
  keyOf: ((item: Item) => SortKey) | null,
): Item[] {
  if (keyOf === null) return reverse ? items.reverse() : items;
  const sign = isDescending(sort, reverse) ? -1 : 1;
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  keyed.sort((a, b) => compareKeys(a.key, b.key, sign));
  return keyed.map(({ item }) => item);
}

function compareKeys(a: SortKey, b: SortKey, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -sign : sign;
}

export interface WindowParts<Item, Row> {
  /** How many there are, whatever the filter says. */
  readonly total: number;
  idOf(item: Item): string;
  rowOf(item: Item): Row;
}

/** @param items what the filter lets through, in its order. */
export function cutWindow<Item, Row>(
  items: readonly Item[],
  window: ListWindow,
  { total, idOf, rowOf }: WindowParts<Item, Row>,
): WindowView<Row> {
  const { anchor } = window;
  const anchorAt = anchor === undefined ? -1 : items.findIndex((item) => idOf(item) === anchor);
  const from = firstRow(window, items.length, anchorAt);
  const shown = items.slice(from, from + window.rows);
  const order = shown.map(idOf);
  return {
    total,
    matching: items.length,
    from,
    order,
    // People choose names such as `__proto__`; entries make keys of them all.
    rows: Object.fromEntries(shown.map((item, at) => [order[at], rowOf(item)])),
    anchor_at: anchorAt < 0 ? null : anchorAt,
  };
}

/** A window never begins so late that it would show less than it could. */
export function firstRow(
  { from, rows, around }: ListWindow,
  count: number,
  anchorAt: number,
): number {
  const last = Math.max(0, count - rows);
  const isInside = anchorAt >= from && anchorAt < from + rows;
  if (around !== true || anchorAt < 0 || isInside) return Math.min(from, last);
  return Math.min(Math.max(0, anchorAt - Math.floor(rows / 2)), last);
}
