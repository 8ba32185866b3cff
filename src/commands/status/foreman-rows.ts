/** The live status of `cc foreman`: where it is, what waits, runs and is done, how fast, how to join. Pure. */
import type { ForemanStatus } from "../../runtime/foreman/views/foreman-status.ts";
import { shortCount, shortRate } from "../../tui/text/fixed.ts";
import { type Span, span } from "../../tui/widgets/spans.ts";
import { sparkline } from "../../tui/widgets/sparkline.ts";
import {
  cellsLeft,
  FIELD_CELLS,
  type Field,
  fieldRow,
  fieldRows,
  finishRows,
  foreign,
  heading,
  indent,
  isWide,
  labelled,
  padded,
  type StatusLook,
  sentence,
  slotField,
} from "./status-rows.ts";

export interface ForemanPlace {
  readonly url: string;
  /** What to type on another terminal. */
  readonly join: string;
}

export function foremanRows(
  status: ForemanStatus,
  { url, join }: ForemanPlace,
  look: StatusLook,
): string[] {
  const workers: Field = { label: "workers", value: shortCount(status.workers) };
  const jobs: Field = { label: "jobs", value: shortCount(status.jobs) };
  const slots = slotField(status.slots, look);
  const load = isWide(look)
    ? [[...fieldRow([workers]), ...slots, ...fieldRow([jobs]).slice(1)]]
    : [fieldRow([workers, jobs]), [indent(), ...slots]];
  const rows: (readonly Span[])[] = [
    heading("cc foreman", [span("accent", foreign(url, look))], look),
    ...fieldRows(taskFields(status), look),
    ...load,
    rateRow(status, look),
    joinRow(status, join, look),
  ];
  return finishRows(rows, look);
}

function taskFields({ queued, running, done, failed }: ForemanStatus): Field[] {
  return [
    { label: "queued", value: shortCount(queued) },
    { label: "running", value: shortCount(running), style: running > 0 ? "running" : "plain" },
    { label: "done", value: shortCount(done) },
    { label: "failed", value: shortCount(failed), style: failed > 0 ? "failed" : "plain" },
  ];
}

/** The last minute, the newest at the right. */
function rateRow({ tasksPerSecond, recent }: ForemanStatus, look: StatusLook): Span[] {
  const rate = labelled("tasks/s", span("plain", shortRate(tasksPerSecond ?? 0)));
  const row = [indent(), ...padded(rate, FIELD_CELLS)];
  const width = Math.min(cellsLeft(row, look), recent.length);
  return [...row, sparkline(recent, width, look.theme)];
}

function joinRow({ workers, queued }: ForemanStatus, join: string, look: StatusLook): Span[] {
  if (workers > 0) return sentence("dim", `more workers: ${join}`, look);
  if (queued === 0) return sentence("dim", `no workers yet: ${join}`, look);
  return sentence("warning", `no workers, and tasks wait: ${join}`, look);
}
