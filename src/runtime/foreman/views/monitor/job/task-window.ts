/** The part of a job's task list that a screen shows: filtered, sorted, found by position or by task. */
import { usageError } from "../../../../protocol/error.ts";
import { parseJobOrTask } from "../../../../protocol/ids.ts";
import type { ListWindow } from "../../../../protocol/messages/client.ts";
import type { TaskRowView, WindowView } from "../../../../protocol/monitor-views.ts";
import { parseRowFilter, type RowFilter, statesAllowed } from "../../../../protocol/row-filter.ts";
import type { JobFacts } from "../../../../scheduler/foreman/facts.ts";
import { firstRow } from "../list-window.ts";
import type { JobTasks } from "./job-tasks.ts";
import { orderByState } from "./task-order.ts";
import type { TaskRows } from "./task-rows.ts";
import type { FoundTasks, SearchTasks } from "./task-search.ts";

export interface TaskWindowParts {
  readonly rows: TaskRows;
  readonly search: SearchTasks;
}

/** @throws CcError `bad_filter` */
export async function taskWindow(
  { rows, search }: TaskWindowParts,
  job: JobFacts,
  tasks: JobTasks,
  window: ListWindow,
): Promise<WindowView<TaskRowView>> {
  const parsed = parseRowFilter(window.filter, "tasks");
  if (!parsed.ok) throw usageError("bad_filter", parsed.message);
  const { order, tried } = await orderOf(search, { job, tasks, window, filter: parsed.filter });
  const anchor = anchorOf(job, window);
  const anchorAt = anchor === null ? -1 : order.positionOf(anchor);
  const from = firstRow(window, order.matching, anchorAt);
  const shown = await rows.rowsOf(job, tasks, order.slice(from, window.rows));
  return {
    total: tasks.count,
    matching: order.matching,
    from,
    order: shown.map(({ task_id }) => task_id),
    rows: Object.fromEntries(shown.map((row) => [row.task_id, row])),
    anchor_at: anchorAt < 0 ? null : anchorAt,
    ...(tried === null ? {} : { tried }),
  };
}

async function orderOf(
  search: SearchTasks,
  asked: {
    readonly job: JobFacts;
    readonly tasks: JobTasks;
    readonly window: ListWindow;
    readonly filter: RowFilter;
  },
): Promise<FoundTasks> {
  const { job, tasks, window, filter } = asked;
  const allowed = new Set(statesAllowed(filter, tasks.names));
  const wanted = tasks.names.map((name) => allowed.has(name));
  const byTime = window.sort === "time";
  const { reverse } = window;
  if (filter.words.every(({ kind }) => kind === "states")) {
    return { order: orderByState(tasks, wanted, { byTime, reverse }), tried: null };
  }
  return search({ job, tasks, wanted, filter, text: window.filter, byTime, reverse });
}

function anchorOf(job: JobFacts, { anchor }: ListWindow): number | null {
  const named = anchor === undefined ? null : parseJobOrTask(anchor);
  return named?.jobId === job.jobId ? named.index : null;
}
