/**
 * What the tables have no room for, of the row under the cursor: a task's attempt and whole error, or the
 * whole message of a group of errors with its place and workers.
 */
import type {
  ErrorGroupRowView,
  JobMonitorView,
  TaskRowView,
} from "../../../runtime/protocol/monitor-views.ts";
import type { ListState } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { shortCount, shortSeconds } from "../../text/fixed.ts";
import { wrapWords } from "../../text/wrap.ts";
import { taskLook } from "../../theme/states.ts";
import type { Theme } from "../../theme/theme.ts";
import { fitRows, paintRow, plain, type Span, span, spansWidth } from "../../widgets/spans.ts";
import { failureText, taskNumber } from "./error-words.ts";

export interface SelectedRow {
  readonly errors: ListState;
  readonly tasks: ListState;
  readonly focus: "grid" | "errors" | "tasks";
}

/** `height` rows, blank where nothing is selected. */
export function selectedRow(
  body: JobMonitorView,
  { errors, tasks, focus }: SelectedRow,
  { width, height }: { readonly width: number; readonly height: number },
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const group = focus === "errors" ? body.errors[errors.selectedAt] : undefined;
  if (group !== undefined) return told(groupHead(group), groupText(group), width, height, theme);
  const id = body.tasks.order[tasks.selectedAt - body.tasks.from];
  const task = id === undefined ? undefined : body.tasks.rows[id];
  if (task === undefined) return fitRows([], width, height);
  const error = task.error === null ? "" : failureText(task.error);
  return told(taskHead(task), error, width, height, theme);
}

/** The head, then the text behind it and over the following rows. */
function told(
  head: readonly Span[],
  text: string,
  width: number,
  height: number,
  theme: Theme,
): string[] {
  const safe = inert(text, { ascii: theme.ascii });
  const beside = Math.max(0, width - spansWidth(head) - 1);
  const [first = "", ...others] = wrapWords(safe, beside);
  const rest = others.length === 0 ? [] : wrapWords(others.join(" "), width - INDENT.length - 1);
  const rows = [
    paintRow(theme, width, [...head, plain(first)]),
    ...rest.map((line) => paintRow(theme, width, [plain(INDENT), plain(line)])),
  ];
  return fitRows(rows, width, height);
}

const INDENT = "   ";

function taskHead(task: TaskRowView): readonly Span[] {
  const { style, word } = taskLook(task.state);
  const seconds = task.running_seconds ?? task.run_seconds;
  const attempt =
    task.attempts === 0
      ? ""
      : `  attempt ${shortCount(task.attempts)}${task.attempts_allowed === null ? "" : ` of ${shortCount(task.attempts_allowed)}`}`;
  const worker = task.worker === null ? "" : ` on ${inert(task.worker)}`;
  const time = seconds === null ? "" : ` for ${shortSeconds(seconds)}`;
  const before = task.error === null ? "" : task.state === "failed" ? "  " : "  before: ";
  return [
    span("strong", ` ${inert(taskNumber(task.task_id))} `),
    span(style, word),
    plain(`${attempt}${worker}${time}`),
    span("dim", before),
  ];
}

function groupHead({ count }: ErrorGroupRowView): readonly Span[] {
  return [span("failed", ` ${shortCount(count)}x `)];
}

function groupText(group: ErrorGroupRowView): string {
  const place = group.place === null ? "" : ` at ${group.place}`;
  const workers = group.by_worker.map(({ worker, count }) => `${worker} ${shortCount(count)}`);
  const on = workers.length === 0 ? "" : `  on ${workers.join(", ")}`;
  return `${failureText(group)}${place}${on}`;
}
