/** The last lines of a followed job: what became of it, what went wrong, and what to type next. Pure. */
import type { ErrorGroup } from "../../runtime/client/tally.ts";
import { safeLine } from "../../runtime/platform/safe-text.ts";
import type { JobState } from "../../runtime/protocol/views.ts";
import { formatDuration, formatExactCount } from "../../tui/text/amounts.ts";
import { truncateEnd } from "../../tui/text/cells.ts";
import type { Palette } from "../palette.ts";

export interface JobEnd {
  readonly jobId: number;
  readonly state: JobState;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly durationMs: number;
  /** How many tasks a retry queued again: the counts are theirs. */
  readonly retried?: number | undefined;
  /** Failures by kind, the largest first. */
  readonly groups: readonly ErrorGroup[];
  /** Of how many failures the groups tell, where that is not all. */
  readonly groupedCount?: number | undefined;
}

const GROUPS_SHOWN = 3;
const MESSAGE_CELLS_MAX = 200;

/** `job 17 failed: 9,999 completed, 1 failed, 56 min`, then the groups, then commands. */
export function finalLines(end: JobEnd, palette: Palette): readonly string[] {
  return [summaryLine(end, palette), ...groupLines(end, palette), ...nextLines(end, palette)];
}

function summaryLine(end: JobEnd, palette: Palette): string {
  const { jobId, completed, failed, cancelled } = end;
  const counts = [`${formatExactCount(completed)} completed`];
  if (failed > 0) counts.push(`${formatExactCount(failed)} failed`);
  if (cancelled > 0) counts.push(`${formatExactCount(cancelled)} cancelled`);
  const outcome =
    end.retried === undefined
      ? `job ${jobId} ${palette.state(end.state)}`
      : `job ${jobId}, ${formatExactCount(end.retried)} task${end.retried === 1 ? "" : "s"} again`;
  return `${outcome}: ${[...counts, formatDuration(end.durationMs)].join(", ")}`;
}

function groupLines(
  { jobId, failed, groups, groupedCount }: JobEnd,
  palette: Palette,
): readonly string[] {
  const lines = groups.slice(0, GROUPS_SHOWN).map((group) => {
    const place = group.place === null ? "" : ` ${palette.faint(`(${safeLine(group.place)})`)}`;
    return `  ${formatExactCount(group.count)}x ${failureText(group)}${place} ${palette.accent(`${jobId}/${group.index}`)}`;
  });
  const others = groups.length - lines.length;
  if (others > 0) lines.push(`  … ${formatExactCount(others)} more kind${others === 1 ? "" : "s"}`);
  if (groupedCount !== undefined && groupedCount < failed)
    lines.push(`  … of the first ${formatExactCount(groupedCount)} failures`);
  return lines;
}

/** `error: no such host`, on one line whatever the message holds. */
export function failureText({ code, message }: Pick<ErrorGroup, "code" | "message">): string {
  const line = truncateEnd(safeLine(message), MESSAGE_CELLS_MAX);
  return `${safeLine(code)}: ${line}`;
}

function nextLines(
  { jobId, failed, cancelled, groups }: JobEnd,
  palette: Palette,
): readonly string[] {
  const commands: string[] = [];
  if (failed > 0) {
    commands.push(`cc tasks ${jobId} --state failed`, `cc logs ${jobId} --failed`);
    const [group] = groups;
    if (group) commands.push(`cc try ${jobId}/${group.index}`);
  }
  if (failed + cancelled > 0) commands.push(`cc retry ${jobId}`);
  return commands.length === 0
    ? []
    : [`next: ${commands.map((line) => palette.accent(line)).join(" · ")}`];
}
