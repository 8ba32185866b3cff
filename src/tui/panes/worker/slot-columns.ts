/** The columns of what runs on a worker now. */
import type { SlotTaskView } from "../../../runtime/protocol/monitor-views.ts";
import { fitCells, inert } from "../../text/cells.ts";
import { shortBytes, shortSeconds, UNKNOWN, wholePercent } from "../../text/fixed.ts";
import { plain, type Span, span } from "../../widgets/spans.ts";
import type { Column } from "../../widgets/table-columns.ts";

const figure = (text: string): Span => (text === UNKNOWN ? span("dim", text) : plain(text));

export const SLOT_COLUMNS: readonly Column<SlotTaskView>[] = [
  {
    key: "slot",
    title: "SLOT",
    width: 4,
    priority: 2,
    align: "right",
    isPinned: true,
    draw: ({ slot }) => plain(String(slot)),
  },
  {
    key: "job",
    title: "TASK",
    width: 12,
    priority: 0,
    isPinned: true,
    draw: ({ task_id }, width, { ascii }) => plain(fitCells(inert(task_id, { ascii }), width)),
  },
  {
    key: "attempt",
    title: "TRY",
    width: 3,
    priority: 4,
    align: "right",
    draw: ({ attempt }) => span(attempt > 1 ? "delayed" : "plain", String(attempt)),
  },
  {
    key: "time",
    title: "TIME",
    width: 6,
    priority: 0,
    align: "right",
    draw: ({ running_seconds }) => figure(shortSeconds(running_seconds)),
  },
  {
    key: "cpu",
    title: "CPU",
    width: 5,
    priority: 3,
    align: "right",
    draw: ({ cpu_percent }) => figure(wholePercent(cpu_percent)),
  },
  {
    key: "memory",
    title: "MEM",
    width: 5,
    priority: 3,
    align: "right",
    draw: ({ memory_bytes }) => figure(shortBytes(memory_bytes)),
  },
  {
    key: "what",
    title: "COMMAND",
    width: 10,
    priority: 1,
    grow: 1,
    draw: ({ what }, width, { ascii }) => plain(fitCells(inert(what, { ascii }), width)),
  },
];
