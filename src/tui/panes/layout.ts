/**
 * Who gets which room on a screen of this size: pure arithmetic, asked by the panes to draw and by the
 * navigation to know how far a page is and how many rows to ask the foreman for.
 */
import type { ListName, ViewState } from "../navigation/view-state.ts";

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
}

export type PlanLayout = (view: ViewState) => Layout;
