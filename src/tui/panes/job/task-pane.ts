/** The tasks of a job that the filter lets through: state, attempt, worker, time and what went wrong. */
import type { JobMonitorView, TaskRowView } from "../../../runtime/protocol/monitor-views.ts";
import { fitName, inert } from "../../text/cells.ts";
import { shortCount, shortSeconds } from "../../text/fixed.ts";
import { taskLook } from "../../theme/states.ts";
import type { Theme } from "../../theme/theme.ts";
import { type ListPane, listPane } from "../../widgets/list-pane.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import type { Column } from "../../widgets/table-columns.ts";
import type { Size } from "../pane.ts";
import type { PaneState } from "./error-pane.ts";
import { failureText } from "./error-words.ts";

export function taskPane(
  body: JobMonitorView,
  state: PaneState & Pick<ListPane<TaskRowView>, "hasHeader" | "unmatched">,
  size: Size,
  theme: Theme,
): string[] {
  return listPane(
    {
      ...state,
      title: "TASKS",
      notes: [],
      window: body.tasks,
      columns: columnsFor(body, size.width, theme),
      empty: [body.job.inputs_open ? "no inputs have arrived yet" : "the job has no tasks"],
    },
    size,
    theme,
  );
}

function columnsFor(
  { tasks }: JobMonitorView,
  width: number,
  { ascii }: Theme,
): readonly Column<TaskRowView>[] {
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
    ...(width < BOTH_WIDTH_MIN ? [inputOrError(ascii)] : [inputColumn(ascii), errorColumn(ascii)]),
  ];
}

/** From here on what a task was given and what went wrong have a column each. */
const BOTH_WIDTH_MIN = 100;

const inputOrError = (ascii: boolean): Column<TaskRowView> => ({
  key: "error",
  title: " INPUT or ERROR",
  width: 12,
  priority: 1,
  grow: 5,
  draw: (task) => (task.error === null ? inputOf(task, ascii) : errorOf(task, ascii)),
});

const inputColumn = (ascii: boolean): Column<TaskRowView> => ({
  key: "input",
  title: " INPUT",
  width: 16,
  priority: 3,
  grow: 2,
  widthMax: 60,
  draw: (task) => inputOf(task, ascii),
});

const errorColumn = (ascii: boolean): Column<TaskRowView> => ({
  key: "error",
  title: " ERROR",
  width: 20,
  priority: 1,
  grow: 4,
  draw: (task) => errorOf(task, ascii),
});

/** A blank more than between other columns, since the one before is right-aligned. */
const inputOf = ({ input }: TaskRowView, ascii: boolean): Span =>
  plain(input === undefined ? "" : ` ${inert(input, { ascii })}`);

const errorOf = ({ error, state }: TaskRowView, ascii: boolean): Span =>
  span(
    state === "failed" ? "failed" : "dim",
    error === null ? "" : ` ${inert(failureText(error), { ascii })}`,
  );

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
