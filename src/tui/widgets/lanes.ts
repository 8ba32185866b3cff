/**
 * What each slot of a worker did over time: a lane a slot, a cell a second, a letter a job, `!` a failure.
 * Slots that have no lane of their own share one that says how busy they are.
 */
import type { LaneView } from "../../runtime/protocol/monitor-views.ts";
import { fitCells } from "../text/cells.ts";
import type { Style, Theme } from "../theme/theme.ts";
import { plain, type Span, span } from "./spans.ts";
import { sparkline } from "./sparkline.ts";

/** For the numbers of slots, at the left. */
export const LANE_LABEL_CELLS = 4;

/** Jobs of one worker are told apart by letter; colours repeat. */
const JOB_STYLES: readonly Style[] = ["running", "completed", "delayed", "accent"];

/** One lane of exactly `width` cells, now at its right edge. */
export function laneRow(lane: LaneView, width: number): readonly Span[] {
  const shown = lane.lane.slice(-Math.max(0, width - LANE_LABEL_CELLS));
  const blank = Math.max(0, width - LANE_LABEL_CELLS - shown.length);
  return [
    span("dim", `${fitCells(String(lane.slot), LANE_LABEL_CELLS - 1, "right")} `),
    plain(" ".repeat(blank)),
    ...laneRuns(shown),
  ];
}

/** One span for each run of the same letter. */
function laneRuns(lane: string): readonly Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < lane.length; ) {
    const letter = lane[from] ?? ".";
    let to = from + 1;
    while (to < lane.length && lane[to] === letter) to += 1;
    spans.push(span(letterStyle(letter), (letter === "." ? " " : letter).repeat(to - from)));
    from = to;
  }
  return spans;
}

export function letterStyle(letter: string): Style {
  if (letter === "!") return "failed";
  if (letter === ".") return "plain";
  return JOB_STYLES[letter.toLowerCase().charCodeAt(0) % JOB_STYLES.length] ?? "running";
}

/** `4-31 busy 98% ▇█▇…`: the slots that have no lane of their own. */
export function restOfLanes(
  lanes: readonly LaneView[],
  width: number,
  theme: Theme,
): readonly Span[] {
  const first = lanes[0]?.slot ?? 0;
  const last = lanes.at(-1)?.slot ?? 0;
  const shares = busyShares(lanes);
  const busy = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  const label = `${first === last ? first : `${first}-${last}`} busy ${Math.round(busy * 100)}% `;
  const room = Math.max(0, width - label.length - 1);
  return [
    span("dim", ` ${label}`),
    sparkline(shares.slice(-room), room, theme, { style: "running", scale: 1 }),
  ];
}

/** Of each second, the oldest first. */
function busyShares(lanes: readonly LaneView[]): readonly number[] {
  const length = Math.max(0, ...lanes.map(({ lane }) => lane.length));
  return Array.from({ length }, (_, second) => {
    const busy = lanes.filter(({ lane }) => (lane[lane.length - length + second] ?? ".") !== ".");
    return busy.length / lanes.length;
  });
}
