/** What can be typed after `:`. A command's argument is completed from ids on the screen or fixed words. */
import { parseInteger } from "../../runtime/protocol/quantity.ts";
import { GRAPHS, THEME_NAMES } from "../theme/theme.ts";
import { listStateOf, refuse, screenOf, withOverlay, withScreen } from "./change.ts";
import { cancelJobs, pauseJobs, retryFailed, setPriority } from "./job-actions.ts";
import {
  copyId,
  openTaskLog,
  openWholeLog,
  reverseSort,
  sortBy,
  sortsOf,
  toggleFreeze,
} from "./look-commands.ts";
import { filteredList } from "./move.ts";
import { type NavContext, type NavStep, stay } from "./nav-types.ts";
import { filterProblem, openFilter, setFilter } from "./overlays.ts";
import { paneIndex } from "./panes-of.ts";
import { goTo } from "./places.ts";
import { jobTargets, readTask, taskTargets, taskUnderCursor, workerTargets } from "./targets.ts";
import { killTasks, retryTasks } from "./task-actions.ts";
import { takeBack } from "./undo.ts";
import type { ChartWindow, ListName, ViewState } from "./view-state.ts";
import { drainWorkers, pauseWorkers } from "./worker-actions.ts";

type Shown = Pick<NavContext, "shown">;
type Run = (state: ViewState, context: NavContext, argument: string) => NavStep;

export interface PaletteCommand {
  readonly name: string;
  readonly synonyms?: readonly string[];
  /** What it wants, for people; null: nothing. */
  readonly argument: string | null;
  readonly isArgumentOptional: boolean;
  readonly help: string;
  /** Changes something at the foreman. */
  readonly isAction: boolean;
  readonly complete: (state: ViewState, context: Shown) => readonly string[];
  readonly run: Run;
}

const nothing = (): readonly string[] => [];

const jobIds = (_: ViewState, { shown }: Shown): readonly string[] => {
  switch (shown?.kind) {
    case "overview":
      return shown.body.jobs.order;
    case "job":
      return [String(shown.body.job.job_id)];
    case "task":
      return [String(shown.body.job.job_id)];
    case "worker":
      return shown.body.worker.jobs.map(String);
    case undefined:
      return [];
  }
};

const taskIds = (_: ViewState, { shown }: Shown): readonly string[] => {
  if (shown?.kind === "job") {
    return [...shown.body.errors.flatMap(({ task_ids }) => task_ids), ...shown.body.tasks.order];
  }
  if (shown?.kind === "task") return [shown.body.task_id];
  if (shown?.kind !== "worker") return [];
  return Object.values(shown.body.tasks.rows).map(({ task_id }) => task_id);
};

const workerIds = (_: ViewState, { shown }: Shown): readonly string[] => {
  if (shown?.kind === "overview") return shown.body.workers.order;
  if (shown?.kind === "worker") return [shown.body.worker.worker_id];
  if (shown?.kind !== "job") return [];
  return [...new Set(shown.body.errors.flatMap(({ workers }) => workers))];
};

const jobsAndTasks = (state: ViewState, context: Shown): readonly string[] => [
  ...jobIds(state, context),
  ...taskIds(state, context),
];
const jobsAndWorkers = (state: ViewState, context: Shown): readonly string[] => [
  ...jobIds(state, context),
  ...workerIds(state, context),
];

export const PALETTE_COMMANDS: readonly PaletteCommand[] = [
  look("job", "JOB", "open a job", jobIds, (state, context, text) => {
    const jobId = readJob(text);
    return jobId === null
      ? refuse(state, `"${text}" is no job; expected a number`, context.nowMs)
      : stay(goTo(state, { kind: "job", jobId }));
  }),
  look("task", "JOB/INDEX", "open a task", taskIds, (state, context, text) => {
    const task = readTask(text);
    return task === null
      ? refuse(state, `"${text}" is no task; expected JOB/INDEX`, context.nowMs)
      : stay(goTo(state, { kind: "task", ...task }));
  }),
  look("worker", "WORKER", "open a worker", workerIds, (state, _, workerId) =>
    stay(goTo(state, { kind: "worker", workerId })),
  ),
  look("log", "JOB or JOB/INDEX", "read a log", jobsAndTasks, openLogOf, true),
  simple("overview", "the overview", (state) => stay(goTo(state, { kind: "overview" }))),
  simple("jobs", "all jobs", (state) => stay(overviewPane(state, "jobs"))),
  simple("workers", "all workers", (state) => stay(overviewPane(state, "workers"))),
  simple("events", "recent events", (state) => stay(overviewPane(state, "events"))),
  look("filter", "WORDS", "filter the list", nothing, filterBy, true),
  look("sort", "COLUMN", "sort the list", sortNames, sortByName),
  simple("reverse", "sort the other way round", (state, context) => reverseSort(state, context)),
  look("theme", "NAME", "colours", () => THEME_NAMES, chooseTheme),
  look("graph", "KIND", "how charts are drawn", () => GRAPHS, chooseGraph),
  simple("ascii", "ASCII only, or not", (state) => stay({ ...state, ascii: !state.ascii })),
  look("window", "2m, 10m or 1h", "how far charts reach back", () => WINDOWS, chooseWindow),
  simple("now", "charts end now", (state) => stay({ ...state, backSeconds: 0 })),
  simple("freeze", "freeze the picture, or go on", (state, context) =>
    stay(toggleFreeze(state, context)),
  ),
  simple("zoom", "give the pane the whole screen", (state) =>
    stay(withScreen(state, { isZoomed: !screenOf(state).isZoomed })),
  ),
  simple("copy", "copy the id", (state, context) => copyId(state, context)),
  act("cancel", "JOB or JOB/INDEX", "cancel", jobsAndTasks, cancelBy),
  act("kill", "JOB/INDEX", "kill a task", taskIds, (state, context, text) =>
    text === ""
      ? killTasks(state, context, taskTargets(state, context))
      : withTask(state, context, text, (task) => killTasks(state, context, [task])),
  ),
  act("retry", "JOB or JOB/INDEX", "retry what failed", jobsAndTasks, retryBy),
  act("pause", "JOB or WORKER", "pause", jobsAndWorkers, (state, context, text) =>
    pauseBy(state, context, text, true),
  ),
  act("resume", "JOB or WORKER", "resume", jobsAndWorkers, (state, context, text) =>
    pauseBy(state, context, text, false),
  ),
  act("drain", "WORKER", "drain a worker", workerIds, (state, context, text) =>
    drainBy(state, context, text, false),
  ),
  act("keep", "WORKER", "undo a drain", workerIds, (state, context, text) =>
    drainBy(state, context, text, true),
  ),
  act("priority", "N", "set the priority of the job", nothing, priorityBy),
  {
    ...act("undo", "", "undo the last pause or drain", nothing, (state, context) =>
      takeBack(state, context),
    ),
    argument: null,
  },
  simple("redraw", "draw anew", (state) => ({ state, effects: [{ kind: "redraw" }] })),
  simple("help", "all keys", (state) =>
    stay(withOverlay(state, { kind: "help", query: "", top: 0 })),
  ),
  {
    ...simple("quit", "quit", (state) => ({ state, effects: [{ kind: "quit" }] })),
    synonyms: ["q", "exit"],
  },
];

function simple(name: string, help: string, run: Run): PaletteCommand {
  const base = { argument: null, isArgumentOptional: true, isAction: false, complete: nothing };
  return { name, help, run, ...base };
}

function look(
  name: string,
  argument: string,
  help: string,
  complete: PaletteCommand["complete"],
  run: Run,
  isArgumentOptional = false,
): PaletteCommand {
  return { name, argument, isArgumentOptional, help, isAction: false, complete, run };
}

/** Without an argument it is about what is under the cursor. */
function act(
  name: string,
  argument: string,
  help: string,
  complete: PaletteCommand["complete"],
  run: Run,
): PaletteCommand {
  return { name, argument, isArgumentOptional: true, help, isAction: true, complete, run };
}

/** `17` and `17/3` need no command before them. */
export function readWordAlone(
  text: string,
): ((state: ViewState, context: NavContext) => NavStep) | null {
  const task = readTask(text);
  if (task !== null) return (state) => stay(goTo(state, { kind: "task", ...task }));
  const jobId = readJob(text);
  return jobId === null ? null : (state) => stay(goTo(state, { kind: "job", jobId }));
}

const readJob = (text: string): number | null =>
  /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : null;

function overviewPane(state: ViewState, pane: ListName): ViewState {
  const there = goTo(state, { kind: "overview" });
  return withScreen(there, { pane: paneIndex({ kind: "overview" }, pane), isZoomed: false });
}

function openLogOf(state: ViewState, context: NavContext, text: string): NavStep {
  const task = text === "" ? taskUnderCursor(state, context) : readTask(text);
  if (task !== null) return stay(openTaskLog(state, task));
  const jobId = text === "" ? (jobTargets(state, context)[0] ?? null) : readJob(text);
  return jobId === null
    ? refuse(state, `"${text}" is no job and no task`, context.nowMs)
    : stay(openWholeLog(state, jobId));
}

function filterBy(state: ViewState, context: NavContext, text: string): NavStep {
  if (text === "") return stay(openFilter(state));
  const problem = filterProblem(state, text);
  return problem === null ? stay(setFilter(state, text)) : refuse(state, problem, context.nowMs);
}

function sortNames(state: ViewState): readonly string[] {
  const name = filteredList(state);
  return name === null ? [] : sortsOf(screenOf(state), name).filter((sort) => sort !== "");
}

function sortByName(state: ViewState, context: NavContext, text: string): NavStep {
  const name = filteredList(state);
  const sort = text.toLowerCase();
  if (name === null || !sortNames(state).includes(sort)) {
    const known = sortNames(state).join(", ");
    const text2 = known === "" ? "nothing to sort here" : `no column "${text}"; there are ${known}`;
    return refuse(state, text2, context.nowMs);
  }
  return stay(listStateOf(state, name).sort === sort ? state : sortBy(state, name, sort));
}

function chooseTheme(state: ViewState, context: NavContext, text: string): NavStep {
  const theme = THEME_NAMES.find((name) => name === text);
  return theme === undefined
    ? refuse(state, `no theme "${text}"; there are ${THEME_NAMES.join(", ")}`, context.nowMs)
    : stay({ ...state, theme });
}

function chooseGraph(state: ViewState, context: NavContext, text: string): NavStep {
  const graph = GRAPHS.find((name) => name === text);
  return graph === undefined
    ? refuse(state, `no graph "${text}"; there are ${GRAPHS.join(", ")}`, context.nowMs)
    : stay({ ...state, graph });
}

const WINDOWS: readonly ChartWindow[] = ["2m", "10m", "1h"];

function chooseWindow(state: ViewState, context: NavContext, text: string): NavStep {
  const chartWindow = WINDOWS.find((name) => name === text);
  return chartWindow === undefined
    ? refuse(state, `no window "${text}"; there are ${WINDOWS.join(", ")}`, context.nowMs)
    : stay({ ...state, chartWindow });
}

function withTask(
  state: ViewState,
  context: NavContext,
  text: string,
  run: (task: { readonly jobId: number; readonly index: number }) => NavStep,
): NavStep {
  const task = readTask(text);
  return task === null
    ? refuse(state, `"${text}" is no task; expected JOB/INDEX`, context.nowMs)
    : run(task);
}

function cancelBy(state: ViewState, context: NavContext, text: string): NavStep {
  if (text === "") return cancelJobs(state, context, jobTargets(state, context));
  const jobId = readJob(text);
  return jobId === null
    ? withTask(state, context, text, (task) => killTasks(state, context, [task]))
    : cancelJobs(state, context, [jobId]);
}

function retryBy(state: ViewState, context: NavContext, text: string): NavStep {
  if (text === "") return retryFailed(state, context, jobTargets(state, context));
  const jobId = readJob(text);
  return jobId === null
    ? withTask(state, context, text, (task) => retryTasks(state, context, [task]))
    : retryFailed(state, context, [jobId]);
}

function pauseBy(state: ViewState, context: NavContext, text: string, paused: boolean): NavStep {
  const jobId = readJob(text);
  if (jobId !== null) return pauseJobs(state, context, { jobIds: [jobId], paused });
  if (text !== "") return pauseWorkers(state, context, { workerIds: [text], paused });
  return screenOf(state).place.kind === "worker"
    ? pauseWorkers(state, context, { workerIds: workerTargets(state, context), paused })
    : pauseJobs(state, context, { jobIds: jobTargets(state, context), paused });
}

function drainBy(state: ViewState, context: NavContext, text: string, undo: boolean): NavStep {
  const workerIds = text === "" ? workerTargets(state, context) : [text];
  return drainWorkers(state, context, { workerIds, undo });
}

function priorityBy(state: ViewState, context: NavContext, text: string): NavStep {
  const priority = readPriority(text);
  if (priority === null) {
    return refuse(state, `"${text}" is no priority; expected -100 to 100`, context.nowMs);
  }
  return setPriority(state, context, {
    jobIds: jobTargets(state, context),
    change: { to: priority },
  });
}

function readPriority(text: string): number | null {
  try {
    return parseInteger(text, "priority", { min: -100, max: 100 });
  } catch {
    // It is a person's typing; the sentence above says what is expected.
    return null;
  }
}
