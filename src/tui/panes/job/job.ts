/**
 * A job's screen between header and footer: how far it is, the grid of its tasks, the groups of its errors,
 * its tasks, and more of what is under the cursor.
 */
import type { JobMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ScreenModel } from "../../model/screen-model.ts";
import { paneOf, panesOf } from "../../navigation/panes-of.ts";
import type { ViewState } from "../../navigation/view-state.ts";
import type { Theme } from "../../theme/theme.ts";
import { sideBySide } from "../../widgets/compose.ts";
import { listStateOf } from "../../widgets/list-window.ts";
import { blankRows, fitRows } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import { errorPane, type PaneState } from "./error-pane.ts";
import { gridRows, gridTitle } from "./grid-pane.ts";
import { type JobPane, type JobPlan, planJob } from "./job-plan.ts";
import { jobSummary } from "./job-summary.ts";
import { rateChart, rateTitle } from "./rate-pane.ts";
import { selectedRow } from "./selected-row.ts";
import { taskPane } from "./task-pane.ts";

export function renderJob({ shown, view }: ScreenModel, size: Size, theme: Theme): string[] {
  if (shown?.kind !== "job") return blankRows(size.width, size.height);
  const { body } = shown;
  const focus = focusOf(view);
  const plan = planJob(size, focus, view.stack.at(-1)?.isZoomed === true);
  const drawing: Drawing = { body, view, focus, plan, width: size.width, theme };
  const rows = [
    ...jobSummary(body, size.width, plan.summaryRows, theme),
    ...(plan.shape === "beside" ? panesBeside(drawing) : panesBelow(drawing)),
    ...detail(drawing),
  ];
  return fitRows(rows, size.width, size.height);
}

/** The pane of a job's screen that has the cursor. */
export function focusOf(view: ViewState): JobPane {
  const screen = view.stack.at(-1);
  const pane = screen === undefined ? "tasks" : paneOf(screen);
  return pane === "grid" || pane === "errors" ? pane : "tasks";
}

interface Drawing {
  readonly body: JobMonitorView;
  readonly view: ViewState;
  readonly focus: JobPane;
  readonly plan: JobPlan;
  readonly width: number;
  readonly theme: Theme;
}

const numberOf = (pane: JobPane): number => panesOf({ kind: "job", jobId: 0 }).indexOf(pane) + 1;

function stateOf({ view, focus }: Drawing, pane: "errors" | "tasks"): PaneState {
  return {
    number: numberOf(pane),
    list: listStateOf(view, pane),
    isActive: focus === pane,
    columnsFrom: view.columnsFrom,
  };
}

/** One below the other; where only one is shown the others have no rows. */
function panesBelow(drawing: Drawing): string[] {
  const { plan } = drawing;
  return [
    ...(plan.gridRows > 0 ? gridRoom(drawing, drawing.width) : []),
    ...(plan.errorRows > 0 ? errorRoom(drawing, drawing.width) : []),
    ...(plan.taskRows > 0 ? taskRoom(drawing) : []),
  ];
}

function panesBeside(drawing: Drawing): string[] {
  const { plan, width, theme } = drawing;
  const height = plan.gridRows + 1;
  const chart = plan.chartWidth === 0 ? [] : [plan.chartWidth];
  const gridWidth = width - plan.errorWidth - plan.chartWidth - 1 - chart.length;
  const parts = [
    { rows: gridRoom(drawing, gridWidth), width: gridWidth },
    { rows: errorRoom(drawing, plan.errorWidth), width: plan.errorWidth },
    ...chart.map((chartWidth) => ({ rows: rateRoom(drawing, chartWidth), width: chartWidth })),
  ];
  return [...sideBySide(parts, height, theme), ...taskRoom(drawing)];
}

const TITLE = 1;

function gridRoom({ body, focus, plan, theme }: Drawing, width: number): string[] {
  return [
    gridTitle(body.grid, width, { number: numberOf("grid"), isActive: focus === "grid" }, theme),
    ...gridRows(body.grid, width, plan.gridRows, theme),
  ];
}

function errorRoom(drawing: Drawing, width: number): string[] {
  const { body, plan, theme } = drawing;
  const size = { width, height: TITLE + plan.errorRows };
  return errorPane(body, stateOf(drawing, "errors"), size, theme);
}

function rateRoom({ body, plan, theme }: Drawing, width: number): string[] {
  return [rateTitle(body, width, theme), ...rateChart(body, width, plan.gridRows, theme)];
}

function taskRoom(drawing: Drawing): string[] {
  const { body, plan, width, theme } = drawing;
  const { hasTaskHeader: hasHeader } = plan;
  const size = { width, height: TITLE + Number(hasHeader) + plan.taskRows };
  return taskPane(body, { ...stateOf(drawing, "tasks"), hasHeader }, size, theme);
}

function detail({ body, view, focus, plan, width, theme }: Drawing): string[] {
  const rows = {
    errors: listStateOf(view, "errors"),
    tasks: listStateOf(view, "tasks"),
    focus,
  };
  return selectedRow(body, rows, { width, height: plan.attemptRows }, theme);
}
