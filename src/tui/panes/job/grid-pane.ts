/** The grid of a job's tasks with its legend; how many tasks a cell is, and what its marks mean. */
import type { GridView } from "../../../runtime/protocol/monitor-views.ts";
import { formatPlural } from "../../text/amounts.ts";
import type { Theme } from "../../theme/theme.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { plain } from "../../widgets/spans.ts";
import { gridLegend, taskGrid } from "../../widgets/task-grid.ts";

export interface GridTitle {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly isActive: boolean;
}

export function gridTitle(
  grid: GridView,
  width: number,
  { number, isActive }: GridTitle,
  theme: Theme,
): string {
  const cell = `1 cell = ${formatPlural(grid.cell_tasks, "task")}`;
  const room = width - TITLE_CELLS - cell.length - 2 * NOTE_CELLS;
  const notes = grid.marks === "" ? [] : [[plain(cell)], gridLegend(grid, room, theme)];
  return ruleTitle({ number, title: "TASK GRID", isActive, notes, end: "" }, width, theme);
}

/** What a title takes beside its notes, and a note beside its text. */
const TITLE_CELLS = "─ [1] TASK GRID ".length;
const NOTE_CELLS = "─  ".length;

/** One blank column before and behind the cells. */
export function gridRows(grid: GridView, width: number, height: number, theme: Theme): string[] {
  const cells = { width: Math.max(0, width - 2), height };
  return taskGrid(grid, cells, theme).map((row) => ` ${row} `);
}
