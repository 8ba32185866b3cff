/** A worker in figures: how loaded its machine is, how fast it works, and whether it is well. */
import type { SeriesView, WorkerMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import { fitCells, inert } from "../../text/cells.ts";
import { shortBytes, shortCount, shortRate, UNKNOWN, wholePercent } from "../../text/fixed.ts";
import { workerStyle } from "../../theme/states.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { chart, SCALE_CELLS, scaledChart, timeAxis } from "../../widgets/chart.ts";
import { sideBySide } from "../../widgets/compose.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import {
  fitRows,
  fittingPieces,
  paintRow,
  piece,
  plain,
  type Span,
  span,
} from "../../widgets/spans.ts";
import { axisLabels, type TimeSpan } from "../time-span.ts";

const HIGH_PERCENT = 85;

const percentText = (percent: number | null) => wholePercent(percent);

const loadStyle = (percent: number | null): Style =>
  percent !== null && percent >= HIGH_PERCENT ? "warning" : "strong";

/** `225G/256G`. */
function memoryText({ worker }: WorkerMonitorView): string {
  const { memory_bytes: total, memory_percent: percent } = worker;
  if (total === null) return "";
  const used = percent === null ? null : (total * percent) / 100;
  return `${shortBytes(used)}/${shortBytes(total)}`;
}

/** One line: CPU and MEM, each with a chart of one row. */
export function loadLine(body: WorkerMonitorView, width: number, theme: Theme): string {
  const { cpu_percent: cpu, memory_percent: memory } = body.worker;
  const end = ` ${memoryText(body)}${memory !== null && memory >= HIGH_PERCENT ? " !" : ""}`;
  const labels = `CPU ${fitCells(percentText(cpu), 4)} `.length * 2 + 3;
  const room = Math.max(0, Math.floor((width - labels - end.length) / 2));
  return paintRow(theme, width, [
    ...loadLabel("CPU", cpu),
    ...oneRow(body.cpu, room, theme),
    plain("   "),
    ...loadLabel("MEM", memory),
    ...oneRow(body.memory, room, theme),
    span(loadStyle(memory) === "warning" ? "warning" : "dim", end),
  ]);
}

const loadLabel = (label: string, percent: number | null): readonly Span[] => [
  span("dim", `${label} `),
  span(loadStyle(percent), fitCells(percentText(percent), 4)),
  plain(" "),
];

const oneRow = (series: SeriesView, width: number, theme: Theme): readonly Span[] =>
  chart(series.values, { width, height: 1, scale: 100 }, theme)[0] ?? [];

/** CPU, memory and tasks a second side by side, `height` rows with titles and time axis. */
export function loadCharts(
  body: WorkerMonitorView,
  { width, height }: { readonly width: number; readonly height: number },
  time: TimeSpan,
  theme: Theme,
): string[] {
  const third = Math.floor((width - 2) / 3);
  const last = width - 2 * third - 2;
  const { cpu_percent: cpu, memory_percent: memory, tasks_per_second: rate } = body.worker;
  const memoryNotes = [
    [span(loadStyle(memory), percentText(memory))],
    [span("dim", memoryText(body))],
  ];
  return sideBySide(
    [
      chartPane("CPU", [[span(loadStyle(cpu), percentText(cpu))]], body.cpu, third, 100),
      chartPane("MEMORY", memoryNotes, body.memory, third, 100),
      chartPane("TASKS/S", [[span("strong", shortRate(rate))]], body.throughput, last, null),
    ],
    height,
    theme,
  );

  function chartPane(
    title: string,
    notes: readonly (readonly Span[])[],
    series: SeriesView,
    paneWidth: number,
    scale: number | null,
  ): { rows: string[]; width: number } {
    const shape = { width: paneWidth, height: Math.max(1, height - 2) };
    const rows = scaledChart(series.values, scale === null ? shape : { ...shape, scale }, theme);
    return {
      width: paneWidth,
      rows: fitRows(
        [
          ruleTitle({ number: null, title, isActive: false, notes, end: "" }, paneWidth, theme),
          ...rows.map((row) => paintRow(theme, paneWidth, row)),
          paintRow(theme, paneWidth, [
            plain(" ".repeat(SCALE_CELLS)),
            ...timeAxis(Math.max(0, paneWidth - SCALE_CELLS), axisLabels(time)),
          ]),
        ],
        paneWidth,
        height,
      ),
    };
  }
}

/** State and figures in `height` lines. */
export function figureLines(
  body: WorkerMonitorView,
  { width, height }: { readonly width: number; readonly height: number },
  theme: Theme,
): string[] {
  const { ascii } = theme;
  const { worker } = body;
  const figures = fittingPieces(width, [
    piece(0, span(workerStyle(worker.state), worker.state), ...reasonOf(worker.reason, ascii)),
    piece(1, span("dim", "slots "), plain(`${worker.busy_slots}/${worker.slots}`)),
    piece(1, span("dim", "tasks/s "), plain(shortRate(worker.tasks_per_second))),
    piece(3, span("dim", "done "), span("completed", shortCount(worker.completed))),
    piece(2, span("dim", "failed "), failedCount(worker.failed)),
    piece(4, span("dim", "hb "), plain(ageText(worker.heartbeat_age_seconds))),
    piece(6, span("dim", "rtt "), plain(roundTripText(body.round_trip_ms))),
    piece(5, span("dim", "prefetch "), plain(shortCount(worker.prefetched))),
  ]);
  const offer = fittingPieces(width, [
    piece(0, span("dim", "queues "), plain(inert(worker.queues.join(","), { ascii }))),
    piece(1, span("dim", "memory "), plain(shortBytes(worker.memory_bytes))),
    piece(2, ...labelSpans(worker.labels, ascii)),
    piece(3, span("dim", "platform "), plain(inert(body.offer.platform, { ascii }))),
    piece(4, span("dim", "pid "), plain(String(body.offer.pid))),
    piece(5, span("dim", "late results "), plain(shortCount(worker.refused))),
  ]);
  return [paintRow(theme, width, figures), paintRow(theme, width, offer)].slice(0, height);
}

const failedCount = (count: number) => span(count === 0 ? "dim" : "failed", shortCount(count));

const reasonOf = (reason: string | null, ascii: boolean): readonly Span[] =>
  reason === null ? [] : [span("warning", ` (${inert(reason, { ascii })})`)];

const ageText = (seconds: number | null): string =>
  seconds === null ? UNKNOWN : `${seconds.toFixed(1)}s`;

const roundTripText = (milliseconds: number | null): string =>
  milliseconds === null
    ? UNKNOWN
    : `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)}ms`;

function labelSpans(labels: Readonly<Record<string, string>>, ascii: boolean): readonly Span[] {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0
    ? []
    : [span("dim", "labels "), plain(inert(pairs.join(" "), { ascii }))];
}
