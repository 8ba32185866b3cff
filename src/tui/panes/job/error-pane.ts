/** The groups of a job's errors: how many, what, on which workers, when last, and which tasks to look at. */
import type {
  ErrorGroupRowView,
  JobMonitorView,
  WindowView,
} from "../../../runtime/protocol/monitor-views.ts";
import { formatExactCount, formatPlural } from "../../text/amounts.ts";
import { inert } from "../../text/cells.ts";
import { clockMinutes, shortCount } from "../../text/fixed.ts";
import type { Theme } from "../../theme/theme.ts";
import { type ListPane, listPane } from "../../widgets/list-pane.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import type { Column } from "../../widgets/table-columns.ts";
import type { Size } from "../pane.ts";
import { failureText, taskNumbers, workerShare } from "./error-words.ts";

/** How the list is looked at. */
export type PaneState = Pick<ListPane<unknown>, "number" | "list" | "isActive" | "columnsFrom">;

/** A title and a row a group, without a header: the columns speak for themselves. */
export function errorPane(
  body: JobMonitorView,
  state: PaneState,
  size: Size,
  theme: Theme,
): string[] {
  return listPane(
    {
      ...state,
      title: "ERROR GROUPS",
      notes: notesOf(body),
      window: wholeWindow(body.errors),
      columns: columnsFor(theme),
      empty: [body.counts.failed === 0 ? "no task has failed" : "the failures are not grouped yet"],
      hasHeader: false,
    },
    size,
    theme,
  );
}

/** Groups are kept of so many failures; beyond that only their number grows. */
function notesOf({ errors, failures_grouped, counts }: JobMonitorView): readonly Span[][] {
  if (errors.length === 0) return [];
  const failures = errors.reduce((sum, { count }) => sum + count, 0);
  const notes = [[plain(formatPlural(failures, "failure"))]];
  if (failures_grouped < counts.failed)
    notes.push([span("dim", `of the first ${formatExactCount(failures_grouped)}`)]);
  return notes;
}

const wholeWindow = (errors: readonly ErrorGroupRowView[]): WindowView<ErrorGroupRowView> => ({
  total: errors.length,
  matching: errors.length,
  from: 0,
  order: errors.map(({ group_id }) => group_id),
  rows: Object.fromEntries(errors.map((group) => [group.group_id, group])),
  anchor_at: null,
});

function columnsFor({ ascii }: Theme): readonly Column<ErrorGroupRowView>[] {
  return [
    {
      key: "count",
      title: "",
      width: 6,
      priority: 0,
      align: "right",
      draw: ({ count }) => span("failed", `${shortCount(count)}x`),
    },
    {
      key: "what",
      title: "",
      width: 26,
      priority: 0,
      grow: 6,
      draw: (group) => plain(inert(failureText(group), { ascii })),
    },
    {
      key: "workers",
      title: "",
      width: 13,
      priority: 1,
      grow: 1,
      widthMax: 24,
      draw: (group) => span(isOfOneWorker(group) ? "warning" : "plain", sharesOf(group, ascii)),
    },
    {
      key: "last",
      title: "",
      width: 5,
      priority: 3,
      draw: ({ last_at }) => span("dim", last_at === null ? "" : clockMinutes(Date.parse(last_at))),
    },
    {
      key: "tasks",
      title: "",
      width: 14,
      priority: 2,
      grow: 1,
      widthMax: 40,
      draw: (group, width) => span("dim", inert(taskNumbers(group, width), { ascii })),
    },
    {
      key: "place",
      title: "",
      width: 16,
      priority: 9,
      grow: 1,
      widthMax: 30,
      draw: ({ place }) => span("dim", inert(place ?? "", { ascii })),
    },
  ];
}

const sharesOf = (group: ErrorGroupRowView, ascii: boolean) => inert(workerShare(group), { ascii });

/** One worker alone, and more than once: the machine may be the cause. */
const isOfOneWorker = ({ by_worker, count }: ErrorGroupRowView): boolean =>
  by_worker.length === 1 && count > 1;
