/** The first screen: throughput, jobs, workers and events of the whole installation. */
import type { OverviewView } from "../../../runtime/protocol/monitor-views.ts";
import type { ScreenModel } from "../../model/screen-model.ts";
import { paneOf, panesOf } from "../../navigation/panes-of.ts";
import type { ScreenState, ViewState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { sideBySide } from "../../widgets/compose.ts";
import { listPane } from "../../widgets/list-pane.ts";
import { listStateOf } from "../../widgets/list-window.ts";
import { fitRows, fittingPieces, paintRow, piece, span } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import { axisLabels, timeSpanOf } from "../time-span.ts";
import { eventPane } from "./event-pane.ts";
import {
  etaOfAll,
  failedShare,
  queueDepth,
  rateAverage,
  rateNow,
  ratePeak,
  slotBar,
  workerStates,
} from "./figures.ts";
import { fleetPane } from "./fleet-pane.ts";
import { JOB_COLUMNS } from "./job-columns.ts";
import { type OverviewPane, type OverviewPlan, planOverview } from "./overview-plan.ts";
import { failurePane, throughputChart, throughputPane } from "./throughput-pane.ts";
import { WORKER_COLUMNS } from "./worker-columns.ts";

/** What all panes of one picture share. */
interface Scene {
  readonly body: OverviewView;
  readonly view: ViewState;
  readonly screen: ScreenState;
  readonly active: OverviewPane;
  readonly plan: OverviewPlan;
  readonly theme: Theme;
}

export function renderOverview(model: ScreenModel, size: Size, theme: Theme): string[] {
  const screen = model.view.stack.at(-1);
  if (model.shown?.kind !== "overview" || screen === undefined)
    return fitRows([], size.width, size.height);
  // The overview has no other panes than these.
  const active = paneOf(screen) as OverviewPane;
  const plan = planOverview(size, active, screen.isZoomed);
  const scene = { body: model.shown.body, view: model.view, screen, active, plan, theme };
  return fitRows(ARRANGEMENTS[plan.shape](scene, size), size.width, size.height);
}

type Arrange = (scene: Scene, size: Size) => readonly string[];

const ARRANGEMENTS: Readonly<Record<OverviewPlan["shape"], Arrange>> = {
  one: (scene, { width }) => [
    ...shortSummary(scene, width),
    ...jobs(scene),
    ...workers(scene),
    ...events(scene),
  ],
  stack: (scene, { width }) => [
    ...summary(scene, width),
    ...jobs(scene),
    ...workers(scene),
    ...events(scene),
  ],
  beside: (scene) => [...topBand(scene), ...jobs(scene), ...workers(scene), ...events(scene)],
  columns: (scene, { height }) => [
    ...topBand(scene),
    ...sideBySide(
      [
        { rows: [...jobs(scene), ...workers(scene)], width: scene.plan.jobWidth },
        { rows: events(scene), width: scene.plan.eventWidth },
      ],
      height - scene.plan.topRows,
      scene.theme,
    ),
  ],
};

/** Above one pane: rate, failures and slots in a line or two. */
function shortSummary({ body, plan, theme }: Scene, width: number): string[] {
  const line = fittingPieces(width, [
    piece(0, span("dim", "TASKS/S "), ...rateNow(body)),
    piece(3, ...queueDepth(body)),
    piece(1, ...failedShare(body)),
    piece(2, ...etaOfAll(body)),
  ]);
  return [paintRow(theme, width, line), slotBar(body, width, theme)].slice(0, plan.topRows);
}

/** Above the panes at 80x24: the figures, the chart, and the slots or what is in the way. */
function summary({ body, view, plan, theme }: Scene, width: number): string[] {
  const chartRows = Math.max(0, plan.topRows - 2);
  const [corner] = axisLabels(timeSpanOf(view));
  const shape = { width, height: chartRows, corner };
  const chart = chartRows === 0 ? [] : throughputChart(body, shape, theme);
  const last =
    body.why === null ? slotBar(body, width, theme) : whyLine(body.why.sentence, width, theme);
  return [figureRow(body, width, theme), ...chart, last];
}

/** Rate, queue, failures and when all is done, in one row. */
export function figureRow(body: OverviewView, width: number, theme: Theme): string {
  const figures = fittingPieces(width, [
    piece(0, span("dim", "TASKS/S "), ...rateNow(body)),
    piece(4, ...rateAverage(body)),
    piece(5, ...ratePeak(body)),
    piece(3, ...queueDepth(body)),
    piece(1, ...failedShare(body)),
    piece(2, ...etaOfAll(body)),
  ]);
  return paintRow(theme, width, figures);
}

const whyLine = (sentence: string, width: number, theme: Theme) =>
  paintRow(theme, width, [span("warning", `! ${inert(sentence, { ascii: theme.ascii })}`)]);

function topBand({ body, view, plan, theme }: Scene): string[] {
  const { chartWidth, fleetWidth, failureWidth, topRows: height } = plan;
  const time = timeSpanOf(view);
  const hasOwnFailures = failureWidth > 0;
  const chart = { width: chartWidth, height };
  const failures = { width: failureWidth, height };
  return sideBySide(
    [
      { rows: throughputPane(body, chart, time, theme, !hasOwnFailures), width: chartWidth },
      ...(hasOwnFailures
        ? [{ rows: failurePane(body, failures, time, theme), width: failureWidth }]
        : []),
      { rows: fleetPane(body, { width: fleetWidth, height }, theme), width: fleetWidth },
    ],
    height,
    theme,
  );
}

const numberOf = ({ screen }: Scene, pane: OverviewPane) => panesOf(screen.place).indexOf(pane) + 1;

function jobs(scene: Scene): string[] {
  const { body, view, plan, active, theme } = scene;
  return listPane(
    {
      number: numberOf(scene, "jobs"),
      title: "JOBS",
      notes: [],
      window: body.jobs,
      columns: JOB_COLUMNS,
      list: listStateOf(view, "jobs"),
      isActive: active === "jobs",
      columnsFrom: view.columnsFrom,
      empty: [
        "no jobs yet; to submit one, in another terminal:",
        "  cc submit --array 1-100 -- echo {}",
      ],
    },
    { width: plan.jobWidth, height: plan.jobRows },
    theme,
  );
}

function workers(scene: Scene): string[] {
  const { body, view, plan, active, theme } = scene;
  return listPane(
    {
      number: numberOf(scene, "workers"),
      title: "WORKERS",
      notes: workerStates(body),
      window: body.workers,
      columns: WORKER_COLUMNS,
      list: listStateOf(view, "workers"),
      isActive: active === "workers",
      columnsFrom: view.columnsFrom,
      empty: [
        "no workers yet; to start one, here or on another machine:",
        `  cc worker --foreman ${inert(body.foreman.url, { ascii: theme.ascii })}`,
      ],
    },
    { width: plan.workerWidth, height: plan.workerRows },
    theme,
  );
}

function events(scene: Scene): string[] {
  const { body, view, plan, active, theme } = scene;
  return eventPane(
    body.events,
    { width: plan.eventWidth, height: plan.eventRows },
    {
      number: numberOf(scene, "events"),
      list: listStateOf(view, "events"),
      isActive: active === "events",
    },
    theme,
  );
}
