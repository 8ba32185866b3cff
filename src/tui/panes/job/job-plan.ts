/**
 * Who gets which rows and columns on a job's screen, for a room of this size between header and footer.
 * Pure arithmetic: it never looks at the job, so that nothing jumps when a number changes.
 */
import type { Size } from "../pane.ts";

/** The panes in the order of their keys. */
export type JobPane = "grid" | "errors" | "tasks";

export interface JobPlan {
  /** `one`: only the pane with the cursor; `stack`: one below the other; `beside`: errors right of the grid. */
  readonly shape: "one" | "stack" | "beside";
  readonly summaryRows: number;
  /** The pane that is shown alone; null unless `one`. */
  readonly only: JobPane | null;
  /** Without titles and headers. */
  readonly gridRows: number;
  readonly gridWidth: number;
  readonly errorRows: number;
  readonly errorWidth: number;
  /** Of the chart right of the errors; 0: there is none. */
  readonly chartWidth: number;
  readonly taskRows: number;
  readonly hasTaskHeader: boolean;
  /** The attempts of the task under the cursor. */
  readonly attemptRows: number;
}

const TITLE = 1;
const HEADER = 1;
/** The line between what stands side by side. */
const LINE = 1;

export function planJob(size: Size, focus: JobPane, isZoomed: boolean): JobPlan {
  if (size.width < 60 || size.height < 14) return planOne(size, focus, size.height >= 9 ? 3 : 2);
  if (isZoomed) return planOne(size, focus, 4);
  return size.width >= 110 && size.height >= 26 ? planBeside(size) : planStack(size);
}

const NOTHING = {
  gridRows: 0,
  gridWidth: 0,
  errorRows: 0,
  errorWidth: 0,
  chartWidth: 0,
  taskRows: 0,
  hasTaskHeader: true,
  attemptRows: 0,
} as const;

function planOne({ width, height }: Size, only: JobPane, summaryRows: number): JobPlan {
  const base = { ...NOTHING, shape: "one", summaryRows, only } as const;
  const rows = Math.max(0, height - summaryRows - TITLE);
  switch (only) {
    case "grid":
      return { ...base, gridRows: rows, gridWidth: gridWidthOf(width) };
    case "errors":
      return { ...base, errorRows: rows, errorWidth: width };
    case "tasks": {
      const hasTaskHeader = rows > 4;
      const attemptRows = rows >= 12 ? 2 : 0;
      const taskRows = rows - (hasTaskHeader ? HEADER : 0) - attemptRows;
      return { ...base, hasTaskHeader, attemptRows, taskRows };
    }
  }
}

function planStack({ width, height }: Size): JobPlan {
  const summaryRows = 4;
  const spare = Math.max(0, height - 22);
  const gridRows = Math.min(8, height < 18 ? 2 : 3 + Math.floor(spare / 5));
  const errorRows = Math.min(8, 2 + Math.floor(spare / 6));
  const attemptRows = height < 18 ? 0 : height < 30 ? 1 : 2;
  const taken = summaryRows + 2 * TITLE + gridRows + errorRows + TITLE + HEADER + attemptRows;
  return {
    ...NOTHING,
    shape: "stack",
    only: null,
    summaryRows,
    gridRows,
    gridWidth: gridWidthOf(width),
    errorRows,
    errorWidth: width,
    taskRows: height - taken,
    attemptRows,
  };
}

function planBeside({ width, height }: Size): JobPlan {
  const summaryRows = 4;
  const attemptRows = height >= 45 ? 4 : 2;
  const rows = Math.min(16, Math.max(6, Math.floor(height / 4)));
  const chartWidth = width >= 170 ? Math.floor(width * 0.26) : 0;
  const rest = width - LINE - (chartWidth === 0 ? 0 : chartWidth + LINE);
  const errorWidth = Math.floor(rest * 0.52);
  return {
    shape: "beside",
    only: null,
    summaryRows,
    gridRows: rows,
    gridWidth: gridWidthOf(rest - errorWidth),
    errorRows: rows,
    errorWidth,
    chartWidth,
    taskRows: height - summaryRows - TITLE - rows - TITLE - HEADER - attemptRows,
    hasTaskHeader: true,
    attemptRows,
  };
}

/** One blank column before and behind the cells. */
const gridWidthOf = (width: number): number => Math.max(0, width - 2);
