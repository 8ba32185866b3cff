/**
 * Lays rows out in aligned columns that fit the terminal. Columns of the least importance go first when
 * the room is short; then the widest shrink, cut in the middle, because both ends of a name tell more
 * than its middle. It knows nothing of what the rows mean.
 */
import { cellWidth, fitCells, fitName, inert } from "../tui/text/cells.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** 0 is never dropped; the largest number is dropped first. */
  readonly priority?: number;
  /** Never narrower than this when it has to shrink; 8 when left out. */
  readonly widthMin?: number;
  /** Colours a finished cell; gets the raw text too. */
  readonly paint?: (cell: string, text: string) => string;
}

export interface TableOptions {
  /** Columns of the terminal; `Infinity` for no limit (`--wide`, pipes). */
  readonly widthMax: number;
  /** Colours the header line. */
  readonly paintHeader?: (line: string) => string;
}

const GAP = "  ";
const WIDTH_MIN = 8;

/** Lines without a line break at the end; cells are made inert for a terminal here, and measured in its cells. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): readonly string[] {
  const safeRows = rows.map((row) => row.map((cell) => inert(cell)));
  const layout = planColumns(columns, safeRows, options.widthMax);
  const header = layout
    .map(({ column, width }) => fitCells(column.title, width, column.align))
    .join(GAP)
    .trimEnd();
  const lines = safeRows.map((row) =>
    layout
      .map((planned) => renderCell(planned, row[planned.index] ?? ""))
      .join(GAP)
      .trimEnd(),
  );
  return [options.paintHeader ? options.paintHeader(header) : header, ...lines];
}

interface PlannedColumn {
  readonly column: Column;
  readonly index: number;
  readonly width: number;
}

function planColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  widthMax: number,
): readonly PlannedColumn[] {
  let planned: PlannedColumn[] = columns.map((column, index) => ({
    column,
    index,
    width: naturalWidth(column, index, rows),
  }));
  while (narrowestWidth(planned) > widthMax) {
    const dropped = leastImportant(planned);
    if (dropped === undefined) break;
    planned = planned.filter((candidate) => candidate !== dropped);
  }
  return shrink(planned, widthMax);
}

function naturalWidth(column: Column, index: number, rows: readonly (readonly string[])[]): number {
  let width = cellWidth(column.title);
  for (const row of rows) width = Math.max(width, cellWidth(row[index] ?? ""));
  return width;
}

function totalWidth(planned: readonly PlannedColumn[]): number {
  return planned.reduce(
    (sum, { width }) => sum + width,
    GAP.length * Math.max(0, planned.length - 1),
  );
}

function narrowestWidth(planned: readonly PlannedColumn[]): number {
  return totalWidth(
    planned.map((one) => ({ ...one, width: Math.min(one.width, minimumWidth(one)) })),
  );
}

function minimumWidth({ column }: PlannedColumn): number {
  return Math.max(column.widthMin ?? WIDTH_MIN, cellWidth(column.title));
}

function leastImportant(planned: readonly PlannedColumn[]): PlannedColumn | undefined {
  const droppable = planned.filter(({ column }) => (column.priority ?? 0) > 0);
  return droppable.reduce<PlannedColumn | undefined>(
    (least, one) =>
      least === undefined || (one.column.priority ?? 0) >= (least.column.priority ?? 0)
        ? one
        : least,
    undefined,
  );
}

/** Takes from the widest column, one column at a time, until the rows fit or all are at their minimum. */
function shrink(planned: readonly PlannedColumn[], widthMax: number): readonly PlannedColumn[] {
  const widths = planned.map(({ width }) => width);
  let excess = totalWidth(planned) - widthMax;
  while (excess > 0) {
    const widest = planned.reduce((best, one, at) => {
      const room = (widths[at] ?? 0) > minimumWidth(one);
      return room && (best < 0 || (widths[at] ?? 0) > (widths[best] ?? 0)) ? at : best;
    }, -1);
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return planned.map((one, at) => ({ ...one, width: widths[at] ?? one.width }));
}

function renderCell({ column, width }: PlannedColumn, text: string): string {
  const cell = fitName(text, width, column.align);
  return column.paint ? column.paint(cell, text) : cell;
}
