/** A job's rate over time, where a screen has room for a third column. */
import type { JobMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import { shortRate } from "../../text/fixed.ts";
import type { Theme } from "../../theme/theme.ts";
import { scaledChart } from "../../widgets/chart.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { paintRow, plain, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";

export function rateTitle({ rate }: JobMonitorView, width: number, theme: Theme): string {
  const now = [span("strong", `now ${shortRate(rate.now)}`)];
  const others = [plain(`avg ${shortRate(rate.average)}  peak ${shortRate(rate.peak)}`)];
  return ruleTitle(
    { number: null, title: "TASKS/S", isActive: false, notes: [now, others], end: "" },
    width,
    theme,
  );
}

/** The last row is what failed meanwhile. */
export function rateChart(
  { throughput, failures }: JobMonitorView,
  width: number,
  height: number,
  theme: Theme,
): string[] {
  const rows = scaledChart(throughput.values, { width, height: height - 1 }, theme);
  const label = " fail";
  const failed = sparkline(failures.values, width - label.length, theme, { style: "failed" });
  return [...rows, [span("dim", label), failed]].map((spans) => paintRow(theme, width, spans));
}
