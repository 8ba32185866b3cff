/** The tasks of a job that the filter lets through: state, attempt, worker, time and what went wrong. */
import type { JobMonitorView, TaskRowView } from "../../../runtime/protocol/monitor-views.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { fitName, inert } from "../../text/cells.ts";
import { shortCount, shortSeconds } from "../../text/fixed.ts";
import { taskLook } from "../../theme/states.ts";
import type { Theme } from "../../theme/theme.ts";
import { positionText, shownRows } from "../../widgets/list-window.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import { table } from "../../widgets/table.ts";
import type { Column } from "../../widgets/table-columns.ts";
import { cursorRow, type PaneState } from "./error-pane.ts";
import { failureText } from "./error-words.ts";

export function taskTitle(
  { tasks }: JobMonitorView,
  width: number,
  height: number,
  { list, isActive }: PaneState,
  theme: Theme,
): string {
  const all = formatExactCount(tasks.total);
  const notes: Span[][] = [];
  if (list.filter !== "")
    notes.push([span("dim", "filter "), plain(inert(list.filter, { ascii: theme.ascii }))]);
  if (list.sort !== "")
    notes.push([span("dim", `sort ${list.sort.toUpperCase()} ${list.reverse ? "^" : "v"}`)]);
  return ruleTitle(
    {
      number: 3,
      title: `TASKS ${tasks.matching === tasks.total ? all : `${formatExactCount(tasks.matching)}/${all}`}`,
      isActive,
      notes,
      end: positionText(shownRows(tasks, list.top, height), tasks.matching),
    },
    width,
    theme,
  );
}

/** Header and rows; without a header where `hasHeader` is false. */
export function taskRows(
  body: JobMonitorView,
  width: number,
  height: number,
  state: PaneState,
  theme: Theme,
  hasHeader = true,
): string[] {
  const { list, isActive } = state;
  const shown = shownRows(body.tasks, list.top, height);
  const rows = table(
    {
      columns: columnsFor(body, theme),
      width,
      height: height + 1,
      rows: shown.rows,
      below: shown.below,
      selectedRow: cursorRow(shown, state),
      marked: list.marked,
      sort: list.sort === "" ? null : { key: list.sort, descending: !list.reverse },
      columnsFrom: isActive ? state.columnsFrom : 0,
      empty: emptyText(body, list.filter),
    },
    theme,
  );
  return hasHeader ? rows : rows.slice(1);
}

function emptyText({ tasks, job }: JobMonitorView, filter: string): readonly string[] {
  if (tasks.total === 0)
    return [job.inputs_open ? "no inputs have arrived yet" : "the job has no tasks"];
  return filter === "" ? [] : ["no task matches the filter; Esc clears it"];
}

function columnsFor({ tasks }: JobMonitorView, { ascii }: Theme): readonly Column<TaskRowView>[] {
  return [
    {
      key: "index",
      title: "TASK",
      width: Math.max(6, String(tasks.total).length + 1),
      priority: 0,
      isPinned: true,
      draw: ({ index }) => plain(String(index)),
    },
    {
      key: "state",
      title: "ST",
      width: 2,
      priority: 0,
      draw: ({ state }) => span(taskLook(state).style, taskLook(state).letter),
    },
    {
      key: "attempts",
      title: "TRY",
      width: 5,
      priority: 3,
      draw: attemptsOf,
    },
    {
      key: "worker",
      title: "WORKER",
      width: 10,
      priority: 2,
      grow: 1,
      widthMax: 24,
      draw: ({ worker }, width) => plain(fitName(inert(worker ?? "", { ascii }), width)),
    },
    {
      key: "time",
      title: "TIME",
      width: 7,
      priority: 1,
      align: "right",
      draw: timeOf,
    },
    {
      key: "error",
      title: "  ERROR",
      width: 12,
      priority: 1,
      grow: 5,
      draw: ({ error, state }) =>
        span(
          state === "failed" ? "failed" : "dim",
          error === null ? "" : `  ${inert(failureText(error), { ascii })}`,
        ),
    },
  ];
}

function attemptsOf({ attempts, attempts_allowed }: TaskRowView): Span {
  if (attempts === 0) return span("dim", "-");
  const allowed = attempts_allowed === null ? "" : `/${shortCount(attempts_allowed)}`;
  return span(attempts > 1 ? "delayed" : "plain", `${shortCount(attempts)}${allowed}`);
}

/** Of a running task so far; of a settled one what its last attempt took. */
function timeOf({ running_seconds, run_seconds }: TaskRowView): Span {
  const seconds = running_seconds ?? run_seconds;
  return seconds === null ? span("dim", "-") : plain(shortSeconds(seconds));
}
