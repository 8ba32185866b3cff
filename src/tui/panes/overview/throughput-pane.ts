/** Tasks settled a second over time, with its scale and how far it reaches back; failures below where there is room. */
import type { OverviewView } from "../../../runtime/protocol/monitor-views.ts";
import type { Theme } from "../../theme/theme.ts";
import { type ChartShape, SCALE_CELLS, scaledChart, timeAxis } from "../../widgets/chart.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fitRows, paintRow, plain, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";
import type { Size } from "../pane.ts";
import { axisLabels, type TimeSpan } from "../time-span.ts";
import { failedShare, rateAverage, rateNow, ratePeak } from "./figures.ts";

/** Title, chart, time axis and failures: `height` rows. */
export function throughputPane(
  body: OverviewView,
  { width, height }: Size,
  time: TimeSpan,
  theme: Theme,
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
        failedShare(body),
      ],
      end: "",
    },
    width,
    theme,
  );
  const chartRows = Math.max(1, height - 3);
  return fitRows(
    [
      title,
      ...throughputChart(body, { width, height: chartRows }, theme),
      paintRow(theme, width, [
        plain(" ".repeat(SCALE_CELLS)),
        ...timeAxis(width - SCALE_CELLS, axisLabels(time)),
      ]),
      failureLine(body, width, theme),
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

const FAILURE_LABEL = "failed/s";

function failureLine(body: OverviewView, width: number, theme: Theme): string {
  const room = Math.max(0, width - FAILURE_LABEL.length - 2);
  const hasAny = body.failures.values.some((value) => value !== null && value > 0);
  return paintRow(theme, width, [
    span("dim", ` ${FAILURE_LABEL} `),
    sparkline(body.failures.values, room, theme, { style: hasAny ? "chart2" : "track" }),
  ]);
}
