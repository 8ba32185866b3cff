/**
 * Keeps selections with their rows when the picture changes: by id as long as the row exists, at its
 * position when it is gone, and at the same height of the screen wherever it moved.
 */
import { MONITOR_ROWS_MAX } from "../../runtime/protocol/limits.ts";
import type { Focus, FocusBody, WindowRequest } from "../feed.ts";
import type { Layout } from "../panes/layout.ts";
import { screenOf, withLog, withScreen } from "./change.ts";
import { createListState } from "./initial-view.ts";
import type { NavContext } from "./nav-types.ts";
import { listsOf, paneIndex } from "./panes-of.ts";
import { idAt, positionOf, type ShownList, shownList } from "./shown-lists.ts";
import type { ListName, ListState, Place, ScreenState, ViewState } from "./view-state.ts";

/** Whether this is a picture of that place. */
export function isOf(shown: FocusBody | null, place: Place): boolean {
  switch (shown?.kind) {
    case undefined:
      return false;
    case "overview":
      return place.kind === "overview";
    case "job":
      return (
        (place.kind === "job" || (place.kind === "log" && place.index === null)) &&
        shown.body.job.job_id === place.jobId
      );
    case "task":
      return (
        (place.kind === "task" || place.kind === "log") &&
        shown.body.job.job_id === place.jobId &&
        shown.body.index === place.index
      );
    case "worker":
      return place.kind === "worker" && shown.body.worker.worker_id === place.workerId;
  }
}

/** What was asked of a list; null for lists that come whole. */
export function windowAsked(asked: Focus | null, name: ListName): WindowRequest | null {
  if (asked?.kind === "overview") {
    return name === "jobs" ? asked.jobs : name === "workers" ? asked.workers : null;
  }
  return (asked?.kind === "job" || asked?.kind === "worker") && name === "tasks"
    ? asked.tasks
    : null;
}

/** The list as it is shown, unless it was asked for with another sort or filter than is chosen now. */
export function currentList(
  context: NavContext,
  screen: ScreenState,
  name: ListName,
): ShownList | null {
  if (!isOf(context.shown, screen.place)) return null;
  const asked = windowAsked(context.asked, name);
  const wanted = screen.lists[name] ?? createListState();
  const isStale =
    asked !== null &&
    (asked.sort !== wanted.sort ||
      asked.reverse !== wanted.reverse ||
      asked.filter !== wanted.filter);
  return isStale ? null : shownList(context.shown, name);
}

/** Called after every action; changes nothing when all selections are where they should be. */
export function settle(state: ViewState, context: NavContext): ViewState {
  const screen = screenOf(state);
  const layout = context.planLayout(state);
  const lists: Partial<Record<ListName, ListState>> = { ...screen.lists };
  let isChanged = false;
  for (const name of listsOf(screen.place)) {
    const list = currentList(context, screen, name);
    if (list === null) continue;
    const before = screen.lists[name] ?? createListState();
    const after = settleList(before, list, {
      rows: rowsOf(layout, name),
      isSought: isSought(context.asked, name, before),
    });
    isChanged ||= after !== screen.lists[name];
    lists[name] = after;
  }
  const settled = isChanged
    ? withScreen(state, { lists, pane: paneAfter(screen, context) })
    : state;
  return settleLog(settled, context);
}

/**
 * A log that stands still begins at a line that is shown, and wastes no room at its end. Once that is so,
 * nothing that comes moves it.
 */
function settleLog(state: ViewState, context: NavContext): ViewState {
  const { log } = screenOf(state);
  const shown = context.log;
  if (log === null || shown === null || log.follows || shown.numbers.length === 0) return state;
  if (log.top === Number.MIN_SAFE_INTEGER) {
    return shown.atStart ? withLog(state, { top: shown.numbers[0] ?? 0 }) : state;
  }
  const rows = Math.max(1, context.planLayout(state).textRows);
  const last = Math.max(0, shown.numbers.length - rows);
  const top = shown.numbers[last];
  if (!shown.atEnd || top === undefined || log.top <= top) return state;
  return withLog(state, { top });
}

export const rowsOf = (layout: Layout, name: ListName): number =>
  Math.max(1, layout.listRows[name] ?? 1);

/** Whether the picture answers the question where the selected row is. */
const isSought = (asked: Focus | null, name: ListName, { selectedId }: ListState): boolean =>
  selectedId !== null && windowAsked(asked, name)?.anchor === selectedId;

interface Circumstances {
  readonly rows: number;
  readonly isSought: boolean;
}

function settleList(
  state: ListState,
  list: ShownList,
  { rows, isSought }: Circumstances,
): ListState {
  const marking = finishMarking(state, list);
  const found = findSelected(marking, list, isSought);
  const selectedAt = clamp(found.selectedAt, list.matching);
  // A row that moved keeps its height on the screen: the rows around it change, not the place looked at.
  // Only at the top of a list what is new there must be seen.
  const moved = marking.top === 0 ? 0 : marking.top + selectedAt - marking.selectedAt;
  const top = topFor(found.followed ? moved : marking.top, selectedAt, {
    rows,
    matching: list.matching,
  });
  const selectedId = list.matching === 0 ? null : (found.selectedId ?? idAt(list, selectedAt));
  const isSame =
    marking === state &&
    selectedAt === state.selectedAt &&
    top === state.top &&
    selectedId === state.selectedId;
  return isSame ? state : { ...marking, selectedAt, selectedId, top };
}

interface Found {
  readonly selectedId: string | null;
  readonly selectedAt: number;
  readonly followed: boolean;
}

function findSelected(state: ListState, list: ShownList, isSought: boolean): Found {
  const { selectedId, selectedAt } = state;
  if (state.staysFirst) return { selectedId: null, selectedAt: 0, followed: false };
  if (selectedId === null) return { selectedId, selectedAt, followed: false };
  const at = positionOf(list, selectedId);
  if (at >= 0) return { selectedId, selectedAt: at, followed: at !== selectedAt };
  if (isSought && list.anchorAt !== null) {
    return { selectedId, selectedAt: list.anchorAt, followed: true };
  }
  // The whole list is here, or the foreman has looked: it is gone, and whoever has its place is next.
  const isGone = isSought || (list.from === 0 && list.ids.length >= list.matching);
  return { selectedId: isGone ? null : selectedId, selectedAt, followed: false };
}

function finishMarking(state: ListState, list: ShownList): ListState {
  if (!state.marksAll) return state;
  const { marksAll: _, ...rest } = state;
  // It has grown beyond what comes at once since it was asked for.
  if (list.matching > MONITOR_ROWS_MAX) return rest;
  if (list.from > 0 || list.ids.length < list.matching) return state;
  return { ...rest, marked: new Set(list.ids) };
}

export const clamp = (position: number, matching: number): number =>
  Math.max(0, Math.min(position, matching - 1));

/** The first row shown, so that the selected one is on the screen and no room is wasted at the end. */
export function topFor(
  top: number,
  selectedAt: number,
  { rows, matching }: { readonly rows: number; readonly matching: number },
): number {
  const visible = Math.max(selectedAt - rows + 1, Math.min(top, selectedAt));
  return Math.max(0, Math.min(visible, matching - rows));
}

/** A job with failures opens at them: that is what one looks for. Only before anything was moved. */
function paneAfter(screen: ScreenState, { shown }: NavContext): number {
  const isUntouched =
    screen.place.kind === "job" &&
    Object.values(screen.lists).every(({ selectedId }) => selectedId === null);
  const tasks = paneIndex(screen.place, "tasks");
  if (!isUntouched || screen.pane !== tasks || shown?.kind !== "job") return screen.pane;
  // The groups of a job that has ended may come a moment after its counts.
  const { errors, counts } = shown.body;
  return errors.length > 0 || counts.failed > 0 ? paneIndex(screen.place, "errors") : tasks;
}
