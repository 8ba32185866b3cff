/**
 * Which panes a place has, in the order of Tab and of the keys 1, 2, 3. `ScreenState.pane` is an index into
 * these. A pane that is a list has the list's name.
 */
import type { ListName, Place, ScreenState } from "./view-state.ts";

/** `grid` of a job's task states, `lanes` of a worker's slots, `text` of a task, `log`. */
export type PaneName = ListName | "grid" | "lanes" | "text" | "log";

const PANES: Readonly<Record<Place["kind"], readonly PaneName[]>> = {
  overview: ["jobs", "workers", "events"],
  job: ["grid", "errors", "tasks"],
  task: ["text"],
  worker: ["lanes", "tasks", "errors"],
  log: ["log"],
};

/** Where the cursor is when a place is opened. */
const FIRST_PANE: Readonly<Record<Place["kind"], PaneName>> = {
  overview: "jobs",
  job: "tasks",
  task: "text",
  worker: "tasks",
  log: "log",
};

export const panesOf = (place: Place): readonly PaneName[] => PANES[place.kind];

export const firstPaneOf = (place: Place): number => paneIndex(place, FIRST_PANE[place.kind]);

/** -1 where the place has no such pane. */
export const paneIndex = (place: Place, pane: PaneName): number => PANES[place.kind].indexOf(pane);

/** The pane that has the cursor. */
export function paneOf(screen: ScreenState): PaneName {
  const panes = PANES[screen.place.kind];
  return panes[screen.pane] ?? FIRST_PANE[screen.place.kind];
}

const LISTS: readonly string[] = ["jobs", "workers", "tasks", "errors", "events"];

const isListName = (pane: PaneName): pane is ListName => LISTS.includes(pane);

/** The list that has the cursor; null in a pane that is none. */
export function listOf(screen: ScreenState): ListName | null {
  const pane = paneOf(screen);
  return isListName(pane) ? pane : null;
}

/** The lists of a place. */
export const listsOf = (place: Place): readonly ListName[] =>
  PANES[place.kind].filter((pane) => isListName(pane));
