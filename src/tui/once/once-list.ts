/** How a list is printed where nobody has a cursor in it, and how high it is then. */
import type { WindowView } from "../../runtime/protocol/monitor-views.ts";
import { createListState } from "../navigation/initial-view.ts";
import type { ListPane } from "../widgets/list-pane.ts";

/** No key, no cursor, from the first row on. */
export const PRINTED = {
  number: null,
  list: createListState(),
  isActive: false,
  columnsFrom: 0,
} as const satisfies Pick<ListPane<unknown>, "number" | "list" | "isActive" | "columnsFrom">;

/** Rows for all that is here, one more where there are further ones, and some for the sentences without any. */
export function printedRows({ order, matching }: WindowView<unknown>, emptyRows = 1): number {
  if (order.length === 0) return emptyRows;
  return order.length + (matching > order.length ? 1 : 0);
}
