/** Going somewhere and coming back: the stack of screens that the breadcrumb shows. */
import { screenOf } from "./change.ts";
import { createScreen, pathTo } from "./initial-view.ts";
import type { Place, ScreenState, ViewState } from "./view-state.ts";

/** Who goes round and round finds the way back to the overview all the same. */
const STACK_DEPTH_MAX = 12;

const placeKey = (place: Place): string => {
  switch (place.kind) {
    case "overview":
      return "overview";
    case "job":
      return `job ${place.jobId}`;
    case "task":
      return `task ${place.jobId}/${place.index}`;
    case "worker":
      return `worker ${place.workerId}`;
    case "log":
      return `log ${place.jobId}/${place.index ?? "*"}/${place.attempt ?? "newest"}`;
  }
};

const isSamePlace = (a: Place, b: Place): boolean => placeKey(a) === placeKey(b);

/** Opens a place above the one shown. */
export function pushPlace(
  state: ViewState,
  place: Place,
  changes: Partial<ScreenState> = {},
): ViewState {
  if (isSamePlace(screenOf(state).place, place)) return state;
  const stack = [...state.stack, { ...createScreen(place), ...changes }];
  // The oldest but the overview goes: nobody remembers it.
  if (stack.length > STACK_DEPTH_MAX) stack.splice(1, 1);
  return arrive(state, stack);
}

/** Goes to a place by its shortest way; screens of that way that are there already stay as they are. */
export function goTo(state: ViewState, place: Place): ViewState {
  const path = pathTo(place);
  let kept = 0;
  for (const step of path) {
    const screen = state.stack[kept];
    if (screen === undefined || !isSamePlace(screen.place, step)) break;
    kept++;
  }
  return arrive(state, [...state.stack.slice(0, kept), ...path.slice(kept).map(createScreen)]);
}

/** A level up; the overview stays. */
export const goBack = (state: ViewState): ViewState =>
  state.stack.length > 1 ? arrive(state, state.stack.slice(0, -1)) : state;

/** A frozen picture is of one place: elsewhere it would show nothing. */
const arrive = (state: ViewState, stack: readonly ScreenState[]): ViewState => ({
  ...state,
  stack,
  overlay: null,
  frozenAtMs: null,
  columnsFrom: 0,
});
