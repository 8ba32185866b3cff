/** The columns of workers: what each offers, how busy it is, and whether it is well. */
import type { WorkerRowView } from "../../../runtime/protocol/monitor-views.ts";
import { fitCells, fitName, inert } from "../../text/cells.ts";
import { shortCount, shortRate, shortSeconds, UNKNOWN, wholePercent } from "../../text/fixed.ts";
import { workerStyle } from "../../theme/states.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { bar } from "../../widgets/bar.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";
import type { Column } from "../../widgets/table-columns.ts";

/** From here on a machine's load or memory is worth a look. */
const HIGH_MEMORY_PERCENT = 85;
/** A worker that has not been heard of for so long is about to be lost. */
const LATE_HEARTBEAT_SECONDS = 5;

export const WORKER_COLUMNS: readonly Column<WorkerRowView>[] = [
  {
    key: "name",
    title: "NAME",
    width: 6,
    ideal: 8,
    priority: 0,
    grow: 3,
    widthMax: 28,
    isPinned: true,
    draw: ({ worker_id }, width, { ascii }) => plain(fitName(inert(worker_id, { ascii }), width)),
  },
  {
    key: "host",
    title: "HOST",
    width: 12,
    priority: 9,
    grow: 2,
    widthMax: 24,
    draw: ({ host }, width, { ascii }) => span("dim", fitName(inert(host, { ascii }), width)),
  },
  {
    key: "state",
    title: "STATE",
    width: 9,
    priority: 1,
    draw: ({ state }) => span(workerStyle(state), state),
  },
  {
    key: "slots",
    title: "SLOTS",
    width: 11,
    ideal: 18,
    priority: 0,
    grow: 3,
    widthMax: 24,
    draw: ({ busy_slots, slots }, width, theme) =>
      barAndText(
        slots === 0 ? 0 : busy_slots / slots,
        slotText(busy_slots, slots),
        width,
        "running",
        theme,
      ),
  },
  {
    key: "cpu",
    title: "CPU",
    width: 9,
    ideal: 12,
    priority: 3,
    grow: 2,
    widthMax: 16,
    draw: ({ cpu_percent }, width, theme) => percentBar(cpu_percent, width, "chart", theme),
  },
  {
    key: "memory",
    title: "MEM",
    width: 9,
    ideal: 12,
    priority: 3,
    grow: 2,
    widthMax: 16,
    draw: ({ memory_percent }, width, theme) =>
      percentBar(memory_percent, width, isHigh(memory_percent) ? "warning" : "chart", theme),
  },
  {
    key: "rate",
    title: "TASK/S",
    width: 6,
    priority: 4,
    align: "right",
    draw: ({ tasks_per_second }) => figure(shortRate(tasks_per_second)),
  },
  {
    key: "recent",
    title: "LAST 60s",
    width: 12,
    priority: 10,
    draw: ({ recent }, width, theme) => sparkline(recent, width, theme),
  },
  {
    key: "done",
    title: "DONE",
    width: 5,
    priority: 11,
    align: "right",
    draw: ({ completed }) => figure(shortCount(completed)),
  },
  {
    key: "failed",
    title: "FAIL",
    width: 5,
    priority: 2,
    align: "right",
    draw: ({ failed }) => span(failed === 0 ? "dim" : "failed", shortCount(failed)),
  },
  {
    key: "heartbeat",
    title: "HB",
    width: 5,
    priority: 5,
    align: "right",
    draw: ({ heartbeat_age_seconds: age }) =>
      age !== null && age >= LATE_HEARTBEAT_SECONDS
        ? span("warning", shortSeconds(age))
        : figure(age === null ? UNKNOWN : `${age.toFixed(1)}s`),
  },
  {
    key: "version",
    title: "VERSION",
    width: 8,
    priority: 13,
    draw: ({ version }, width, { ascii }) =>
      span("dim", fitCells(inert(version, { ascii }), width)),
  },
  {
    key: "jobs",
    title: "JOBS",
    width: 5,
    priority: 6,
    grow: 1,
    widthMax: 20,
    draw: ({ jobs, reason }, width, { ascii }) =>
      reason === null
        ? plain(jobs.join(","))
        : span("warning", width >= 12 ? inert(reason, { ascii }) : jobs.join(",")),
  },
];

const isHigh = (percent: number | null) => percent !== null && percent >= HIGH_MEMORY_PERCENT;

const figure = (text: string): Span =>
  text === UNKNOWN || text === "0" ? span("dim", text) : plain(text);

const SLOT_TEXT_CELLS = 7;
const slotText = (busy: number, slots: number) =>
  fitCells(`${shortCount(busy)}/${shortCount(slots)}`, SLOT_TEXT_CELLS, "right");

function barAndText(
  share: number,
  text: string,
  width: number,
  style: Style,
  theme: Theme,
): readonly Span[] {
  const room = width - text.length;
  return room < 2 ? [plain(text)] : [...bar(share, room, style, theme), plain(text)];
}

function percentBar(
  percent: number | null,
  width: number,
  style: Style,
  theme: Theme,
): readonly Span[] {
  const text = fitCells(wholePercent(percent), 4, "right");
  if (percent === null) return [span("dim", fitCells(text, width, "right"))];
  const spans = barAndText(percent / 100, text, width, style, theme);
  return style === "warning"
    ? spans.map((each) => (each.text === text ? span("warning", text) : each))
    : spans;
}
