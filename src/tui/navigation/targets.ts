/** What an action is about: the marked rows, the row under the cursor, or the thing that the place is. */
import { formatTaskId, parseJobOrTask } from "../../runtime/protocol/ids.ts";
import type { EventLineView } from "../../runtime/protocol/monitor-views.ts";
import type { TaskState } from "../../runtime/protocol/views.ts";
import { listStateOf, screenOf } from "./change.ts";
import type { NavContext } from "./nav-types.ts";
import { paneOf } from "./panes-of.ts";
import { currentList } from "./settle.ts";
import { failureId, ownRow } from "./shown-lists.ts";
import type { ListName, ViewState } from "./view-state.ts";

export interface TaskTarget {
  readonly jobId: number;
  readonly index: number;
}

export const taskText = ({ jobId, index }: TaskTarget): string => formatTaskId(jobId, index);

/** The id under the cursor; null while it has not come. */
export const selectedIn = (state: ViewState, name: ListName, context: NavContext): string | null =>
  currentList(context, screenOf(state), name) === null ? null : listStateOf(state, name).selectedId;

function markedOrSelected(
  state: ViewState,
  name: ListName,
  context: NavContext,
): readonly string[] {
  const { marked } = listStateOf(state, name);
  if (marked.size > 0) return [...marked];
  const selected = selectedIn(state, name, context);
  return selected === null ? [] : [selected];
}

/** Jobs that an action of this place would reach. */
export function jobTargets(state: ViewState, context: NavContext): readonly number[] {
  const { place } = screenOf(state);
  if (place.kind === "overview") return markedOrSelected(state, "jobs", context).map(Number);
  return place.kind === "worker" ? [] : [place.jobId];
}

export function workerTargets(state: ViewState, context: NavContext): readonly string[] {
  const { place } = screenOf(state);
  if (place.kind === "overview") return markedOrSelected(state, "workers", context);
  return place.kind === "worker" ? [place.workerId] : [];
}

/** Tasks: marked ones, the one under the cursor, or the place's own. */
export function taskTargets(state: ViewState, context: NavContext): readonly TaskTarget[] {
  const { place } = screenOf(state);
  if (place.kind === "task") return [{ jobId: place.jobId, index: place.index }];
  if (place.kind === "log") {
    return place.index === null ? [] : [{ jobId: place.jobId, index: place.index }];
  }
  const pane = paneOf(screenOf(state));
  if (pane === "tasks") {
    const ids = markedOrSelected(state, "tasks", context);
    return ids.flatMap((id) => taskOfRow(id, context) ?? []);
  }
  const one = taskUnderCursor(state, context);
  return one === null ? [] : [one];
}

export const markedTasks = (state: ViewState, context: NavContext): readonly TaskTarget[] =>
  [...listStateOf(state, "tasks").marked].flatMap((id) => taskOfRow(id, context) ?? []);

/** The task that Enter or `l` is about; of an error group its newest one. */
export function taskUnderCursor(state: ViewState, context: NavContext): TaskTarget | null {
  const screen = screenOf(state);
  const { place } = screen;
  if (place.kind === "task") return { jobId: place.jobId, index: place.index };
  if (place.kind === "log") {
    return place.index === null ? null : { jobId: place.jobId, index: place.index };
  }
  const pane = paneOf(screen);
  if (pane === "errors") return taskOfError(state, context);
  const id = place.kind === "overview" ? null : selectedIn(state, "tasks", context);
  return id === null ? null : taskOfRow(id, context);
}

function taskOfError(state: ViewState, context: NavContext): TaskTarget | null {
  const id = selectedIn(state, "errors", context);
  const { shown } = context;
  if (shown?.kind === "job") {
    const group = shown.body.errors.find(({ group_id }) => group_id === id);
    return group === undefined ? null : readTask(group.task_ids[0] ?? group.task_id);
  }
  if (shown?.kind !== "worker") return null;
  const failure = shown.body.recent_failures.find((one) => failureId(one) === id);
  return failure === undefined ? null : readTask(failure.task_id);
}

/** Rows of a worker are named by what the foreman chose; those of a job are task ids. */
function taskOfRow(id: string, { shown }: NavContext): TaskTarget | null {
  const row = shown?.kind === "worker" ? ownRow(shown.body.tasks.rows, id) : null;
  return readTask(row?.task_id ?? id);
}

export function readTask(text: string): TaskTarget | null {
  const parsed = parseJobOrTask(text);
  return parsed === null || parsed.index === null
    ? null
    : { jobId: parsed.jobId, index: parsed.index };
}

/** null: not known here. */
export function stateOfTask(task: TaskTarget, { shown }: NavContext): TaskState | null {
  if (shown?.kind === "task") {
    const isIt = shown.body.index === task.index && shown.body.job.job_id === task.jobId;
    return isIt ? shown.body.state : null;
  }
  if (shown?.kind === "job" && shown.body.job.job_id === task.jobId) {
    return ownRow(shown.body.tasks.rows, taskText(task))?.state ?? null;
  }
  return null;
}

/** The worker that the cursor's row names; null when there is none. */
export function workerUnderCursor(state: ViewState, context: NavContext): string | null {
  const screen = screenOf(state);
  const { shown } = context;
  const pane = paneOf(screen);
  if (screen.place.kind === "worker") return screen.place.workerId;
  if (pane === "workers") return selectedIn(state, "workers", context);
  if (shown?.kind === "task") return shown.body.worker ?? shown.body.history.at(-1)?.worker ?? null;
  if (shown?.kind !== "job") return null;
  if (pane === "errors") {
    const id = selectedIn(state, "errors", context);
    const group = shown.body.errors.find(({ group_id }) => group_id === id);
    return group?.by_worker[0]?.worker ?? group?.workers[0] ?? null;
  }
  const id = selectedIn(state, "tasks", context);
  return id === null ? null : (ownRow(shown.body.tasks.rows, id)?.worker ?? null);
}

export function eventUnderCursor(state: ViewState, context: NavContext): EventLineView | null {
  const id = selectedIn(state, "events", context);
  if (context.shown?.kind !== "overview") return null;
  return context.shown.body.events.find(({ seq }) => String(seq) === id) ?? null;
}
