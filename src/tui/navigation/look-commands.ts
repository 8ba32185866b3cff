/** Commands about how things look: windows of charts, theme, sort, marks, freezing, opening. */
import {
  JOB_SORTS,
  SLOT_SORTS,
  TASK_SORTS,
  WORKER_SORTS,
} from "../../runtime/protocol/row-order.ts";
import { THEME_NAMES } from "../theme/theme.ts";
import { listStateOf, refuse, screenOf, withList, withScreen, withToast } from "./change.ts";
import { filteredList } from "./move.ts";
import { type NavContext, type NavEffect, type NavStep, stay } from "./nav-types.ts";
import { listOf, paneIndex, paneOf } from "./panes-of.ts";
import { goTo, pushPlace } from "./places.ts";
import { clamp, currentList } from "./settle.ts";
import { idAt, jobRowOf } from "./shown-lists.ts";
import {
  eventUnderCursor,
  readTask,
  selectedIn,
  type TaskTarget,
  taskText,
  taskUnderCursor,
  workerUnderCursor,
} from "./targets.ts";
import type { ChartWindow, ListName, Place, ScreenState, ViewState } from "./view-state.ts";

export function openSelected(state: ViewState, context: NavContext): NavStep {
  const pane = paneOf(screenOf(state));
  switch (pane) {
    case "jobs":
      return openJob(state, context);
    case "workers": {
      const workerId = selectedIn(state, "workers", context);
      return workerId === null
        ? nothingHere(state, context)
        : stay(pushPlace(state, { kind: "worker", workerId }));
    }
    case "events":
      return openEvent(state, context);
    case "grid":
    case "lanes":
      return stay(withPane(state, "tasks"));
    case "errors":
    case "tasks": {
      const task = taskUnderCursor(state, context);
      return task === null
        ? nothingHere(state, context)
        : stay(pushPlace(state, { kind: "task", ...task }));
    }
    case "text":
    case "log":
      return stay(state);
  }
}

function openJob(state: ViewState, context: NavContext): NavStep {
  const id = selectedIn(state, "jobs", context);
  if (id === null) return nothingHere(state, context);
  return stay(pushPlace(state, { kind: "job", jobId: Number(id) }));
}

function openEvent(state: ViewState, context: NavContext): NavStep {
  const event = eventUnderCursor(state, context);
  const task = event?.task_id == null ? null : readTask(event.task_id);
  if (task !== null) return stay(goTo(state, { kind: "task", ...task }));
  if (event?.job_id != null) return stay(goTo(state, { kind: "job", jobId: event.job_id }));
  if (event?.worker != null) return stay(goTo(state, { kind: "worker", workerId: event.worker }));
  return nothingHere(state, context);
}

const nothingHere = (state: ViewState, context: NavContext): NavStep =>
  refuse(state, "nothing to open here", context.nowMs);

const withPane = (state: ViewState, pane: ListName): ViewState =>
  withScreen(state, { pane: paneIndex(screenOf(state).place, pane) });

/** From something that fails to why: the log of the task under the cursor, or of a job's newest failed one. */
export function openLog(state: ViewState, context: NavContext): NavStep {
  const screen = screenOf(state);
  if (screen.place.kind === "overview") {
    const id = selectedIn(state, "jobs", context);
    return id === null ? nothingHere(state, context) : logOfJob(state, context, Number(id));
  }
  const task = taskUnderCursor(state, context);
  if (task !== null) return stay(openTaskLog(state, task));
  return screen.place.kind === "job"
    ? logOfJob(state, context, screen.place.jobId)
    : refuse(state, "no task is selected", context.nowMs);
}

function logOfJob(state: ViewState, context: NavContext, jobId: number): NavStep {
  if (jobRowOf(context.shown, jobId)?.tasks.failed === 0) {
    const opened = openWholeLog(state, jobId);
    return stay(
      withToast(opened, "plain", `job ${jobId} has no failed task: the log of all`, context.nowMs),
    );
  }
  return {
    state: withToast(state, "pending", `the newest failed task of job ${jobId} …`, context.nowMs),
    effects: [{ kind: "find_failed", jobId }],
  };
}

/** Esc leads to the task, then to where one came from. */
export function openTaskLog(state: ViewState, task: TaskTarget): ViewState {
  const place: Place = { kind: "log", ...task, attempt: null };
  const isBelowWorker = screenOf(state).place.kind === "worker";
  return isBelowWorker
    ? pushPlace(pushPlace(state, { kind: "task", ...task }), place)
    : screenOf(state).place.kind === "task"
      ? pushPlace(state, place)
      : goTo(state, place);
}

export const openWholeLog = (state: ViewState, jobId: number): ViewState =>
  goTo(state, { kind: "log", jobId, index: null, attempt: null });

export function openWorker(state: ViewState, context: NavContext): NavStep {
  const workerId = workerUnderCursor(state, context);
  return workerId === null
    ? refuse(state, "no worker is named here", context.nowMs)
    : stay(pushPlace(state, { kind: "worker", workerId }));
}

export function sortsOf(screen: ScreenState, name: ListName): readonly string[] {
  if (name === "jobs") return ["", ...JOB_SORTS];
  if (name === "workers") return ["", ...WORKER_SORTS];
  return ["", ...(screen.place.kind === "worker" ? SLOT_SORTS : TASK_SORTS)];
}

/** The first row is what one sorts for, so the cursor goes there. */
export function sortBy(state: ViewState, name: ListName, sort: string): ViewState {
  return withList(state, name, { sort, ...TO_FIRST });
}

const TO_FIRST = { selectedAt: 0, selectedId: null, top: 0 } as const;

export function nextSort(state: ViewState, context: NavContext): NavStep {
  const name = filteredList(state);
  if (name === null) return refuse(state, "nothing to sort here", context.nowMs);
  const sorts = sortsOf(screenOf(state), name);
  const at = sorts.indexOf(listStateOf(state, name).sort);
  return stay(sortBy(state, name, sorts[(at + 1) % sorts.length] ?? ""));
}

export function reverseSort(state: ViewState, context: NavContext): NavStep {
  const name = filteredList(state);
  if (name === null) return refuse(state, "nothing to sort here", context.nowMs);
  return stay(withList(state, name, { reverse: !listStateOf(state, name).reverse, ...TO_FIRST }));
}

/** Marks the row and goes on to the next, so that a few in a row are a few presses. */
export function toggleMark(state: ViewState, context: NavContext): NavStep {
  const name = listOf(screenOf(state));
  const id = name === null ? null : selectedIn(state, name, context);
  if (name === null || id === null) return refuse(state, "nothing to mark here", context.nowMs);
  const before = listStateOf(state, name);
  const marked = new Set(before.marked);
  if (!marked.delete(id)) marked.add(id);
  if (marked.size > MARKS_MAX) {
    return refuse(state, `at most ${MARKS_MAX} rows can be marked`, context.nowMs);
  }
  const list = currentList(context, screenOf(state), name);
  const selectedAt = clamp(before.selectedAt + 1, list?.matching ?? 0);
  const selectedId = list === null ? null : idAt(list, selectedAt);
  return stay(withList(state, name, { marked, selectedAt, selectedId, staysFirst: false }));
}

/** As many as the foreman gives of a list at once. */
const MARKS_MAX = 500;

export function markAll(state: ViewState, context: NavContext): NavStep {
  const name = listOf(screenOf(state));
  if (name === null) return refuse(state, "nothing to mark here", context.nowMs);
  const { marked } = listStateOf(state, name);
  if (marked.size > 0) return stay(withList(state, name, { marked: new Set() }));
  const list = currentList(context, screenOf(state), name);
  if (list === null || list.matching === 0) {
    return refuse(state, "nothing to mark here", context.nowMs);
  }
  if (list.matching > MARKS_MAX) {
    const text = `${list.matching} rows are too many to mark (${MARKS_MAX}): filter with /`;
    return refuse(state, text, context.nowMs);
  }
  return stay(withList(state, name, { marksAll: true }));
}

const WINDOWS: readonly ChartWindow[] = ["2m", "10m", "1h"];
export const WINDOW_SECONDS: Readonly<Record<ChartWindow, number>> = {
  "2m": 120,
  "10m": 600,
  "1h": 3600,
};
/** As far as the foreman remembers. */
const BACK_SECONDS_MAX = 86_400;

export function changeWindow(state: ViewState, by: -1 | 1): ViewState {
  const at = WINDOWS.indexOf(state.chartWindow) + by;
  return { ...state, chartWindow: WINDOWS[at] ?? state.chartWindow };
}

/** Half a chart at a time. */
export function changeBack(state: ViewState, direction: -1 | 1): ViewState {
  const step = WINDOW_SECONDS[state.chartWindow] / 2;
  const backSeconds = Math.max(0, Math.min(state.backSeconds + direction * step, BACK_SECONDS_MAX));
  return { ...state, backSeconds };
}

export function nextTheme(state: ViewState, context: NavContext): ViewState {
  const next = THEME_NAMES[(THEME_NAMES.indexOf(state.theme) + 1) % THEME_NAMES.length];
  const theme = next ?? "ansi16";
  return withToast({ ...state, theme }, "plain", `theme ${theme}`, context.nowMs);
}

export const toggleFreeze = (state: ViewState, context: NavContext): ViewState => ({
  ...state,
  frozenAtMs: state.frozenAtMs === null ? context.nowMs : null,
});

/** The id of what is under the cursor, or of the place. */
export function copyId(state: ViewState, context: NavContext): NavStep {
  const text = idToCopy(state, context);
  if (text === null) return refuse(state, "nothing to copy here", context.nowMs);
  const effects: readonly NavEffect[] = [{ kind: "copy", text }];
  return { state: withToast(state, "plain", `copied ${text}`, context.nowMs), effects };
}

function idToCopy(state: ViewState, context: NavContext): string | null {
  const { place } = screenOf(state);
  const list = listOf(screenOf(state));
  if (list === "jobs" || list === "workers") return selectedIn(state, list, context);
  const task = taskUnderCursor(state, context);
  if (task !== null) return taskText(task);
  if (place.kind === "worker") return place.workerId;
  return place.kind === "overview" ? null : String(place.jobId);
}
