/** One line of text that is being typed, with its cursor as an inverse cell. */
import { cellWidth, headOf, inert } from "../text/cells.ts";
import type { Theme } from "../theme/theme.ts";
import { paintRow, plain, type Span, span } from "./spans.ts";

export interface TextField {
  readonly prompt: string;
  readonly text: string;
  /** In characters of `text`. */
  readonly cursor: number;
  /** At the right end, such as how much matches. */
  readonly end: readonly Span[];
}

/** Exactly `width` cells; long text is scrolled so that the cursor is always seen. */
export function textField(field: TextField, width: number, theme: Theme): string {
  const endWidth = field.end.reduce((sum, { text }) => sum + cellWidth(text), 0);
  const roomBeside = width - cellWidth(field.prompt) - endWidth - 1;
  const end = roomBeside >= MIN_CELLS ? field.end : [];
  const room = Math.max(1, roomBeside >= MIN_CELLS ? roomBeside : roomBeside + endWidth);
  const at = field.text.slice(field.cursor);
  const under = [...at][0] ?? " ";
  const before = lastCells(inert(field.text.slice(0, field.cursor)), room - 1);
  const shownUnder = inert(under) || " ";
  const after = headOf(
    inert(at.slice(under.length)),
    room - cellWidth(before) - cellWidth(shownUnder),
  );
  const used = cellWidth(before) + cellWidth(shownUnder) + cellWidth(after);
  return paintRow(theme, width, [
    span("accent", field.prompt),
    plain(before),
    span("selection", shownUnder),
    plain(after + " ".repeat(Math.max(0, room - used + (end.length > 0 ? 1 : 0)))),
    ...end,
  ]);
}

const MIN_CELLS = 8;

/** The end of a text, with `…` where something is before it. */
function lastCells(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  const characters = [...text];
  let used = 1;
  let from = characters.length;
  while (from > 0) {
    used += cellWidth(characters[from - 1] ?? "");
    if (used > width) break;
    from -= 1;
  }
  return `…${characters.slice(from).join("")}`;
}
