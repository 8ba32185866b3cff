/**
 * Lines of a log as rows: when, which stream, of which task, and the text with what was searched for marked.
 * The text is scrolled to the side or wrapped; what stands before it stays where it is.
 */
import type { LogLine } from "../../feed.ts";
import type { LogState } from "../../navigation/view-state.ts";
import { cellWidth, inert, sliceCells } from "../../text/cells.ts";
import { shortBytes } from "../../text/fixed.ts";
import { type LogWords, parseLogWords, spansOf, type TextSpan } from "../../text/log-words.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { paintRow, plain, type Span, span, spansWidth } from "../../widgets/spans.ts";

export interface LogDrawing {
  readonly log: LogState;
  /** Which of the lines the last search or `e` went to. */
  readonly hitRow: number | null;
  /** Lines of several tasks: each says whose it is. */
  readonly hasTasks: boolean;
  readonly width: number;
  readonly height: number;
}

/** At most `height` rows: from the first line on, or while following up to the last one. */
export function logRows(lines: readonly LogLine[], drawing: LogDrawing, theme: Theme): string[] {
  const { height, width, log } = drawing;
  const marks = marksOf(lines, drawing);
  const words = { filter: parseLogWords(log.filter), search: parseLogWords(log.search) };
  const shown = log.follows ? lines.slice(-height) : lines.slice(0, height);
  const first = log.follows ? Math.max(0, lines.length - height) : 0;
  const rows: string[] = [];
  for (const [at, line] of shown.entries()) {
    const before = marks(line, first + at === drawing.hitRow);
    const room = Math.max(1, width - spansWidth(before));
    const parts = textRows(line, words, { ...drawing, room }, theme);
    const indent = [plain(" ".repeat(width - room))];
    for (const [row, text] of parts.entries())
      rows.push(paintRow(theme, width, [...(row === 0 ? before : indent), ...text]));
    if (!log.follows && rows.length >= height) break;
  }
  return log.follows ? rows.slice(-height) : rows.slice(0, height);
}

type Marks = (line: LogLine, isHit: boolean) => readonly Span[];

const NARROW_WIDTH = 60;

/** What stands before the text, equally wide for all of these lines. */
function marksOf(lines: readonly LogLine[], { log, hasTasks, width }: LogDrawing): Marks {
  const hasTime = log.showsTime && width >= NARROW_WIDTH;
  const taskCells = hasTasks ? 1 + mostDigits(lines.map(({ index }) => index)) : 0;
  const hasAttempts = lines.some(({ attempt }) => attempt !== lines[0]?.attempt);
  return (line, isHit) => [
    span("dim", hasTime ? `${preciseTime(line.atMs)} ` : ""),
    span("accent", isHit ? ">" : " "),
    span("key", hasTasks ? `${`#${line.index}`.padStart(taskCells)} ` : ""),
    span("delayed", hasAttempts ? `try ${line.attempt} ` : ""),
    streamMark(line),
    plain(" "),
  ];
}

const mostDigits = (numbers: readonly number[]): number =>
  numbers.reduce((most, number) => Math.max(most, String(number).length), 1);

const STREAM_MARKS: Readonly<Record<LogLine["stream"], readonly [string, Style]>> = {
  stdout: ["o", "dim"],
  stderr: ["E", "warning"],
  log: ["l", "accent"],
  gap: ["~", "warning"],
};

function streamMark({ stream }: LogLine): Span {
  const [letter, style] = STREAM_MARKS[stream];
  return span(style, letter);
}

/** `14:22:01.120`. */
function preciseTime(atMs: number): string {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return "--:--:--.---";
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

interface Words {
  readonly filter: LogWords;
  readonly search: LogWords;
}

/** Wrapped text in several rows, else the part that is scrolled to. */
function textRows(
  line: LogLine,
  words: Words,
  drawing: LogDrawing & { readonly room: number },
  theme: Theme,
): readonly (readonly Span[])[] {
  const { log, room, height } = drawing;
  const from = log.wraps || line.stream === "gap" ? 0 : log.left;
  const cells = log.wraps ? room * height : from + room;
  const text = shownText(line, cells, theme);
  const spans = markWords(text, line.stream === "gap" ? "warning" : "plain", words);
  if (!log.wraps) return [sliceSpans(spans, from, room)];
  const rowCount = Math.min(height, Math.max(1, Math.ceil(cellWidth(text) / room)));
  return Array.from({ length: rowCount }, (_, row) => sliceSpans(spans, row * room, room));
}

/** Characters looked at for each cell shown: colours and combining marks take none. */
const CHARACTERS_PER_CELL = 4;
const CHARACTERS_MIN = 4096;

/** Inert, and no more of a line of a megabyte than can be seen. */
function shownText({ stream, text }: LogLine, cells: number, { ascii }: Theme): string {
  if (stream === "gap") return gapText(text, ascii);
  return inert(text.slice(0, CHARACTERS_MIN + cells * CHARACTERS_PER_CELL), {
    ascii,
    dropsColour: true,
  });
}

/** A gap is a number of bytes, or already a sentence. */
function gapText(text: string, ascii: boolean): string {
  if (!/^\d+$/.test(text)) return inert(text, { ascii });
  return `${ascii ? ".." : "…"} ${shortBytes(Number(text))} dropped here`;
}

/** What was searched for is inverse; what was filtered for is only strong, since every line has it. */
function markWords(text: string, style: Style, { filter, search }: Words): readonly Span[] {
  const strong = splitAt([span(style, text)], wholeSpans(text, filter), "strong");
  return splitAt(strong, wholeSpans(text, search), "selection");
}

/** Half a character was typed somehow: marking it would tear the whole one apart. */
const wholeSpans = (text: string, words: LogWords): readonly TextSpan[] =>
  spansOf(text, words).filter(({ from, to }) => !isInside(text, from) && !isInside(text, to));

const isInside = (text: string, at: number): boolean =>
  /^[\udc00-\udfff]/.test(text.slice(at, at + 1));

/** Positions count in the whole text of `spans`. */
function splitAt(
  spans: readonly Span[],
  ranges: readonly TextSpan[],
  style: Style,
): readonly Span[] {
  if (ranges.length === 0) return spans;
  const split: Span[] = [];
  let start = 0;
  for (const piece of spans) {
    let at = start;
    const end = start + piece.text.length;
    for (const { from, to } of ranges) {
      if (to <= at || from >= end) continue;
      const cutFrom = Math.max(from, at);
      const cutTo = Math.min(to, end);
      split.push(span(piece.style, piece.text.slice(at - start, cutFrom - start)));
      split.push(span(style, piece.text.slice(cutFrom - start, cutTo - start)));
      at = cutTo;
    }
    split.push(span(piece.style, piece.text.slice(at - start)));
    start = end;
  }
  return split.filter(({ text }) => text !== "");
}

/** The cells from `from` on, at most `width` of them. */
function sliceSpans(spans: readonly Span[], from: number, width: number): readonly Span[] {
  const shown: Span[] = [];
  let at = 0;
  for (const { style, text } of spans) {
    const cells = cellWidth(text);
    const first = Math.max(0, from - at);
    const last = Math.min(cells, from + width - at);
    if (last > first)
      shown.push(
        span(style, last - first === cells ? text : sliceCells(text, first, last - first)),
      );
    at += cells;
  }
  return shown;
}
