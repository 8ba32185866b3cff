/**
 * What keys do while something lies over the screen: text fields of filter and search, the help, a question.
 * The palette has a file of its own. Every overlay closes with Esc.
 */
import { type FilterList, parseRowFilter } from "../../runtime/protocol/row-filter.ts";
import type { ActionRequest } from "../feed.ts";
import {
  listStateOf,
  refuse,
  screenOf,
  withList,
  withLog,
  withOverlay,
  withToast,
} from "./change.ts";
import { type KeyName, pastedLine } from "./keys.ts";
import { goToHit } from "./log-commands.ts";
import { filteredList } from "./move.ts";
import { type NavContext, type NavStep, stay } from "./nav-types.ts";
import { paneIndex } from "./panes-of.ts";
import { NOT_CONNECTED, PRIORITY_MAX, PRIORITY_STEP } from "./question.ts";
import { editField, type Field, insertText } from "./text-field.ts";
import { pendingText, verbOf } from "./verbs.ts";
import type { ConfirmState, ListName, Overlay, ScreenState, ViewState } from "./view-state.ts";

/** Opens the filter of this place with what it is now, so that it can be mended. */
export function openFilter(state: ViewState): ViewState {
  const screen = screenOf(state);
  const name = filteredList(state);
  const text = screen.log?.filter ?? (name === null ? "" : listStateOf(state, name).filter);
  const shown = name === null ? state : withPane(state, name);
  return withOverlay(shown, { kind: "filter", text, cursor: text.length, before: text });
}

function withPane(state: ViewState, name: ListName): ViewState {
  const screen = screenOf(state);
  return {
    ...state,
    stack: [...state.stack.slice(0, -1), { ...screen, pane: paneIndex(screen.place, name) }],
  };
}

export function openSearch(state: ViewState): ViewState {
  const text = screenOf(state).log?.search ?? "";
  return withOverlay(state, { kind: "search", text, cursor: text.length, before: text });
}

/** Which rows the filter of a list is about. */
function filterListOf(screen: ScreenState, name: ListName): FilterList | null {
  if (name === "jobs" || name === "workers") return name;
  if (name !== "tasks") return null;
  return screen.place.kind === "worker" ? "slots" : "tasks";
}

/** What is wrong with the filter that is being typed; null: nothing. For the line under the field. */
export function filterProblem(state: ViewState, text: string): string | null {
  const screen = screenOf(state);
  const name = filteredList(state);
  const list = screen.log !== null || name === null ? null : filterListOf(screen, name);
  if (list === null) return null;
  const parsed = parseRowFilter(text, list);
  return parsed.ok ? null : parsed.message;
}

/** A filter that cannot be read changes nothing: the list stays as it was before the mistake. */
export function setFilter(state: ViewState, text: string): ViewState {
  const { log } = screenOf(state);
  const filter = text.trim();
  if (log !== null) return log.filter === filter ? state : withLog(state, { filter });
  const name = filteredList(state);
  if (name === null || filterProblem(state, text) !== null) return state;
  if (listStateOf(state, name).filter === filter) return state;
  return withList(state, name, { filter, selectedAt: 0, selectedId: null, top: 0 });
}

export function keyInOverlay(
  state: ViewState,
  overlay: Exclude<Overlay, { readonly kind: "palette" }>,
  key: KeyName,
  context: NavContext,
): NavStep {
  switch (overlay.kind) {
    case "help":
      return stay(keyInHelp(state, overlay, key));
    case "filter":
      return stay(keyInFilter(state, overlay, key));
    case "search":
      return keyInSearch(state, overlay, key, context);
    case "confirm":
      return keyInConfirm(state, overlay.confirm, key, context);
  }
}

function keyInHelp(
  state: ViewState,
  overlay: Extract<Overlay, { readonly kind: "help" }>,
  key: KeyName,
): ViewState {
  const scroll = (by: number) =>
    withOverlay(state, { ...overlay, top: Math.max(0, Math.min(overlay.top + by, HELP_ROWS_MAX)) });
  if (key === "escape" || key === "enter") return withOverlay(state, null);
  if (key === "?" && overlay.query === "") return withOverlay(state, null);
  if (key === "down") return scroll(1);
  if (key === "up") return scroll(-1);
  if (key === "pagedown") return scroll(HELP_PAGE);
  if (key === "pageup") return scroll(-HELP_PAGE);
  const { query } = overlay;
  const edited = editField({ text: query, cursor: query.length }, key);
  return edited === null || edited.text === query
    ? state
    : withOverlay(state, { ...overlay, query: edited.text, top: 0 });
}

/** The help has fewer lines; the pane stops at its end. */
const HELP_ROWS_MAX = 100;
const HELP_PAGE = 10;

function keyInFilter(
  state: ViewState,
  overlay: Extract<Overlay, { readonly kind: "filter" }>,
  key: KeyName,
): ViewState {
  if (key === "escape") return withOverlay(setFilter(state, overlay.before), null);
  // A filter with a mistake stays open: closing it would say that it holds.
  if (key === "enter") {
    return filterProblem(state, overlay.text) === null ? withOverlay(state, null) : state;
  }
  const field = editField(overlay, key);
  return field === null ? state : typeFilter(state, overlay, field);
}

const typeFilter = (
  state: ViewState,
  overlay: Extract<Overlay, { readonly kind: "filter" }>,
  field: Field,
): ViewState => withOverlay(setFilter(state, field.text), { ...overlay, ...field });

function keyInSearch(
  state: ViewState,
  overlay: Extract<Overlay, { readonly kind: "search" }>,
  key: KeyName,
  context: NavContext,
): NavStep {
  if (key === "escape") {
    return stay(withOverlay(withLog(state, { search: overlay.before }), null));
  }
  if (key === "enter") {
    const closed = withOverlay(state, null);
    return overlay.text.trim() === ""
      ? stay(closed)
      : goToHit(closed, context, "search", "forward");
  }
  const field = editField(overlay, key);
  return stay(field === null ? state : typeSearch(state, overlay, field));
}

const typeSearch = (
  state: ViewState,
  overlay: Extract<Overlay, { readonly kind: "search" }>,
  field: Field,
): ViewState =>
  withOverlay(withLog(state, { search: field.text.trim(), hitAt: null }), { ...overlay, ...field });

/** Default No: Enter, Esc, `n` and every key that is not asked for leave everything as it is. */
function keyInConfirm(
  state: ViewState,
  confirm: ConfirmState,
  key: KeyName,
  context: NavContext,
): NavStep {
  const closed = withOverlay(state, null);
  const isTyped = confirm.mustType === null || confirm.typed === confirm.mustType;
  if (key === "escape" || key === "enter" || key === "n" || key === "N") {
    return refuse(closed, "nothing was done", context.nowMs);
  }
  if (isTyped && (key === "y" || key === "Y")) return carryOut(closed, confirm, context);
  if (confirm.mustType !== null) {
    const edited = editField({ text: confirm.typed, cursor: confirm.typed.length }, key);
    const typed = (edited?.text ?? confirm.typed).slice(0, TYPED_CHARACTERS_MAX);
    return stay(withOverlay(state, { kind: "confirm", confirm: { ...confirm, typed } }));
  }
  return stay(changePriorityAsked(state, confirm, key));
}

/** Room for a slip: what is too much must be taken back, not cut off unseen. */
const TYPED_CHARACTERS_MAX = 24;

/** `+` and `-` while the new priority is asked for change it further. */
function changePriorityAsked(state: ViewState, confirm: ConfirmState, key: KeyName): ViewState {
  const [action] = requestsOf(confirm);
  const by = key === "+" || key === "=" ? PRIORITY_STEP : key === "-" ? -PRIORITY_STEP : 0;
  if (action?.kind !== "set_priority" || by === 0) return state;
  const priority = Math.max(-PRIORITY_MAX, Math.min(PRIORITY_MAX, action.priority + by));
  const request: ActionRequest = { ...action, priority };
  return withOverlay(state, {
    kind: "confirm",
    confirm: {
      ...confirm,
      action: [request],
      question: confirm.question.replace(/ to -?\d+\?/, ` to ${priority}?`),
      verb: verbOf(request),
    },
  });
}

const requestsOf = ({ action }: ConfirmState): readonly ActionRequest[] =>
  "kind" in action ? [action] : action;

function carryOut(state: ViewState, confirm: ConfirmState, context: NavContext): NavStep {
  if (!context.isLive) return refuse(state, NOT_CONNECTED, context.nowMs);
  const requests = requestsOf(confirm);
  return {
    state: withToast(state, "pending", pendingText(requests), context.nowMs),
    effects: [{ kind: "act", requests }],
  };
}

/** Pasted text goes into the field that is open; elsewhere it would be a row of commands. */
export function pasteText(state: ViewState, text: string, context: NavContext): NavStep {
  const { overlay } = state;
  const line = pastedLine(text);
  switch (overlay?.kind) {
    case undefined:
      return refuse(state, "pasted text is taken by / and : only", context.nowMs);
    case "filter":
      return stay(typeFilter(state, overlay, insertText(overlay, line)));
    case "search":
      return stay(typeSearch(state, overlay, insertText(overlay, line)));
    case "palette":
      return stay(withOverlay(state, { ...overlay, ...insertText(overlay, line), choice: 0 }));
    case "help":
      return stay(withOverlay(state, { ...overlay, query: overlay.query + line, top: 0 }));
    case "confirm":
      // What must be typed is to be typed.
      return stay(state);
  }
}
