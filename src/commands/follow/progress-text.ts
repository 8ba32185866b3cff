/**
 * A job's progress as text: one line that fits the width, with a bar for a terminal and plain for a log;
 * and as the JSON of `--progress json`. Pure. A line that nothing moves says why and what to type.
 */
import { JSON_SCHEMA_NAME, type ProgressView } from "../../runtime/protocol/views.ts";
import {
  formatCount,
  formatDuration,
  formatExactCount,
  formatRate,
} from "../../tui/text/amounts.ts";
import { cellWidth, inert, truncateEnd, truncateMiddle } from "../../tui/text/cells.ts";

export type JobProgress = ProgressView["jobs"][number];

export interface BarStyle {
  /** Columns that the line may take. */
  readonly width: number;
  /** Only ASCII, where the terminal has no more. */
  readonly isAscii: boolean;
}

const BAR_CELLS = 16;
const NAME_CELLS_MAX = 24;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Settled tasks. */
export const doneOf = ({ tasks }: JobProgress): number =>
  tasks.completed + tasks.failed + tasks.cancelled;

/** From 0 to 1; 0 while there are no tasks. */
export const shareOf = (job: JobProgress): number =>
  job.tasks.total === 0 ? 0 : doneOf(job) / job.tasks.total;

/** `job 17 render  ██████▌░░░  78%  78.1k/100k  R 340  F 12  1.7k/s  ETA 13s   (Ctrl-C …)`. */
export function barLine(job: JobProgress, style: BarStyle, hint: string): string {
  const share = shareOf(job);
  const parts = [
    nameOf(job),
    bar(share, style.isAscii),
    `${String(Math.floor(share * 100)).padStart(3)}%`,
    ...figuresOf(job, formatCount),
  ];
  return fit(parts, hint === "" ? [] : [` (${hint})`], style.width);
}

/** The same without a bar, every figure exact, for a log file. */
export function logLine(job: JobProgress): string {
  const percent = `${Math.floor(shareOf(job) * 100)}%`;
  return [nameOf(job), percent, ...figuresOf(job, formatExactCount)].join("  ");
}

/** One line of `--progress json`. */
export function jsonLine(view: ProgressView): string {
  const { lost_workers, ...progress } = view;
  return JSON.stringify({ schema: JSON_SCHEMA_NAME, ...progress, lost_workers });
}

function nameOf({ job_id, name }: JobProgress): string {
  return `job ${job_id} ${truncateMiddle(inert(name), NAME_CELLS_MAX)}`;
}

function figuresOf(job: JobProgress, count: (value: number) => string): readonly string[] {
  const { tasks, tasks_per_second: rate, eta_seconds: eta } = job;
  // More inputs are still arriving: the total is only the least that it will be.
  const parts = [`${count(doneOf(job))}/${count(tasks.total)}${job.inputs_open ? "+" : ""}`];
  const isMoving = tasks.running > 0 || job.why === null;
  if (!isMoving) {
    parts.push(whyText(job));
    if (tasks.failed > 0) parts.push(`F ${count(tasks.failed)}`);
    return parts;
  }
  parts.push(`R ${count(tasks.running)}`);
  if (tasks.failed > 0) parts.push(`F ${count(tasks.failed)}`);
  if (tasks.cancelled > 0) parts.push(`X ${count(tasks.cancelled)}`);
  if (rate !== null && rate > 0) parts.push(formatRate(rate));
  if (eta !== null && !job.inputs_open) parts.push(`ETA ${formatDuration(eta * 1000)}`);
  return parts;
}

function whyText({ why }: JobProgress): string {
  if (why === null) return "";
  const sentence = inert(why.sentence).replace(/\.$/, "");
  return why.hint === null ? sentence : `${sentence}: ${inert(why.hint)}`;
}

function bar(share: number, isAscii: boolean): string {
  if (isAscii) {
    const full = Math.floor(share * BAR_CELLS);
    return `[${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}]`;
  }
  const eighths = Math.floor(share * BAR_CELLS * 8);
  const full = Math.floor(eighths / 8);
  const part = EIGHTHS[eighths % 8] as string;
  return "█".repeat(full) + part + "░".repeat(BAR_CELLS - full - (part === "" ? 0 : 1));
}

/** The hint goes first, then figures from the right; what is left is cut. */
function fit(parts: readonly string[], extras: readonly string[], width: number): string {
  const whole = [...parts, ...extras].join("  ");
  return cellWidth(whole) <= width ? whole : truncateEnd(parts.join("  "), width);
}
