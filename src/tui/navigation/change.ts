/** Small changes of the view state: the screen shown, its lists, what is said. */
import { createListState } from "./initial-view.ts";
import { type NavStep, stay } from "./nav-types.ts";
import type {
  ListName,
  ListState,
  LogState,
  Overlay,
  ScreenState,
  Toast,
  ViewState,
} from "./view-state.ts";

/** The screen shown. */
export function screenOf(state: ViewState): ScreenState {
  const screen = state.stack.at(-1);
  if (screen === undefined) throw new Error("invariant broken: the stack of screens is empty");
  return screen;
}

export const withScreen = (state: ViewState, changes: Partial<ScreenState>): ViewState => ({
  ...state,
  stack: [...state.stack.slice(0, -1), { ...screenOf(state), ...changes }],
});

export const listStateOf = (state: ViewState, name: ListName): ListState =>
  screenOf(state).lists[name] ?? createListState();

export const withList = (
  state: ViewState,
  name: ListName,
  changes: Partial<ListState>,
): ViewState =>
  withScreen(state, {
    lists: { ...screenOf(state).lists, [name]: { ...listStateOf(state, name), ...changes } },
  });

/** Only in a log; elsewhere nothing changes. */
export function withLog(state: ViewState, changes: Partial<LogState>): ViewState {
  const { log } = screenOf(state);
  return log === null ? state : withScreen(state, { log: { ...log, ...changes } });
}

export const withOverlay = (state: ViewState, overlay: Overlay | null): ViewState => ({
  ...state,
  overlay,
});

export const withToast = (
  state: ViewState,
  weight: Toast["weight"],
  text: string,
  atMs: number,
): ViewState => ({ ...state, toast: { weight, text, atMs } });

/** Nothing is done, and one line says why. */
export const refuse = (state: ViewState, reason: string, atMs: number): NavStep =>
  stay(withToast(state, "plain", reason, atMs));
