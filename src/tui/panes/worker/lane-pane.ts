/** What each slot did over the last minute; slots without room for a lane of their own share one. */
import type { WorkerMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import { fitName, inert } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { LANE_LABEL_CELLS, laneRow, letterStyle, restOfLanes } from "../../widgets/lanes.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import {
  fitRows,
  fittingPieces,
  paintEnds,
  paintRow,
  type Span,
  span,
} from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";

export interface LanePaneState {
  /** The key that goes there; null: printed, without keys. */
  readonly number: number | null;
  readonly isActive: boolean;
  readonly isZoomed: boolean;
}

/** Title, lanes, the rest in one line, and the legend: `height` rows. */
export function lanePane(
  body: WorkerMonitorView,
  { width, height }: Size,
  { number, isActive, isZoomed }: LanePaneState,
  theme: Theme,
): string[] {
  if (height <= 0) return [];
  const { lanes } = body;
  const title = ruleTitle(
    {
      number,
      title: `SLOTS ${lanes.length}`,
      isActive,
      notes: [
        [span("dim", "a column a second")],
        [span("dim", "letter = job")],
        [span("failed", "!"), span("dim", " failure")],
        [span("dim", "blank = idle")],
      ],
      end: isZoomed ? "" : "z all lanes",
    },
    width,
    theme,
  );
  const room = Math.max(0, height - 2);
  const own = lanes.length <= room ? lanes.length : Math.max(0, room - 1);
  const rows = lanes.slice(0, own).map((lane) => paintRow(theme, width, laneRow(lane, width)));
  if (own < lanes.length)
    rows.push(paintRow(theme, width, restOfLanes(lanes.slice(own), width, theme)));
  return fitRows([title, ...rows, legend(body, width, theme)], width, height);
}

const JOB_NAME_CELLS = 24;

/** `a 17 render-frames   b 19 thumbs`, and how far back the lanes go. */
function legend({ lanes, lane_jobs }: WorkerMonitorView, width: number, theme: Theme): string {
  const seconds = Math.min(
    width - LANE_LABEL_CELLS,
    Math.max(0, ...lanes.map(({ lane }) => lane.length)),
  );
  const scale = [span("dim", lanes.length === 0 ? "" : `-${seconds}s ... now`)];
  const jobs = Object.entries(lane_jobs).map(([letter, { job_id, name }]): readonly Span[] => [
    span(letterStyle(letter), letter),
    span(
      "dim",
      ` = ${job_id} ${fitName(inert(name, { ascii: theme.ascii }), JOB_NAME_CELLS).trimEnd()}`,
    ),
  ]);
  const room = Math.max(0, width - 18);
  return paintEnds(theme, width, [span("dim", "  "), ...fittingPieces(room, jobs, 3)], scale);
}
