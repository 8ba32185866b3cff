/** One worker: its machine's load, what its slots did, what they do now, and what failed there. */
import type { WorkerMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ScreenModel } from "../../model/screen-model.ts";
import { paneOf, panesOf } from "../../navigation/panes-of.ts";
import type { ScreenState, ViewState } from "../../navigation/view-state.ts";
import type { Theme } from "../../theme/theme.ts";
import { sideBySide } from "../../widgets/compose.ts";
import { listPane } from "../../widgets/list-pane.ts";
import { listStateOf } from "../../widgets/list-window.ts";
import { fitRows } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import { timeSpanOf } from "../time-span.ts";
import { failurePane } from "./failure-pane.ts";
import { lanePane } from "./lane-pane.ts";
import { SLOT_COLUMNS } from "./slot-columns.ts";
import { planWorker, type WorkerPane, type WorkerPlan } from "./worker-plan.ts";
import { figureLines, loadCharts, loadLine } from "./worker-summary.ts";

interface Scene {
  readonly body: WorkerMonitorView;
  readonly view: ViewState;
  readonly screen: ScreenState;
  readonly active: WorkerPane;
  readonly plan: WorkerPlan;
  readonly size: Size;
  readonly theme: Theme;
}

export function renderWorker(model: ScreenModel, size: Size, theme: Theme): string[] {
  const screen = model.view.stack.at(-1);
  if (model.shown?.kind !== "worker" || screen === undefined)
    return fitRows([], size.width, size.height);
  // A worker has no other panes than these.
  const active = paneOf(screen) as WorkerPane;
  const plan = planWorker(size, active, screen.isZoomed);
  const scene = { body: model.shown.body, view: model.view, screen, active, plan, size, theme };
  return fitRows([...summary(scene), ...panes(scene)], size.width, size.height);
}

function summary({ body, view, plan, size: { width }, theme }: Scene): string[] {
  const load =
    plan.chartRows > 1
      ? loadCharts(body, { width, height: plan.chartRows }, timeSpanOf(view), theme)
      : plan.chartRows === 1 || plan.figureRows > 1
        ? [loadLine(body, width, theme)]
        : [];
  const figureRows = plan.chartRows === 0 ? 1 : plan.figureRows;
  return [...load, ...figureLines(body, { width, height: figureRows }, theme)];
}

function panes(scene: Scene): string[] {
  const { plan, theme } = scene;
  if (plan.shape !== "beside") return [...lanes(scene), ...tasks(scene), ...failures(scene)];
  return [
    ...lanes(scene),
    ...sideBySide(
      [
        { rows: tasks(scene), width: plan.taskWidth },
        { rows: failures(scene), width: plan.errorWidth },
      ],
      plan.taskRows,
      theme,
    ),
  ];
}

const numberOf = ({ screen }: Scene, pane: WorkerPane) => panesOf(screen.place).indexOf(pane) + 1;

function lanes(scene: Scene): string[] {
  const { body, plan, active, size, screen, theme } = scene;
  return lanePane(
    body,
    { width: size.width, height: plan.laneRows },
    {
      number: numberOf(scene, "lanes"),
      isActive: active === "lanes",
      isZoomed: screen.isZoomed,
    },
    theme,
  );
}

function tasks(scene: Scene): string[] {
  const { body, view, plan, active, theme } = scene;
  return listPane(
    {
      number: numberOf(scene, "tasks"),
      title: "TASKS",
      notes: [],
      window: body.tasks,
      columns: SLOT_COLUMNS,
      list: listStateOf(view, "tasks"),
      isActive: active === "tasks",
      columnsFrom: view.columnsFrom,
      empty: ["nothing runs here now"],
    },
    { width: plan.taskWidth, height: plan.taskRows },
    theme,
  );
}

function failures(scene: Scene): string[] {
  const { body, view, plan, active, theme } = scene;
  return failurePane(
    body,
    { width: plan.errorWidth, height: plan.errorRows },
    {
      number: numberOf(scene, "errors"),
      list: listStateOf(view, "errors"),
      isActive: active === "errors",
      adviceRows: plan.adviceRows,
    },
    theme,
  );
}
