/** Beginnings: a monitor that was just opened, a screen that was just entered, a list nobody has moved in. */
import type { Graph, ThemeName } from "../theme/theme.ts";
import { firstPaneOf } from "./panes-of.ts";
import type { ListState, LogState, Place, ScreenState, ViewState } from "./view-state.ts";

export interface ViewOptions {
  readonly columns: number;
  readonly rows: number;
  /** Where to open; the overview is always below it. */
  readonly place?: Place;
  readonly theme?: ThemeName;
  readonly graph?: Graph;
  readonly ascii?: boolean;
  readonly readOnly?: boolean;
}

export function createView(options: ViewOptions): ViewState {
  return {
    columns: options.columns,
    rows: options.rows,
    stack: pathTo(options.place ?? { kind: "overview" }).map(createScreen),
    overlay: null,
    toast: null,
    frozenAtMs: null,
    chartWindow: "2m",
    backSeconds: 0,
    theme: options.theme ?? "ansi16",
    graph: options.graph ?? "braille",
    ascii: options.ascii ?? false,
    readOnly: options.readOnly ?? false,
    undo: null,
    columnsFrom: 0,
  };
}

/** The places above one another that lead from the overview to this one. */
export function pathTo(place: Place): readonly Place[] {
  switch (place.kind) {
    case "overview":
      return [place];
    case "job":
    case "worker":
      return [{ kind: "overview" }, place];
    case "task":
      return [...pathTo({ kind: "job", jobId: place.jobId }), place];
    case "log":
      return [
        ...pathTo(
          place.index === null
            ? { kind: "job", jobId: place.jobId }
            : { kind: "task", jobId: place.jobId, index: place.index },
        ),
        place,
      ];
  }
}

export function createScreen(place: Place): ScreenState {
  return {
    place,
    pane: firstPaneOf(place),
    isZoomed: false,
    lists: firstLists(place),
    log: place.kind === "log" ? createLogState() : null,
    textTop: 0,
  };
}

/**
 * Of a job's tasks those that run are what one comes for, the longest first; a task that has ended must not
 * take the cursor with it down among a million others.
 */
const firstLists = (place: Place): ScreenState["lists"] =>
  place.kind === "job" ? { tasks: createListState({ sort: "time", staysFirst: true }) } : {};

export const createListState = (changes: Partial<ListState> = {}): ListState => ({
  selectedId: null,
  selectedAt: 0,
  top: 0,
  filter: "",
  sort: "",
  reverse: false,
  marked: new Set(),
  ...changes,
});

export const createLogState = (): LogState => ({
  follows: true,
  top: 0,
  left: 0,
  wraps: false,
  showsTime: true,
  streams: "both",
  filter: "",
  search: "",
  hitAt: null,
});
