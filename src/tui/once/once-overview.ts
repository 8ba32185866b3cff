/** The overview as printed: figures, throughput, slots, and every job, worker and event that was asked for. */
import type { OverviewView } from "../../runtime/protocol/monitor-views.ts";
import { eventPane } from "../panes/overview/event-pane.ts";
import { queueLine, slotBar, workerStates } from "../panes/overview/figures.ts";
import { whyRows } from "../panes/overview/fleet-pane.ts";
import { JOB_COLUMNS } from "../panes/overview/job-columns.ts";
import { figureRow } from "../panes/overview/overview.ts";
import { throughputChart } from "../panes/overview/throughput-pane.ts";
import { WORKER_COLUMNS } from "../panes/overview/worker-columns.ts";
import type { Theme } from "../theme/theme.ts";
import { listPane } from "../widgets/list-pane.ts";
import { PRINTED, printedRows } from "./once-list.ts";

const CHART_ROWS = 3;
const FRAME_ROWS = 2;

export function onceOverview(body: OverviewView, width: number, theme: Theme): string[] {
  return [
    figureRow(body, width, theme),
    ...chart(body, width, theme),
    slotBar(body, width, theme),
    queueLine(body, width, theme),
    ...whyRows(body, width, theme),
    ...jobs(body, width, theme),
    ...workers(body, width, theme),
    ...eventPane(
      body.events,
      { width, height: 1 + Math.max(1, body.events.length) },
      PRINTED,
      theme,
    ),
  ];
}

/** Without anything done lately an empty chart would only be in the way. */
function chart(body: OverviewView, width: number, theme: Theme): string[] {
  const hasWork = body.throughput.values.some((value) => value !== null && value > 0);
  return hasWork ? throughputChart(body, { width, height: CHART_ROWS }, theme) : [];
}

function jobs({ jobs: window }: OverviewView, width: number, theme: Theme): string[] {
  const pane = { ...PRINTED, title: "JOBS", notes: [], window, columns: JOB_COLUMNS };
  const height = FRAME_ROWS + printedRows(window);
  return listPane({ ...pane, empty: ["no jobs yet: cc submit JOB.ts"] }, { width, height }, theme);
}

function workers(body: OverviewView, width: number, theme: Theme): string[] {
  const { workers: window } = body;
  const notes = workerStates(body);
  const pane = { ...PRINTED, title: "WORKERS", notes, window, columns: WORKER_COLUMNS };
  const height = FRAME_ROWS + printedRows(window);
  return listPane({ ...pane, empty: ["no workers yet: cc worker"] }, { width, height }, theme);
}
