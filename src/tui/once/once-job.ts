/** A job as printed: how far it is, its grid, every group of errors, and the tasks that were asked for. */
import type { JobMonitorView } from "../../runtime/protocol/monitor-views.ts";
import { createListState } from "../navigation/initial-view.ts";
import { errorPane } from "../panes/job/error-pane.ts";
import { gridRows, gridTitle } from "../panes/job/grid-pane.ts";
import { jobSummary } from "../panes/job/job-summary.ts";
import { taskPane } from "../panes/job/task-pane.ts";
import type { Theme } from "../theme/theme.ts";
import { TASKS_SHOWN } from "./once-focus.ts";
import { PRINTED, printedRows } from "./once-list.ts";

const SUMMARY_ROWS = 4;
const TITLE = 1;
const HEADER = 1;

export function onceJob(body: JobMonitorView, width: number, theme: Theme): string[] {
  return [
    ...jobSummary(body, width, SUMMARY_ROWS, theme),
    ...grid(body, width, theme),
    ...errorPane(body, PRINTED, { width, height: TITLE + Math.max(1, body.errors.length) }, theme),
    ...tasks(body, width, theme),
  ];
}

function grid(body: JobMonitorView, width: number, theme: Theme): string[] {
  const { grid: cells } = body;
  if (cells.marks === "") return [];
  const height = Math.ceil(cells.marks.length / Math.max(1, width - 2));
  return [gridTitle(cells, width, PRINTED, theme), ...gridRows(cells, width, height, theme)];
}

function tasks(body: JobMonitorView, width: number, theme: Theme): string[] {
  const state = {
    ...PRINTED,
    list: createListState({ filter: TASKS_SHOWN }),
    unmatched: [`no task runs, is delayed or has failed; all of them: cc tasks ${body.job.job_id}`],
    hasHeader: body.tasks.matching > 0,
  };
  const height = TITLE + (state.hasHeader ? HEADER : 0) + printedRows(body.tasks);
  return taskPane(body, state, { width, height }, theme);
}
