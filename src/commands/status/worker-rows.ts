/** The live status of `cc worker`: whom it works for, what its slots do, what runs and for how long. Pure. */
import type { StatusTask, WorkerStatus } from "../../runtime/worker/activity/worker-status.ts";
import { fitCells, fitName } from "../../tui/text/cells.ts";
import { shortCount, wholePercent, wholeSeconds } from "../../tui/text/fixed.ts";
import type { Style } from "../../tui/theme/theme.ts";
import { plain, type Span, span } from "../../tui/widgets/spans.ts";
import {
  fieldRow,
  fieldRows,
  finishRows,
  foreign,
  heading,
  indent,
  isWide,
  type StatusLook,
  sentence,
  slotField,
} from "./status-rows.ts";

export interface WorkerPlace {
  readonly workerId: string;
  /** As a person wrote it. */
  readonly foreman: string;
}

/** However many slots there are: the status must not crowd out the log. */
export const TASK_ROWS_MAX = 6;
const NAME_CELLS_MAX = 40;
const NAME_CELLS_MIN = 6;
const TIME_CELLS = 7;

export function workerRows(
  status: WorkerStatus,
  { workerId, foreman }: WorkerPlace,
  look: StatusLook,
): string[] {
  const { style, word } = stateOf(status);
  const facts = [
    span(style, word),
    span("accent", foreign(workerId, look)),
    span("dim", foreign(foreman, look)),
  ];
  const rows: (readonly Span[])[] = [
    heading("cc worker", facts, look),
    ...figureRows(status, look),
    ...(status.trouble === null || status.mode !== "working"
      ? []
      : [sentence("warning", `takes no new tasks: ${status.trouble}`, look)]),
    ...taskRows(status, look),
  ];
  return finishRows(rows, look);
}

function stateOf({ mode, connection, trouble }: WorkerStatus): {
  readonly style: Style;
  readonly word: string;
} {
  if (mode === "draining") return { style: "delayed", word: "draining" };
  if (mode !== "working") return { style: "delayed", word: "ending" };
  if (connection !== "connected") return { style: "lost", word: connection };
  return trouble === null ? { style: "good", word: "up" } : { style: "warning", word: "waits" };
}

function figureRows(status: WorkerStatus, look: StatusLook): Span[][] {
  const { slots, waiting, done, failed, cpuPercent, memoryPercent } = status;
  const slotSpans = slotField(slots, look);
  const counts = [
    { label: "done", value: shortCount(done) },
    {
      label: "failed",
      value: shortCount(failed),
      style: failed > 0 ? ("failed" as const) : ("plain" as const),
    },
  ];
  const machine = [
    { label: "waiting", value: shortCount(waiting) },
    { label: "cpu", value: wholePercent(cpuPercent) },
    { label: "memory", value: wholePercent(memoryPercent) },
  ];
  if (!isWide(look)) {
    return [[indent(), ...slotSpans], fieldRow(counts), ...fieldRows(machine, look)];
  }
  const [ready, ...load] = machine;
  const second = [...(ready ? [{ ...ready, columns: 2 }] : []), ...load];
  return [[indent(), ...slotSpans, ...fieldRow(counts).slice(1)], fieldRow(second)];
}

function taskRows({ tasks, moreTasks }: WorkerStatus, look: StatusLook): Span[][] {
  const shown = tasks.slice(0, TASK_ROWS_MAX);
  const more = moreTasks + tasks.length - shown.length;
  const idCells = Math.max(0, ...shown.map(({ taskId }) => taskId.length));
  const room = look.columns - 1 - idCells - TIME_CELLS - "    ".length;
  const longest = Math.max(NAME_CELLS_MIN, ...shown.map(({ jobName }) => jobName.length));
  const nameCells = Math.max(0, Math.min(room, NAME_CELLS_MAX, longest));
  const rows = shown.map((task) => taskRow(task, idCells, nameCells, look));
  if (more > 0) rows.push(sentence("dim", `and ${shortCount(more)} more`, look));
  return rows;
}

function taskRow(
  { taskId, jobName, runningMs }: StatusTask,
  idCells: number,
  nameCells: number,
  look: StatusLook,
): Span[] {
  return [
    indent(),
    span("running", fitCells(taskId, idCells)),
    plain("  "),
    plain(fitName(foreign(jobName, look), nameCells)),
    plain(fitCells(wholeSeconds(runningMs / 1000), TIME_CELLS, "right")),
  ];
}
