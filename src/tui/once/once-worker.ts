/** A worker as printed: its load, what its slots did, what they do now, and what failed there. */
import type { WorkerMonitorView } from "../../runtime/protocol/monitor-views.ts";
import { failurePane } from "../panes/worker/failure-pane.ts";
import { lanePane } from "../panes/worker/lane-pane.ts";
import { SLOT_COLUMNS } from "../panes/worker/slot-columns.ts";
import { figureLines, loadLine } from "../panes/worker/worker-summary.ts";
import type { Theme } from "../theme/theme.ts";
import { listPane } from "../widgets/list-pane.ts";
import { PRINTED, printedRows } from "./once-list.ts";

const FRAME_ROWS = 2;
/** Slots with a lane of their own; further ones share a line. */
const LANES_MAX = 16;
const ADVICE_ROWS_MAX = 3;
const LANES = { ...PRINTED, isZoomed: true } as const;

export function onceWorker(body: WorkerMonitorView, width: number, theme: Theme): string[] {
  const { lanes, tasks, recent_failures: failures, why } = body;
  // A worker tells of its slots while somebody looks; a first look may come before that.
  const laneRows = lanes.length <= LANES_MAX ? lanes.length : LANES_MAX + 1;
  const failureRows = 1 + Math.max(1, failures.length) + (why === null ? 0 : ADVICE_ROWS_MAX);
  return [
    loadLine(body, width, theme),
    ...figureLines(body, { width, height: 2 }, theme),
    ...(laneRows === 0
      ? []
      : lanePane(body, { width, height: FRAME_ROWS + laneRows }, LANES, theme)),
    ...listPane(
      {
        ...PRINTED,
        title: "TASKS",
        notes: [],
        window: tasks,
        columns: SLOT_COLUMNS,
        empty: ["nothing runs here now"],
      },
      { width, height: FRAME_ROWS + printedRows(tasks) },
      theme,
    ),
    ...failurePane(body, { width, height: failureRows }, PRINTED, theme),
  ];
}
