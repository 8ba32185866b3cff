/**
 * All tasks of a job in a few hundred cells, in order of index. A letter is the worst state in a cell
 * (`F` failed, `X` cancelled, `Y` delayed), a grey one runs, and the height of a block says how much of the
 * rest is settled.
 */
import type { GridView } from "../../runtime/protocol/monitor-views.ts";
import type { Style, Theme } from "../theme/theme.ts";
import { fitRows, fittingPieces, paintRow, type Span, span } from "./spans.ts";

const FILL = [".", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "▇", "█"];
const FILL_ASCII = [".", ":", ":", ":", ":", ":", ":", ":", ":", "#"];

const LETTER_STYLES: Readonly<Record<string, Style>> = {
  F: "failed",
  X: "cancelled",
  Y: "delayed",
};

/** `height` rows of `width` cells, painted. */
export function taskGrid(
  grid: GridView,
  { width, height }: { readonly width: number; readonly height: number },
  theme: Theme,
): string[] {
  const rows: string[] = [];
  for (let row = 0; row < height && row * width < grid.marks.length; row++)
    rows.push(paintRow(theme, width, gridRow(grid, row * width, width, theme)));
  return fitRows(rows, width, height);
}

/** Neighbours of one style share a span: a million tasks are a few escape sequences. */
function gridRow(grid: GridView, from: number, width: number, theme: Theme): readonly Span[] {
  const spans: Span[] = [];
  let style: Style | null = null;
  let text = "";
  for (let at = from; at < Math.min(from + width, grid.marks.length); at++) {
    const cell = gridCell(grid.marks[at] ?? ".", grid.done[at] ?? "0", theme.ascii);
    if (style !== null && style !== cell.style) {
      spans.push(span(style, text));
      text = "";
    }
    style = cell.style;
    text += cell.text;
  }
  return style === null ? spans : [...spans, span(style, text)];
}

function gridCell(mark: string, done: string, ascii: boolean): Span {
  const letterStyle = LETTER_STYLES[mark];
  if (letterStyle !== undefined) return span(letterStyle, mark);
  if (mark === "R") return span("running", ascii ? "R" : "▒");
  const level = Math.min(9, Math.max(0, Number.parseInt(done, 10) || 0));
  return span(level === 0 ? "queued" : "completed", (ascii ? FILL_ASCII : FILL)[level] ?? ".");
}

/** What the cells mean, of those that there are: `. queued  ▒ running  █ settled  F failed`. */
export function gridLegend(
  { marks, done }: GridView,
  width: number,
  theme: Theme,
): readonly Span[] {
  const { ascii } = theme;
  const isWithoutMark = (settled: RegExp) =>
    [...marks].some((mark, at) => mark === "." && settled.test(done[at] ?? "0"));
  const pieces: (readonly [boolean, Span])[] = [
    [marks.includes("F"), span("failed", "F failed")],
    [marks.includes("R"), span("running", `${ascii ? "R" : "▒"} running`)],
    [isWithoutMark(/[1-9]/), span("completed", `${ascii ? "#" : "█"} settled`)],
    [isWithoutMark(/0/), span("queued", ". waiting")],
    [marks.includes("Y"), span("delayed", "Y delayed")],
    [marks.includes("X"), span("cancelled", "X cancelled")],
  ];
  return fittingPieces(
    width,
    pieces.flatMap(([isThere, piece]) => (isThere ? [[piece]] : [])),
  );
}
