/**
 * The figures of the whole installation as pieces of text: tasks a second, the queue, failures, slots and
 * memory. The layouts decide which of them stand where.
 */
import type { OverviewView } from "../../../runtime/protocol/monitor-views.ts";
import { fitCells } from "../../text/cells.ts";
import {
  shortBytes,
  shortCount,
  shortEstimate,
  shortPercent,
  shortRate,
  shortSeconds,
  wholePercent,
} from "../../text/fixed.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { bar } from "../../widgets/bar.ts";
import { paintRow, plain, type Span, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";

type Spans = readonly Span[];

const labelled = (label: string, text: string, style: Style = "plain"): Spans => [
  span("dim", `${label} `),
  span(style, text),
];

export const rateNow = ({ rate }: OverviewView): Spans => [span("strong", shortRate(rate.now))];

export const rateAverage = ({ rate }: OverviewView): Spans =>
  labelled("avg", shortRate(rate.average));

export const ratePeak = ({ rate }: OverviewView): Spans => labelled("peak", shortRate(rate.peak));

export const queueDepth = ({ queue }: OverviewView): Spans => [
  ...labelled("QUEUE", shortCount(queue.depth), "queued"),
  ...queueTrend(queue.trend),
];

/** A sign, for a queue that grows looks otherwise like one that shrinks: `+12/s`, `-412/s`. */
function queueTrend(trend: number | null): Spans {
  if (trend === null || !Number.isFinite(trend)) return [];
  const rate = shortRate(Math.abs(trend));
  if (rate === "0") return [span("dim", " =")];
  return [span(trend > 0 ? "warning" : "good", ` ${trend > 0 ? "+" : "-"}${rate}/s`)];
}

export const failedShare = ({ failed_percent }: OverviewView): Spans =>
  labelled("FAIL", shortPercent(failed_percent), failed_percent ? "failed" : "plain");

export const etaOfAll = ({ eta_seconds }: OverviewView): Spans =>
  labelled("ETA", shortEstimate(eta_seconds));

export const runTimes = ({ run }: OverviewView): Spans =>
  labelled("RUN", `p50 ${shortSeconds(run.p50)}  p95 ${shortSeconds(run.p95)}`);

export const slowestTask = ({ run }: OverviewView): Spans =>
  run.max === null ? [] : labelled("max", `${shortSeconds(run.max)} (${run.max_task_id ?? "?"})`);

export const totals = ({ foreman }: OverviewView): Spans => [
  ...labelled("DONE", shortCount(foreman.completed_tasks), "completed"),
  plain("  "),
  ...labelled(
    "FAILED",
    shortCount(foreman.failed_tasks),
    foreman.failed_tasks > 0 ? "failed" : "plain",
  ),
];

/** Tasks that wait for something else than a slot. */
export function waiting({ queue }: OverviewView): Spans {
  const parts = [
    queue.delayed > 0 ? `${shortCount(queue.delayed)} delayed` : "",
    queue.blocked > 0 ? `${shortCount(queue.blocked)} blocked` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? [] : labelled("WAIT", parts.join(", "), "delayed");
}

/** `up 11  draining 1  lost 0`: those that matter, and all that there are. */
export function workerStates({ worker_states: states }: OverviewView): readonly Spans[] {
  const shown: readonly (readonly [keyof typeof states, Style])[] = [
    ["up", "good"],
    ["lost", "lost"],
    ["set aside", "failed"],
    ["draining", "delayed"],
    ["paused", "paused"],
    ["gone", "dim"],
  ];
  return shown
    .filter(([state]) => states[state] > 0 || state === "up" || state === "lost")
    .map(([state, style]) => [
      span("dim", `${state} `),
      span(states[state] > 0 ? style : "dim", shortCount(states[state])),
    ]);
}

/** `1 running  1 paused  1 failed` of the jobs. */
export function jobStates({ job_states: states }: OverviewView): readonly Spans[] {
  const shown: readonly (readonly [keyof typeof states, Style])[] = [
    ["running", "running"],
    ["failed", "failed"],
    ["paused", "paused"],
    ["queued", "queued"],
    ["completed", "completed"],
    ["cancelled", "cancelled"],
  ];
  return shown
    .filter(([state]) => states[state] > 0)
    .map(([state, style]) => [span("dim", `${state} `), span(style, shortCount(states[state]))]);
}

/** `SLOTS 372/384 ████████▎░ 97%` in exactly `width` cells. */
export function slotBar(body: OverviewView, width: number, theme: Theme): string {
  const { busy, total } = body.slots;
  const label = fitCells(`SLOTS ${shortCount(busy)}/${shortCount(total)}`, LABEL_CELLS);
  return figureBar(label, total === 0 ? null : busy / total, "running", width, theme);
}

export function memoryBar(body: OverviewView, width: number, theme: Theme): string {
  const { used_bytes: used, total_bytes: total } = body.memory;
  const label = fitCells(`MEM ${shortBytes(used)}/${shortBytes(total)}`, LABEL_CELLS);
  return figureBar(label, total === 0 ? null : used / total, "chart", width, theme);
}

export function queueLine(body: OverviewView, width: number, theme: Theme): string {
  const label = fitCells(`QUEUE ${shortCount(body.queue.depth)}`, LABEL_CELLS);
  const trend = queueTrend(body.queue.trend);
  const room = Math.max(0, width - LABEL_CELLS - 1 - TREND_CELLS);
  return paintRow(theme, width, [
    plain(`${label} `),
    sparkline(body.queue.recent, room, theme),
    ...trend,
  ]);
}

const LABEL_CELLS = 15;
const TREND_CELLS = 9;
const PERCENT_CELLS = 5;

/** `share` null: there is nothing to have a share of. */
function figureBar(
  label: string,
  share: number | null,
  style: Style,
  width: number,
  theme: Theme,
): string {
  const room = Math.max(0, width - label.length - 1 - PERCENT_CELLS);
  const percent = wholePercent(share === null ? null : Math.floor(share * 100));
  return paintRow(theme, width, [
    plain(`${label} `),
    ...bar(share ?? 0, room, style, theme),
    span(share === null ? "dim" : "plain", fitCells(percent, PERCENT_CELLS, "right")),
  ]);
}
