/**
 * Who gets which rows and columns of the overview, for a room of this size between header and footer. Pure
 * arithmetic that never looks at what is shown, so that nothing jumps when a number changes.
 */
import type { Size } from "../pane.ts";

/** The panes in the order of their keys. */
export type OverviewPane = "jobs" | "workers" | "events";

export interface OverviewPlan {
  /**
   * `one`: a summary and the pane with the cursor; `stack`: one below the other; `beside`: the fleet right of
   * the chart; `columns`: jobs, workers and events side by side below them.
   */
  readonly shape: "one" | "stack" | "beside" | "columns";
  readonly only: OverviewPane | null;
  /** Rows of the pane at the top, with its title. */
  readonly topRows: number;
  /** Columns of the chart in it, and of the fleet at its right. */
  readonly chartWidth: number;
  readonly fleetWidth: number;
  /** Of the failures between them; 0: they are a line below the chart. */
  readonly failureWidth: number;
  /** With title and header; 0: it is not shown. */
  readonly jobRows: number;
  readonly jobWidth: number;
  readonly workerRows: number;
  readonly workerWidth: number;
  readonly eventRows: number;
  readonly eventWidth: number;
}

const TITLE = 1;

export function planOverview(size: Size, focus: OverviewPane, isZoomed: boolean): OverviewPlan {
  if (size.width < 60 || size.height < 13) return planOne(size, focus, size.height >= 8 ? 2 : 1);
  if (isZoomed) return planOne(size, focus, 2);
  if (size.width >= 170 && size.height >= 40) return planColumns(size);
  return size.width >= 110 && size.height >= 28 ? planBeside(size) : planStack(size);
}

function planOne({ width, height }: Size, only: OverviewPane, topRows: number): OverviewPlan {
  const rows = Math.max(0, height - topRows);
  return {
    shape: "one",
    only,
    topRows,
    chartWidth: width,
    fleetWidth: 0,
    failureWidth: 0,
    jobRows: only === "jobs" ? rows : 0,
    jobWidth: width,
    workerRows: only === "workers" ? rows : 0,
    workerWidth: width,
    eventRows: only === "events" ? rows : 0,
    eventWidth: width,
  };
}

/** As 80x24 has it: figures, two rows of chart, slots; then jobs, workers, two events. */
function planStack({ width, height }: Size): OverviewPlan {
  const chartRows = height < 18 ? 0 : Math.min(6, 2 + Math.floor((height - 22) / 5));
  const topRows = 2 + Math.max(0, chartRows);
  const eventRows = TITLE + (height < 18 ? 1 : Math.max(2, Math.floor((height - 18) / 5) + 1));
  const rest = height - topRows - eventRows;
  const jobRows = Math.ceil(rest / 2);
  return {
    shape: "stack",
    only: null,
    topRows,
    chartWidth: width,
    fleetWidth: 0,
    failureWidth: 0,
    jobRows,
    jobWidth: width,
    workerRows: rest - jobRows,
    workerWidth: width,
    eventRows,
    eventWidth: width,
  };
}

function planBeside({ width, height }: Size): OverviewPlan {
  const topRows = height < 34 ? 6 : Math.min(12, 8 + Math.floor((height - 38) / 6));
  const fleetWidth = Math.min(60, Math.floor(width * 0.4));
  const eventRows = TITLE + Math.max(3, Math.floor((height - 24) / 5));
  const rest = height - topRows - eventRows;
  const jobRows = Math.floor(rest * 0.42);
  return {
    shape: "beside",
    only: null,
    topRows,
    chartWidth: width - fleetWidth - 1,
    fleetWidth,
    failureWidth: 0,
    jobRows,
    jobWidth: width,
    workerRows: rest - jobRows,
    workerWidth: width,
    eventRows,
    eventWidth: width,
  };
}

/** Throughput, failures and fleet side by side; below them jobs and workers, with events at the right. */
function planColumns({ width, height }: Size): OverviewPlan {
  const topRows = Math.min(14, Math.max(10, Math.floor(height / 5)));
  const eventWidth = Math.max(54, Math.floor(width * 0.27));
  const left = width - eventWidth - 1;
  const rest = height - topRows;
  const jobRows = Math.floor(rest * 0.42);
  const failureWidth = Math.floor(left * 0.32);
  return {
    shape: "columns",
    only: null,
    topRows,
    chartWidth: left - failureWidth - 1,
    fleetWidth: eventWidth,
    failureWidth,
    jobRows,
    jobWidth: left,
    workerRows: rest - jobRows,
    workerWidth: left,
    eventRows: rest,
    eventWidth,
  };
}
