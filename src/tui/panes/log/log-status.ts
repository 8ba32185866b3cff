/**
 * The row below a log: whether it follows or stands still, what came meanwhile, what the filter lets through,
 * how large it is. And the sentences for a log that has nothing to show.
 */
import type { LogModel } from "../../model/screen-model.ts";
import type { LogState } from "../../navigation/view-state.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { inert } from "../../text/cells.ts";
import { clockTime, shortBytes } from "../../text/fixed.ts";
import type { Theme } from "../../theme/theme.ts";
import { fittingPieces, paintRow, piece, plain, type Span, span } from "../../widgets/spans.ts";

export function logStatus(log: LogModel, state: LogState, width: number, theme: Theme): string {
  const { ascii } = theme;
  const { droppedBytes } = log;
  if (log.error !== null && log.lines.length > 0) {
    const text = inert(log.error.message, { ascii });
    return paintRow(theme, width, [span("failed", ` ${text}`)]);
  }
  const more = log.newLines > 0 ? [span("accent", `+${formatExactCount(log.newLines)} new`)] : [];
  const streams = state.streams === "both" ? [] : [span("warning", `${state.streams} only`)];
  const column = state.left > 0 ? [span("dim", `from column ${state.left + 1}`)] : [];
  const pieces = fittingPieces(width - 2, [
    piece(0, whereItIs(log, state)),
    piece(1, ...more),
    piece(2, ...filterOf(log, state, ascii)),
    piece(3, ...searchOf(log, state, ascii)),
    piece(4, ...streams),
    piece(5, ...(log.isLoading ? [span("dim", "loading")] : [])),
    piece(6, ...column),
    piece(7, ...(state.wraps ? [span("dim", "wrapped")] : [])),
    piece(4, ...sizeOf(log)),
    piece(5, ...(droppedBytes > 0 ? [span("warning", `${shortBytes(droppedBytes)} dropped`)] : [])),
  ]);
  return paintRow(theme, width, [plain(" "), ...pieces]);
}

function whereItIs(log: LogModel, state: LogState): Span {
  if (state.follows) {
    return log.isFinished && log.atEnd ? span("strong", "END") : span("good", "FOLLOWING");
  }
  const [first] = log.lines;
  if (first === undefined) return span("dim", "no lines");
  return span("warning", `PAUSED at ${lineNumber(log, state) ?? clockTime(first.atMs)}`);
}

/** null: what is above was not read, or is not all that there is. */
function lineNumber({ atStart, linesAbove }: LogModel, state: LogState): string | null {
  const isEveryLine = state.filter === "" && state.streams === "both";
  if (!atStart || !isEveryLine || linesAbove === undefined) return null;
  return `line ${formatExactCount(linesAbove + 1)}`;
}

/** `filter Mem 1,204/4,812 lines`; `+`: more of the log has not been looked at. */
function filterOf(log: LogModel, { filter }: LogState, ascii: boolean): readonly Span[] {
  if (filter === "") return [];
  const { matchingLines, heldLines } = log;
  const count =
    matchingLines === undefined || heldLines === undefined
      ? ""
      : ` ${formatExactCount(matchingLines)}/${formatExactCount(heldLines)}${isWhole(log) ? "" : "+"} lines`;
  return [span("dim", "filter "), span("strong", inert(filter, { ascii })), span("dim", count)];
}

function searchOf(log: LogModel, { search }: LogState, ascii: boolean): readonly Span[] {
  if (search === "") return [];
  const hits = `${formatExactCount(log.hits)}${isWhole(log) ? "" : "+"} ${log.hits === 1 ? "hit" : "hits"}`;
  return [
    span("dim", "search "),
    span("strong", inert(search, { ascii })),
    span("dim", ` ${hits}`),
  ];
}

const isWhole = ({ atStart, atEnd }: LogModel): boolean => atStart && atEnd;

const sizeOf = ({ totalBytes }: LogModel): readonly Span[] =>
  totalBytes === 0 ? [] : [span("dim", shortBytes(totalBytes))];

/** What to say instead of lines; the first sentence is the answer, the others what to do. */
export function emptyLog(
  log: LogModel | null,
  state: LogState,
  theme: Theme,
): readonly (readonly Span[])[] {
  const { ascii } = theme;
  if (log?.error) {
    const { message, hint } = log.error;
    const told = [span("failed", inert(message, { ascii }))];
    return hint === null ? [told] : [told, [span("key", inert(hint, { ascii }))]];
  }
  return [[span("dim", emptySentence(log, state))]];
}

function emptySentence(log: LogModel | null, state: LogState): string {
  if (log === null || log.isLoading) return "loading the log";
  if (state.filter !== "" && log.heldLines !== 0)
    return "no line has the words of the filter; Esc clears it";
  if (log.droppedBytes > 0 && log.totalBytes === 0) return "all of it was dropped";
  const stream = state.streams === "both" ? "" : ` to ${state.streams}`;
  return log.isFinished ? `nothing was printed${stream}` : `nothing has been printed${stream} yet`;
}
