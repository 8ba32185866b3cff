/** The installation in figures beside the chart: slots, memory, queue, times, totals, and why nothing runs. */
import type { OverviewView } from "../../../runtime/protocol/monitor-views.ts";
import { inert } from "../../text/cells.ts";
import { wrapWords } from "../../text/wrap.ts";
import type { Theme } from "../../theme/theme.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, fittingPieces, paintRow, piece, plain, span } from "../../widgets/spans.ts";
import type { Size } from "../pane.ts";
import {
  etaOfAll,
  jobStates,
  memoryBar,
  queueLine,
  runTimes,
  slotBar,
  slowestTask,
  totals,
  waiting,
  workerStates,
} from "./figures.ts";

export function fleetPane(body: OverviewView, { width, height }: Size, theme: Theme): string[] {
  const inner = Math.max(0, width - 1);
  const inside = (row: string) => ` ${row}`;
  const line = (pieces: Parameters<typeof fittingPieces>[1]) =>
    inside(paintRow(theme, inner, fittingPieces(inner, pieces)));
  const title = ruleTitle(
    { number: null, title: "FLEET", isActive: false, notes: [], end: "" },
    width,
    theme,
  );
  const essential = [
    title,
    inside(slotBar(body, inner, theme)),
    inside(memoryBar(body, inner, theme)),
    inside(queueLine(body, inner, theme)),
    line([
      piece(1, ...runTimes(body)),
      piece(2, ...slowestTask(body)),
      piece(0, ...etaOfAll(body)),
    ]),
    line([totals(body), waiting(body)]),
  ];
  const more = [
    ...whyRows(body, inner, theme).map(inside),
    line([[span("dim", "JOBS")], ...jobStates(body)]),
    line([[span("dim", "WORKERS")], ...workerStates(body)]),
  ];
  return fitRows([...essential, ...more], width, height);
}

/** What keeps work from being done, and what to type; nothing where all is well. */
export function whyRows({ why }: OverviewView, width: number, theme: Theme): string[] {
  if (why === null) return [];
  const { ascii } = theme;
  const sentence = wrapWords(inert(why.sentence, { ascii }), width);
  const hint = why.hint === null ? [] : wrapWords(inert(why.hint, { ascii }), width - 2);
  return [
    ...sentence.map((text) => paintRow(theme, width, [span("warning", text)])),
    ...hint.map((text) => paintRow(theme, width, [plain("  "), span("strong", text)])),
  ];
}
