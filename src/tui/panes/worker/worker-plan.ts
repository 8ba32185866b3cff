/**
 * Who gets which rows and columns of a worker's screen, for a room of this size between header and footer.
 * Pure arithmetic that never looks at the worker.
 */
import type { Size } from "../pane.ts";

/** The panes in the order of their keys. */
export type WorkerPane = "lanes" | "tasks" | "errors";

export interface WorkerPlan {
  /** `one`: a summary and the pane with the cursor; `beside`: the failures right of the tasks. */
  readonly shape: "one" | "stack" | "beside";
  readonly only: WorkerPane | null;
  /** Rows of the charts at the top, their titles included; 0: a line of text says it. */
  readonly chartRows: number;
  /** Lines of figures below them. */
  readonly figureRows: number;
  /** Each with its title; 0: it is not shown. */
  readonly laneRows: number;
  readonly taskRows: number;
  readonly taskWidth: number;
  readonly errorRows: number;
  readonly errorWidth: number;
  /** Of those, for what the failures suggest. */
  readonly adviceRows: number;
}

export function planWorker(size: Size, focus: WorkerPane, isZoomed: boolean): WorkerPlan {
  if (size.width < 60 || size.height < 13) return planOne(size, focus, size.height >= 8 ? 2 : 1);
  if (isZoomed) return planOne(size, focus, 2);
  return size.width >= 110 && size.height >= 28 ? planBeside(size) : planStack(size);
}

function planOne({ width, height }: Size, only: WorkerPane, figureRows: number): WorkerPlan {
  const rows = Math.max(0, height - figureRows);
  return {
    shape: "one",
    only,
    chartRows: 0,
    figureRows,
    laneRows: only === "lanes" ? rows : 0,
    taskRows: only === "tasks" ? rows : 0,
    taskWidth: width,
    errorRows: only === "errors" ? rows : 0,
    errorWidth: width,
    adviceRows: only === "errors" && rows > 3 ? 2 : 0,
  };
}

function planStack({ width, height }: Size): WorkerPlan {
  const chartRows = 1;
  const figureRows = 1;
  const laneRows = height < 18 ? 4 : Math.min(19, 7 + Math.floor((height - 22) / 3));
  const errorRows = height < 18 ? 2 : Math.min(8, 4 + Math.floor((height - 22) / 5));
  return {
    shape: "stack",
    only: null,
    chartRows,
    figureRows,
    laneRows,
    taskRows: height - chartRows - figureRows - laneRows - errorRows,
    taskWidth: width,
    errorRows,
    errorWidth: width,
    adviceRows: height < 18 ? 0 : 1,
  };
}

function planBeside({ width, height }: Size): WorkerPlan {
  const chartRows = height >= 45 ? 8 : 5;
  const figureRows = 2;
  const laneRows = Math.max(9, Math.floor(height * 0.27));
  const rest = height - chartRows - figureRows - laneRows;
  const errorWidth = Math.floor(width * 0.4);
  return {
    shape: "beside",
    only: null,
    chartRows,
    figureRows,
    laneRows,
    taskRows: rest,
    taskWidth: width - errorWidth - 1,
    errorRows: rest,
    errorWidth,
    adviceRows: 3,
  };
}
