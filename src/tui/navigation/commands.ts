/** What each command of the key table does: a line a command; the work is in the files named by it. */
import { screenOf, withLog, withOverlay, withScreen } from "./change.ts";
import { cancelJobs, pauseJobs, retryFailed, setPriority } from "./job-actions.ts";
import type { CommandId } from "./key-table.ts";
import {
  followLog,
  goToHit,
  goToNextError,
  nextAttempt,
  nextStreams,
  toggleFollow,
} from "./log-commands.ts";
import {
  changeBack,
  changeWindow,
  copyId,
  markAll,
  nextSort,
  nextTheme,
  openLog,
  openSelected,
  openWholeLog,
  openWorker,
  reverseSort,
  toggleFreeze,
  toggleMark,
} from "./look-commands.ts";
import { filteredList, move, movePane, moveSideways } from "./move.ts";
import { type NavContext, type NavEffect, type NavStep, stay } from "./nav-types.ts";
import { openFilter, openSearch, setFilter } from "./overlays.ts";
import { openPalette } from "./palette.ts";
import { paneOf, panesOf } from "./panes-of.ts";
import { goBack } from "./places.ts";
import { PRIORITY_STEP } from "./question.ts";
import { jobTargets, markedTasks, taskTargets, workerTargets } from "./targets.ts";
import { killTasks, retryTasks } from "./task-actions.ts";
import { takeBack } from "./undo.ts";
import type { ViewState } from "./view-state.ts";
import { drainWorkers, pauseWorkers } from "./worker-actions.ts";

type Command = (state: ViewState, context: NavContext) => NavStep;

/** A command that only changes the view. */
const view =
  (change: (state: ViewState, context: NavContext) => ViewState): Command =>
  (state, context) =>
    stay(change(state, context));

const effect =
  (kind: "quit" | "suspend" | "redraw" | "page_out"): Command =>
  (state) => ({ state, effects: [{ kind } satisfies NavEffect] });

export const COMMANDS: Readonly<Record<CommandId, Command>> = {
  down: view((state, context) => move(state, "down", context)),
  up: view((state, context) => move(state, "up", context)),
  "page-down": view((state, context) => move(state, "page-down", context)),
  "page-up": view((state, context) => move(state, "page-up", context)),
  "half-down": view((state, context) => move(state, "half-down", context)),
  "half-up": view((state, context) => move(state, "half-up", context)),
  first: view((state, context) => move(state, "first", context)),
  last: view((state, context) => move(state, "last", context)),
  open: openSelected,
  back: view(clearOrBack),
  "next-pane": view((state) => movePane(state, 1, paneCount(state))),
  "previous-pane": view((state) => movePane(state, -1, paneCount(state))),
  "pane-1": view((state) => withScreen(state, { pane: 0 })),
  "pane-2": view((state) => withScreen(state, { pane: 1 })),
  "pane-3": view((state) => withScreen(state, { pane: 2 })),
  left: view((state, context) => moveSideways(state, -1, context)),
  right: view((state, context) => moveSideways(state, 1, context)),

  filter: view(openFilter),
  "log-filter": view(openFilter),
  search: view(openSearch),
  "next-hit": (state, context) => goToHit(state, context, "search", "forward"),
  "previous-hit": (state, context) => goToHit(state, context, "search", "backward"),
  "next-error": goToNextError,
  "previous-error": (state, context) => goToHit(state, context, "error", "backward"),
  sort: nextSort,
  reverse: reverseSort,
  mark: toggleMark,
  "mark-all": markAll,
  palette: view(openPalette),

  cancel: cancelHere,
  kill: (state, context) => killTasks(state, context, taskTargets(state, context)),
  retry: (state, context) => retryFailed(state, context, jobTargets(state, context)),
  "retry-task": (state, context) => retryTasks(state, context, taskTargets(state, context)),
  pause: pauseHere,
  drain: (state, context) =>
    drainWorkers(state, context, { workerIds: workerTargets(state, context), undo: null }),
  raise: (state, context) => changePriority(state, context, PRIORITY_STEP),
  lower: (state, context) => changePriority(state, context, -PRIORITY_STEP),
  undo: takeBack,

  log: openLog,
  "whole-log": openLogOfAll,
  worker: openWorker,
  freeze: view(toggleFreeze),
  zoom: view((state) => withScreen(state, { isZoomed: !screenOf(state).isZoomed, textTop: 0 })),
  longer: view((state) => changeWindow(state, 1)),
  shorter: view((state) => changeWindow(state, -1)),
  earlier: view((state) => changeBack(state, 1)),
  later: view((state) => changeBack(state, -1)),
  copy: copyId,
  pager: effect("page_out"),

  follow: view(followLog),
  "follow-toggle": view(toggleFollow),
  attempt: nextAttempt,
  streams: view(nextStreams),
  wrap: view((state) => withLog(state, { wraps: screenOf(state).log?.wraps !== true, left: 0 })),
  time: view((state) => withLog(state, { showsTime: screenOf(state).log?.showsTime !== true })),

  theme: view(nextTheme),
  redraw: effect("redraw"),
  help: view((state) => withOverlay(state, { kind: "help", query: "", top: 0 })),
  quit: effect("quit"),
  "quit-now": effect("quit"),
  suspend: effect("suspend"),
};

const paneCount = (state: ViewState): number => panesOf(screenOf(state).place).length;

/** Esc: what lies over the screen is closed elsewhere; then the filter goes, then one goes up a level. */
function clearOrBack(state: ViewState): ViewState {
  const screen = screenOf(state);
  if (screen.log !== null) {
    if (screen.log.search !== "") return withLog(state, { search: "", hitAt: null });
    return screen.log.filter !== "" ? setFilter(state, "") : goBack(state);
  }
  const name = filteredList(state);
  if (name !== null && (screen.lists[name]?.filter ?? "") !== "") return setFilter(state, "");
  if (screen.isZoomed) return withScreen(state, { isZoomed: false, textTop: 0 });
  return goBack(state);
}

/** In a job marked tasks go before the job. */
function cancelHere(state: ViewState, context: NavContext): NavStep {
  const tasks = screenOf(state).place.kind === "job" ? markedTasks(state, context) : [];
  return tasks.length > 0
    ? killTasks(state, context, tasks)
    : cancelJobs(state, context, jobTargets(state, context));
}

function pauseHere(state: ViewState, context: NavContext): NavStep {
  const screen = screenOf(state);
  const isOfWorkers = screen.place.kind === "worker" || paneOf(screen) === "workers";
  return isOfWorkers
    ? pauseWorkers(state, context, { workerIds: workerTargets(state, context), paused: null })
    : pauseJobs(state, context, { jobIds: jobTargets(state, context), paused: null });
}

const changePriority = (state: ViewState, context: NavContext, by: number): NavStep =>
  setPriority(state, context, { jobIds: jobTargets(state, context), change: { by } });

function openLogOfAll(state: ViewState, context: NavContext): NavStep {
  const [jobId] = jobTargets(state, context);
  return stay(jobId === undefined ? state : openWholeLog(state, jobId));
}
