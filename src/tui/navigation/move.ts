/**
 * Moving: in a list by positions (at once, also where the rows have not come yet), in a text by rows, in a log
 * by the lines that are shown.
 */
import { listStateOf, screenOf, withList, withLog, withScreen } from "./change.ts";
import type { NavContext, ShownLog } from "./nav-types.ts";
import { listOf, listsOf, paneOf } from "./panes-of.ts";
import { clamp, currentList, rowsOf, topFor } from "./settle.ts";
import { idAt, shownList } from "./shown-lists.ts";
import type { ListName, ViewState } from "./view-state.ts";

export type Motion =
  | "down"
  | "up"
  | "page-down"
  | "page-up"
  | "half-down"
  | "half-up"
  | "first"
  | "last";

export function move(state: ViewState, motion: Motion, context: NavContext): ViewState {
  const screen = screenOf(state);
  if (screen.place.kind === "log") return moveInLog(state, motion, context);
  const list = listOf(screen);
  return list === null
    ? moveInText(state, motion, context)
    : moveInList(state, list, motion, context);
}

function moveInList(
  state: ViewState,
  name: ListName,
  motion: Motion,
  context: NavContext,
): ViewState {
  const screen = screenOf(state);
  const rows = rowsOf(context.planLayout(state), name);
  // A stale picture still tells how long the list is, about.
  const matching = shownList(context.shown, name)?.matching ?? 0;
  const { selectedAt, top, staysFirst } = listStateOf(state, name);
  const distance = distanceOf(motion, rows);
  const target = clamp(selectedAt + distance, matching);
  // Pages turn: the cursor keeps its height on the screen.
  const turned = Math.abs(distance) > 1 ? top + target - selectedAt : top;
  const list = currentList(context, screen, name);
  return withList(state, name, {
    selectedAt: target,
    selectedId: list === null ? null : idAt(list, target),
    ...(staysFirst === undefined ? {} : { staysFirst: motion === "first" }),
    top: topFor(turned, target, { rows, matching }),
  });
}

function distanceOf(motion: Motion, rows: number): number {
  switch (motion) {
    case "down":
      return 1;
    case "up":
      return -1;
    case "page-down":
      return rows;
    case "page-up":
      return -rows;
    case "half-down":
      return Math.max(1, rows >> 1);
    case "half-up":
      return -Math.max(1, rows >> 1);
    case "first":
      return -Number.MAX_SAFE_INTEGER;
    case "last":
      return Number.MAX_SAFE_INTEGER;
  }
}

/** Text that is no list: a task's, or a worker's lanes. */
function moveInText(state: ViewState, motion: Motion, context: NavContext): ViewState {
  const screen = screenOf(state);
  const page = Math.max(1, context.planLayout(state).textRows - 1);
  const last = Math.max(0, context.textRows(state) - page - 1);
  const wanted = screen.textTop + distanceOf(motion, page);
  return withScreen(state, { textTop: Math.max(0, Math.min(wanted, last)) });
}

/** Moving up or to the start pauses; reaching the end by moving does not follow again, `f` does. */
function moveInLog(state: ViewState, motion: Motion, context: NavContext): ViewState {
  const { log } = context;
  if (log === null || log.numbers.length === 0) return state;
  const page = Math.max(1, context.planLayout(state).textRows);
  if (motion === "first") return withLog(state, { follows: false, top: Number.MIN_SAFE_INTEGER });
  const top = lineAway(log, distanceOf(motion, page), page);
  const wasFollowing = screenOf(state).log?.follows === true;
  // At the end already: going down changes nothing, so it stays what it is.
  if (wasFollowing && top >= log.top) return state;
  return withLog(state, { follows: false, top });
}

/** The number of the line so far from the top one, not beyond the last screenful. */
function lineAway({ numbers, top }: ShownLog, distance: number, page: number): number {
  const at = firstAtLeast(numbers, top);
  const target = Math.max(0, Math.min(at + distance, Math.max(0, numbers.length - page)));
  // Scrolled further down than a screenful (by a search): going up begins there.
  return numbers[distance > 0 ? Math.max(at, target) : target] ?? top;
}

/** Index of the first number that is not below; the length when all are. Numbers grow. */
export function firstAtLeast(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `columnsFrom` of tables, half a screen of a log. */
export function moveSideways(
  state: ViewState,
  direction: -1 | 1,
  { planLayout }: Pick<NavContext, "planLayout">,
): ViewState {
  const { log } = screenOf(state);
  if (log === null) {
    const { columnsFromMax } = planLayout(state);
    // A wider terminal may have room for columns that were scrolled away.
    const from = Math.min(state.columnsFrom, columnsFromMax) + direction;
    return { ...state, columnsFrom: Math.max(0, Math.min(from, columnsFromMax)) };
  }
  const half = Math.max(1, state.columns >> 1);
  return withLog(state, { left: Math.max(0, Math.min(log.left + direction * half, LEFT_MAX)) });
}

/** No line is worth more scrolling. */
const LEFT_MAX = 100_000;

/** Tab and Shift-Tab, round and round. */
export function movePane(state: ViewState, direction: -1 | 1, count: number): ViewState {
  const { pane } = screenOf(state);
  return withScreen(state, { pane: (pane + direction + count) % count });
}

/** The list that `/` and `s` are about: the pane's own, or else the one that can be filtered. */
export function filteredList(state: ViewState): ListName | null {
  const screen = screenOf(state);
  const pane = paneOf(screen);
  const own: readonly string[] = ["jobs", "workers", "tasks"];
  const lists = listsOf(screen.place).filter((name) => own.includes(name));
  return lists.find((name) => name === pane) ?? lists[0] ?? null;
}
