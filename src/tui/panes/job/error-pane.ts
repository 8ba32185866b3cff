/** The groups of a job's errors: how many, what, on which workers, when last, and which tasks to look at. */
import type { ErrorGroupRowView, JobMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ListState } from "../../navigation/view-state.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { inert } from "../../text/cells.ts";
import { clockMinutes, shortCount } from "../../text/fixed.ts";
import type { Theme } from "../../theme/theme.ts";
import { positionText, type ShownRows, shownRows } from "../../widgets/list-window.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import { table } from "../../widgets/table.ts";
import type { Column } from "../../widgets/table-columns.ts";
import { failureText, taskNumbers, workerShare } from "./error-words.ts";

export interface PaneState {
  readonly list: ListState;
  readonly isActive: boolean;
  /** The first column shown, of the pane with the cursor. */
  readonly columnsFrom: number;
}

export function errorTitle(
  body: JobMonitorView,
  width: number,
  height: number,
  state: PaneState,
  theme: Theme,
): string {
  const { errors } = body;
  const shown = shownGroups(body, state, height);
  return ruleTitle(
    {
      number: 2,
      title: `ERRORS ${howMany(body)}`,
      isActive: state.isActive,
      notes: notesOf(body),
      end: positionText(shown, errors.length),
    },
    width,
    theme,
  );
}

function howMany({ errors }: JobMonitorView): string {
  if (errors.length === 0) return "0";
  const failures = errors.reduce((sum, { count }) => sum + count, 0);
  return `${shortCount(failures)} in ${errors.length === 1 ? "1 group" : `${errors.length} groups`}`;
}

/** Groups are kept of so many failures; beyond that only their number grows. */
function notesOf({ failures_grouped, counts }: JobMonitorView): readonly (readonly Span[])[] {
  if (failures_grouped >= counts.failed) return [];
  return [[span("dim", `of the first ${formatExactCount(failures_grouped)} failures`)]];
}

/** The groups without a header, `height` rows. */
export function errorRows(
  body: JobMonitorView,
  width: number,
  height: number,
  state: PaneState,
  theme: Theme,
): string[] {
  const shown = shownGroups(body, state, height);
  const shape = {
    columns: columnsFor(theme),
    width,
    height: height + 1,
    rows: shown.rows,
    below: shown.below,
    selectedRow: cursorRow(shown, state),
    marked: state.list.marked,
    sort: null,
    columnsFrom: state.isActive ? state.columnsFrom : 0,
    empty: [body.counts.failed === 0 ? "no task has failed" : "the failures are not grouped yet"],
  };
  return table(shape, theme).slice(1);
}

/** The cursor is drawn where the navigation has put it, whatever row is there by now. */
export function cursorRow(shown: ShownRows<unknown>, { list, isActive }: PaneState): number | null {
  const at = list.selectedAt - shown.from;
  return isActive && at >= 0 && at < shown.rows.length ? at : null;
}

function shownGroups(
  { errors }: JobMonitorView,
  { list }: PaneState,
  height: number,
): ShownRows<ErrorGroupRowView> {
  const window = {
    total: errors.length,
    matching: errors.length,
    from: 0,
    order: errors.map(({ group_id }) => group_id),
    rows: Object.fromEntries(errors.map((group) => [group.group_id, group])),
    anchor_at: null,
  };
  return shownRows(window, list.top, height);
}

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
      width: 10,
      priority: 3,
      draw: ({ last_at }) =>
        span("dim", last_at === null ? "" : `last ${clockMinutes(Date.parse(last_at))}`),
    },
    {
      key: "tasks",
      title: "",
      width: 16,
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
