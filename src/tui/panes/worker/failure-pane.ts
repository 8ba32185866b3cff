/** The failures that a worker had lately, and what they suggest. */
import type { WorkerMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ListState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { instantTime } from "../../text/fixed.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Theme } from "../../theme/theme.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, paintRow, paintRowAs, plain, span } from "../../widgets/spans.ts";
import { moreBelow } from "../../widgets/table.ts";
import type { Size } from "../pane.ts";

export interface FailurePaneState {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly list: ListState;
  readonly isActive: boolean;
}

type Failure = WorkerMonitorView["recent_failures"][number];

/** Title, failures and advice: `height` rows. */
export function failurePane(
  body: WorkerMonitorView,
  { width, height }: Size,
  { number, list, isActive }: FailurePaneState,
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const failures = body.recent_failures;
  const title = ruleTitle(
    { number, title: `RECENT FAILURES ${failures.length}`, isActive, notes: [], end: "" },
    width,
    theme,
  );
  const advice = adviceRows(body, width, theme).slice(0, Math.max(0, height - 2));
  const room = Math.max(0, height - 1 - advice.length);
  const first = Math.max(0, Math.min(list.top, failures.length - room));
  const rows = failures
    .slice(first, first + room)
    .map((failure, at) =>
      failureRow(failure, isActive && first + at === list.selectedAt, width, theme),
    );
  const hidden = failures.length - first - rows.length;
  if (hidden > 0 && rows.length > 1) rows[rows.length - 1] = moreBelow(hidden + 1, width, theme);
  const nothing = paintRow(theme, width, [plain("   "), span("dim", "none")]);
  const shown = failures.length === 0 ? [nothing] : rows;
  return fitRows([title, ...fitRows(shown, width, room), ...advice], width, height);
}

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

function adviceRows({ why }: WorkerMonitorView, width: number, theme: Theme): string[] {
  if (why === null) return [];
  const { ascii } = theme;
  const text = `hint: ${why.sentence}${why.hint === null ? "" : ` ${why.hint}`}`;
  return wrapWords(inert(text, { ascii }), width - 2).map((line) =>
    paintRow(theme, width, [plain("  "), span("warning", line)]),
  );
}
