/**
 * Who gets which room on a screen of this size: pure arithmetic, asked by the panes to draw and by the
 * navigation to know how far a page is and how many rows to ask the foreman for.
 */
import { paneOf } from "../navigation/panes-of.ts";
import type { ListName, ScreenState, ViewState } from "../navigation/view-state.ts";
import { LIST_PANE_FRAME_ROWS } from "../widgets/list-pane.ts";
import { pageRows } from "../widgets/list-window.ts";
import { MARK_CELLS } from "../widgets/table.ts";
import { columnsFromMax } from "../widgets/table-columns.ts";
import { type JobPane, planJob } from "./job/job-plan.ts";
import { JOB_COLUMNS } from "./overview/job-columns.ts";
import { type OverviewPane, planOverview } from "./overview/overview-plan.ts";
import { WORKER_COLUMNS } from "./overview/worker-columns.ts";
import type { Size } from "./pane.ts";
import { SLOT_COLUMNS } from "./worker/slot-columns.ts";
import { planWorker, type WorkerPane } from "./worker/worker-plan.ts";

/** `line`: only one line fits; `compact`: one pane; then the designs for 80x24, 120x40 and 200x60. */
export type Breadth = "line" | "compact" | "normal" | "wide" | "huge";

export interface Layout {
  readonly breadth: Breadth;
  /** Rows of data (without titles and headers) that each list of the place shows. */
  readonly listRows: Readonly<Partial<Record<ListName, number>>>;
  /** Cells of the grid of task states; 0 where there is none. */
  readonly gridCells: number;
  /** Rows for the text of a task or of a log. */
  readonly textRows: number;
  /** How far the columns of the table with the cursor can be scrolled to the side. */
  readonly columnsFromMax: number;
}

export type PlanLayout = (view: ViewState) => Layout;

export const COLUMNS_MIN = 40;
export const ROWS_MIN = 8;

/** Header and footer. */
export const FRAME_ROWS = 2;

export function breadthOf({
  columns,
  rows,
}: {
  readonly columns: number;
  readonly rows: number;
}): Breadth {
  if (columns < COLUMNS_MIN || rows < ROWS_MIN) return "line";
  if (columns < 60 || rows < 15) return "compact";
  if (columns >= 170 && rows >= 42) return "huge";
  return columns >= 110 && rows >= 30 ? "wide" : "normal";
}

/** The room between header and footer. */
export const bodySize = ({
  columns,
  rows,
}: {
  readonly columns: number;
  readonly rows: number;
}): Size => ({
  width: columns,
  height: Math.max(0, rows - FRAME_ROWS),
});

export function planLayout(view: ViewState): Layout {
  const breadth = breadthOf(view);
  const base = { breadth, listRows: {}, gridCells: 0, textRows: 0, columnsFromMax: 0 };
  const screen = view.stack.at(-1);
  if (breadth === "line" || screen === undefined) return base;
  return { ...base, ...roomsOf(screen, bodySize(view)) };
}

type Rooms = Partial<Pick<Layout, "listRows" | "gridCells" | "textRows" | "columnsFromMax">>;

function roomsOf(screen: ScreenState, size: Size): Rooms {
  switch (screen.place.kind) {
    case "overview":
      return overviewRooms(screen, size);
    case "worker":
      return workerRooms(screen, size);
    case "job":
      return jobRooms(screen, size);
    case "task":
    case "log":
      return { textRows: Math.max(0, size.height - TEXT_FRAME_ROWS) };
  }
}

/** A status line below the text. */
const TEXT_FRAME_ROWS = 1;

const listRoom = (rows: number) => pageRows(Math.max(0, rows - LIST_PANE_FRAME_ROWS));

function overviewRooms(screen: ScreenState, size: Size): Rooms {
  const pane = paneOf(screen) as OverviewPane;
  const plan = planOverview(size, pane, screen.isZoomed);
  const sideways: Readonly<Record<OverviewPane, number>> = {
    jobs: columnsFromMax(JOB_COLUMNS, plan.jobWidth - MARK_CELLS),
    workers: columnsFromMax(WORKER_COLUMNS, plan.workerWidth - MARK_CELLS),
    events: 0,
  };
  return {
    columnsFromMax: sideways[pane],
    listRows: {
      jobs: listRoom(plan.jobRows),
      workers: listRoom(plan.workerRows),
      // Without a header.
      events: Math.max(0, plan.eventRows - 1),
    },
  };
}

function workerRooms(screen: ScreenState, size: Size): Rooms {
  const plan = planWorker(size, paneOf(screen) as WorkerPane, screen.isZoomed);
  return {
    columnsFromMax: columnsFromMax(SLOT_COLUMNS, plan.taskWidth - MARK_CELLS),
    listRows: {
      tasks: listRoom(plan.taskRows),
      errors: pageRows(Math.max(0, plan.errorRows - 1 - plan.adviceRows)),
    },
  };
}

/** Their columns depend on the job; there are never more. */
const JOB_COLUMNS_FROM_MAX = 6;

function jobRooms(screen: ScreenState, size: Size): Rooms {
  const plan = planJob(size, paneOf(screen) as JobPane, screen.isZoomed);
  return {
    columnsFromMax: JOB_COLUMNS_FROM_MAX,
    listRows: { errors: pageRows(plan.errorRows), tasks: pageRows(plan.taskRows) },
    gridCells: plan.gridRows * plan.gridWidth,
  };
}
