/** The failures that a worker had lately, and what they suggest. */
import type { WindowView, WorkerMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ListState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { instantTime } from "../../text/fixed.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Theme } from "../../theme/theme.ts";
import { cursorRow } from "../../widgets/list-pane.ts";
import { positionText, shownRows } from "../../widgets/list-window.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, paintRow, paintRowAs, plain, span } from "../../widgets/spans.ts";
import { moreBelow } from "../../widgets/table.ts";
import type { Size } from "../pane.ts";

export interface FailurePaneState {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly list: ListState;
  readonly isActive: boolean;
  /** Kept for what the failures suggest, whether they do or not; absent: as many as that takes. */
  readonly adviceRows?: number;
}

type Failure = WorkerMonitorView["recent_failures"][number];

/** Title, failures and advice: `height` rows. */
export function failurePane(
  body: WorkerMonitorView,
  { width, height }: Size,
  state: FailurePaneState,
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const { number, list, isActive } = state;
  const advice = adviceLines(body, width, theme);
  const adviceRows = state.adviceRows ?? Math.min(advice.length, ADVICE_ROWS_MAX);
  const failures = body.recent_failures;
  const room = Math.max(0, height - 1 - adviceRows);
  // Where nobody is, the newest are shown: rows that come move the others down.
  const shown = shownRows(failureWindow(failures), isActive ? list.top : 0, room);
  const cursor = cursorRow(shown, list, isActive);
  const title = ruleTitle(
    {
      number,
      title: `RECENT FAILURES ${failures.length}`,
      isActive,
      notes: [],
      end: positionText(shown, failures.length),
    },
    width,
    theme,
  );
  const rows = shown.rows.flatMap(({ row }, at) =>
    row === null ? [] : [failureRow(row, cursor === at, width, theme)],
  );
  if (shown.below > 0 && rows.length < room) rows.push(moreBelow(shown.below, width, theme));
  if (failures.length === 0) rows.push(paintRow(theme, width, [plain("   "), span("dim", "none")]));
  const all = [title, ...fitRows(rows, width, room), ...fitRows(advice, width, adviceRows)];
  return fitRows(all, width, height);
}

const ADVICE_ROWS_MAX = 3;

/** By position: a task may fail twice here. */
const failureWindow = (failures: readonly Failure[]): WindowView<Failure> => ({
  total: failures.length,
  matching: failures.length,
  from: 0,
  order: failures.map((_, at) => String(at)),
  rows: Object.fromEntries(failures.entries()),
  anchor_at: null,
});

function failureRow(failure: Failure, isSelected: boolean, width: number, theme: Theme): string {
  const { ascii } = theme;
  const spans = [
    plain(isSelected ? "> " : "  "),
    span("dim", `${instantTime(failure.time)} `),
    plain(`${inert(failure.task_id, { ascii })} `),
    span("failed", `${inert(failure.code, { ascii })} `),
    span("dim", inert(failure.message, { ascii })),
  ];
  return isSelected ? paintRowAs(theme, "selection", width, spans) : paintRow(theme, width, spans);
}

function adviceLines({ why }: WorkerMonitorView, width: number, theme: Theme): string[] {
  if (why === null) return [];
  const { ascii } = theme;
  const text = `hint: ${why.sentence}${why.hint === null ? "" : ` ${why.hint}`}`;
  return wrapWords(inert(text, { ascii }), width - 2).map((line) =>
    paintRow(theme, width, [plain("  "), span("warning", line)]),
  );
}
