/**
 * What both daemons' live statuses are drawn with: a heading, fields in columns, bars. Rows hold no blanks
 * at their ends and leave the last column free, so that no terminal wraps them. Pure.
 */
import { asciiRow, cellWidth, inert, truncateMiddle } from "../../tui/text/cells.ts";
import type { Style, Theme } from "../../tui/theme/theme.ts";
import { bar } from "../../tui/widgets/bar.ts";
import { paintRow, plain, type Span, span, spansWidth } from "../../tui/widgets/spans.ts";

export interface StatusLook {
  /** Of the terminal. */
  readonly columns: number;
  /** Of the terminal; the status takes at most half of them. */
  readonly rows: number;
  readonly theme: Theme;
}

/** On less than this a status would leave no room for the log. */
const COLUMNS_MIN = 20;
const ROWS_MIN = 8;
const INDENT = " ";
/** A field with its gap. */
export const FIELD_CELLS = 15;
/** From here on four fields stand side by side, below it two. */
const WIDE_CELLS = INDENT.length + 4 * FIELD_CELLS - 2;

export const isWide = ({ columns }: StatusLook): boolean => columns - 1 >= WIDE_CELLS;

/** How many rows a status may have; the least important come last. */
export function rowsMax({ columns, rows }: StatusLook): number {
  return columns < COLUMNS_MIN || rows < ROWS_MIN ? 0 : Math.floor(rows / 2);
}

/** Rows of spans as they are written: cut, painted, without blanks at their ends. */
export function finishRows(rows: readonly (readonly Span[])[], look: StatusLook): string[] {
  const { columns, theme } = look;
  return rows.slice(0, rowsMax(look)).map((spans) => {
    const shown = withoutEndBlanks(spans);
    const row = paintRow(theme, Math.min(columns - 1, spansWidth(shown)), shown);
    return theme.ascii ? asciiRow(row) : row;
  });
}

function withoutEndBlanks(spans: readonly Span[]): readonly Span[] {
  const at = spans.findLastIndex(({ text }) => text.trimEnd() !== "");
  const last = spans[at];
  if (last === undefined) return [];
  return [...spans.slice(0, at), span(last.style, last.text.trimEnd())];
}

/** `── cc foreman ── ws://127.0.0.1:9000 ─────`: a title, what belongs to it, a line to the edge. */
export function heading(title: string, facts: readonly Span[], look: StatusLook): Span[] {
  const width = look.columns - 1;
  const spans: Span[] = [span("track", "── "), span("title", title), plain(" ")];
  for (const fact of facts) {
    const room = width - spansWidth(spans) - "──  ─".length;
    if (room < 6) break;
    spans.push(span("track", "── "), span(fact.style, truncateMiddle(fact.text, room)), plain(" "));
  }
  spans.push(span("track", "─".repeat(Math.max(0, width - spansWidth(spans)))));
  return spans;
}

export interface Field {
  readonly label: string;
  readonly value: string;
  readonly style?: Style;
  /** How many columns it takes; 1 unless said otherwise. */
  readonly columns?: number;
}

/** `queued 1.2k` and so on, each where its column begins. */
export function fieldRow(fields: readonly Field[]): Span[] {
  const spans: Span[] = [plain(INDENT)];
  for (const { label, value, style = "plain", columns = 1 } of fields) {
    spans.push(...padded(labelled(label, span(style, value)), columns * FIELD_CELLS));
  }
  return spans;
}

/** `slots ██████░░ 6/8` within so many columns of fields. */
export function slotField(
  { busy, total }: { readonly busy: number; readonly total: number },
  look: StatusLook,
): Span[] {
  const figures = `${busy}/${total}`;
  const barCells = Math.max(4, 2 * FIELD_CELLS - 2 - "slots  ".length - figures.length);
  const drawn = bar(total === 0 ? 0 : busy / total, barCells, "running", look.theme);
  const field = [span("dim", "slots "), ...drawn, plain(` ${figures}`)];
  return padded(field, 2 * FIELD_CELLS);
}

/** Several fields in a row, four or two of them side by side. */
export function fieldRows(fields: readonly Field[], look: StatusLook): Span[][] {
  if (isWide(look)) return [fieldRow(fields)];
  const rows: Span[][] = [];
  for (let at = 0; at < fields.length; at += 2) rows.push(fieldRow(fields.slice(at, at + 2)));
  return rows;
}

/** A sentence of its own row. */
export const sentence = (style: Style, text: string, look: StatusLook): Span[] => [
  plain(INDENT),
  span(style, foreign(text, look)),
];

export const labelled = (label: string, value: Span): Span[] => [span("dim", `${label} `), value];

export const padded = (spans: readonly Span[], width: number): Span[] => [
  ...spans,
  plain(" ".repeat(Math.max(1, width - spansWidth(spans)))),
];

/** What somebody else wrote. */
export const foreign = (text: string, { theme }: StatusLook): string =>
  inert(text, { ascii: theme.ascii });

export const cellsLeft = (spans: readonly Span[], { columns }: StatusLook): number =>
  Math.max(0, columns - 1 - spans.reduce((sum, { text }) => sum + cellWidth(text), 0));

/** The row's beginning, for rows made by hand. */
export const indent = (): Span => plain(INDENT);
