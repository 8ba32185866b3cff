/**
 * What the foreman is asked for: what the screen shows and a page around it. Windows begin at whole pages,
 * so that moving the cursor asks for nothing until it comes near an edge.
 */
import { MONITOR_ROWS_MAX } from "../../runtime/protocol/limits.ts";
import type { Focus, FocusBody, WindowRequest } from "../feed.ts";
import { listStateOf, screenOf } from "../navigation/change.ts";
import { WINDOW_SECONDS } from "../navigation/look-commands.ts";
import { paneOf } from "../navigation/panes-of.ts";
import { isOf, windowAsked } from "../navigation/settle.ts";
import { positionOf, shownList } from "../navigation/shown-lists.ts";
import type { ListName, ViewState } from "../navigation/view-state.ts";
import type { Layout, PlanLayout } from "../panes/layout.ts";

/** Of an input, a result and stderr each: more than anybody reads on a screen. */
const TEXT_CHARACTERS = 8_192;
const EVENTS = 50;
const EVENTS_LOOKED_AT = 200;
const GRID_CELLS_MAX = 4_096;

export interface FocusContext {
  readonly planLayout: PlanLayout;
  /** What is shown, and what it answers: a selected row that is not in it is asked for. */
  readonly shown: FocusBody | null;
  readonly asked: Focus | null;
}

export function focusOf(state: ViewState, context: FocusContext): Focus {
  const { place } = screenOf(state);
  const layout = context.planLayout(state);
  const windowOf = (name: ListName) => windowFor(state, name, { ...context, layout });
  const span = {
    windowSeconds: WINDOW_SECONDS[state.chartWindow],
    backSeconds: Math.round(state.backSeconds),
  };
  switch (place.kind) {
    case "overview":
      return {
        kind: "overview",
        ...span,
        jobs: windowOf("jobs"),
        workers: windowOf("workers"),
        events: paneOf(screenOf(state)) === "events" ? EVENTS_LOOKED_AT : EVENTS,
      };
    case "job": {
      const cells = Math.min(layout.gridCells, GRID_CELLS_MAX);
      return { kind: "job", jobId: place.jobId, ...span, cells, tasks: windowOf("tasks") };
    }
    case "task":
      return { ...taskFocus(place.jobId, place.index), textCharacters: TEXT_CHARACTERS };
    case "worker":
      return { kind: "worker", workerId: place.workerId, ...span, tasks: windowOf("tasks") };
    case "log":
      return place.index === null
        ? { kind: "job", jobId: place.jobId, ...span, cells: 0, tasks: NO_ROWS }
        : taskFocus(place.jobId, place.index);
  }
}

const NO_ROWS: WindowRequest = { sort: "", reverse: false, filter: "", from: 0, rows: 0 };

const taskFocus = (jobId: number, index: number) =>
  ({ kind: "task", jobId, index, textCharacters: 0 }) as const;

function windowFor(
  state: ViewState,
  name: ListName,
  context: FocusContext & { readonly layout: Layout },
): WindowRequest {
  const list = listStateOf(state, name);
  const { sort, reverse, filter, top, selectedId } = list;
  const base = { sort, reverse, filter };
  if (list.marksAll) return { ...base, from: 0, rows: MONITOR_ROWS_MAX };
  const page = context.layout.listRows[name] ?? 0;
  if (page <= 0) return { ...base, from: 0, rows: 0 };
  const from = Math.max(0, (Math.floor(top / page) - 1) * page);
  const rows = Math.min(MONITOR_ROWS_MAX, 4 * page);
  return selectedId !== null && isLostFromSight(state, name, context)
    ? { ...base, from, rows, anchor: selectedId, around: true }
    : { ...base, from, rows };
}

/** The selected row has left the window, though nobody moved the cursor. */
function isLostFromSight(
  state: ViewState,
  name: ListName,
  { shown, asked }: FocusContext,
): boolean {
  const { selectedId, sort, reverse, filter } = listStateOf(state, name);
  const window = windowAsked(asked, name);
  const list = isOf(shown, screenOf(state).place) ? shownList(shown, name) : null;
  if (list === null || window === null || selectedId === null) return false;
  const isSameList = window.sort === sort && window.reverse === reverse && window.filter === filter;
  return isSameList && positionOf(list, selectedId) < 0;
}

/** Whether two of them ask for the same. */
export const isSameFocus = (a: Focus | null, b: Focus | null): boolean =>
  a === b || (a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));

/** Whether they are about the same place, perhaps with other windows. */
export function isSamePlaceAsked(a: Focus, b: Focus): boolean {
  if (a.kind === "job" && b.kind === "job") return a.jobId === b.jobId;
  if (a.kind === "task" && b.kind === "task") return a.jobId === b.jobId && a.index === b.index;
  if (a.kind === "worker" && b.kind === "worker") return a.workerId === b.workerId;
  return a.kind === "overview" && b.kind === "overview";
}
