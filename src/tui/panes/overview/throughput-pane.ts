/** Tasks settled a second over time, with its scale and how far it reaches back; failures below where there is room. */
import type { OverviewView } from "../../../runtime/protocol/monitor-views.ts";
import { fitCells } from "../../text/cells.ts";
import type { Theme } from "../../theme/theme.ts";
import { type ChartShape, SCALE_CELLS, scaledChart, timeAxis } from "../../widgets/chart.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, paintRow, plain, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";
import type { Size } from "../pane.ts";
import { axisLabels, type TimeSpan } from "../time-span.ts";
import { failedShare, rateAverage, rateNow, ratePeak } from "./figures.ts";

/** Title, chart, time axis and, unless they have a pane of their own, failures: `height` rows. */
export function throughputPane(
  body: OverviewView,
  { width, height }: Size,
  time: TimeSpan,
  theme: Theme,
  hasFailures = true,
): string[] {
  const title = ruleTitle(
    {
      number: null,
      title: "THROUGHPUT tasks/s",
      isActive: false,
      notes: [
        [span("dim", "now "), ...rateNow(body)],
        rateAverage(body),
        ratePeak(body),
        ...(hasFailures ? [failedShare(body)] : []),
      ],
      end: "",
    },
    width,
    theme,
  );
  const chartRows = Math.max(1, height - (hasFailures ? 3 : 2));
  return fitRows(
    [
      title,
      ...throughputChart(body, { width, height: chartRows }, theme),
      axisRow(width, time, theme),
      ...(hasFailures ? [failureLine(body, width, theme)] : []),
    ],
    width,
    height,
  );
}

/** The chart alone, with its scale. */
export function throughputChart(body: OverviewView, shape: ChartShape, theme: Theme): string[] {
  return scaledChart(body.throughput.values, shape, theme).map((row) =>
    paintRow(theme, shape.width, row),
  );
}

const FAILURE_LABEL = "fail";

function failureLine(body: OverviewView, width: number, theme: Theme): string {
  const hasAny = body.failures.values.some((value) => value !== null && value > 0);
  return paintRow(theme, width, [
    span("dim", fitCells(FAILURE_LABEL, SCALE_CELLS)),
    sparkline(body.failures.values, Math.max(0, width - SCALE_CELLS), theme, {
      style: hasAny ? "chart2" : "track",
      stretches: true,
    }),
  ]);
}

/** Failed attempts a second over time, beside the throughput where there is room for it. */
export function failurePane(
  body: OverviewView,
  { width, height }: Size,
  time: TimeSpan,
  theme: Theme,
): string[] {
  const title = ruleTitle(
    {
      number: null,
      title: "FAILURES a second",
      isActive: false,
      notes: [failedShare(body)],
      end: "",
    },
    width,
    theme,
  );
  const shape = { width, height: Math.max(1, height - 2), style: "chart2" } as const;
  const rows = scaledChart(body.failures.values, shape, theme);
  return fitRows(
    [title, ...rows.map((row) => paintRow(theme, width, row)), axisRow(width, time, theme)],
    width,
    height,
  );
}

const axisRow = (width: number, time: TimeSpan, theme: Theme): string =>
  paintRow(theme, width, [
    plain(" ".repeat(SCALE_CELLS)),
    ...timeAxis(Math.max(0, width - SCALE_CELLS), axisLabels(time)),
  ]);
