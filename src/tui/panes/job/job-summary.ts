/**
 * The first rows of a job's screen: how far it is and until when, its tasks by state, how long they take, and
 * one sentence: why nothing runs, what its failures have in common, or else what it is.
 */
import type { JobMonitorView, PercentilesView } from "../../../runtime/protocol/monitor-views.ts";
import { isJobEnded, TASK_STATES, type TaskState } from "../../../runtime/protocol/views.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { cellWidth, fitCells, inert, truncateEnd, truncateMiddle } from "../../text/cells.ts";
import {
  clockMinutes,
  shortCount,
  shortEstimate,
  shortRate,
  shortSeconds,
  UNKNOWN,
} from "../../text/fixed.ts";
import { jobLook, taskLook } from "../../theme/states.ts";
import type { Theme } from "../../theme/theme.ts";
import { bar } from "../../widgets/bar.ts";
import {
  fittingPieces,
  paintEnds,
  paintRow,
  piece,
  plain,
  type Span,
  span,
  spansWidth,
} from "../../widgets/spans.ts";
import { sparkline } from "../../widgets/sparkline.ts";
import { taskNumber } from "./error-words.ts";

/** At most `rows` rows, the most telling ones first. */
export function jobSummary(
  body: JobMonitorView,
  width: number,
  rows: number,
  theme: Theme,
): string[] {
  const all = [
    () => progressRow(body, width, theme),
    () => countsRow(body, width, theme),
    ...(rows === 3 ? [] : [() => timesRow(body, width, theme)]),
    () => paintRow(theme, width, sentence(body, width, theme)),
  ];
  return all.slice(0, rows).map((row) => row());
}

const END_CELLS = 18;

function progressRow(body: JobMonitorView, width: number, theme: Theme): string {
  const { counts } = body;
  const settled = counts.completed + counts.failed + counts.cancelled;
  const share = counts.total === 0 ? Number(isJobEnded(body.job.state)) : settled / counts.total;
  const end = ` ${fitCells(percentOf(share), 6, "right")}  ${untilWhen(body)}`;
  const endCells = Math.min(width, Math.max(END_CELLS, end.length));
  const barWidth = Math.max(0, width - endCells);
  return paintRow(theme, width, [
    ...bar(share, barWidth, counts.failed > 0 && share === 1 ? "failed" : "completed", theme),
    plain(end),
  ]);
}

/** 100 % is all of it, never nearly all. */
function percentOf(share: number): string {
  if (!Number.isFinite(share) || share <= 0) return "0%";
  if (share >= 1) return "100%";
  return `${Math.min(99.9, share * 100).toFixed(1)}%`;
}

function untilWhen({ job }: JobMonitorView): string {
  // Whole seconds are told; "0s" would say that it took none.
  if (isJobEnded(job.state))
    return `took ${job.elapsed_seconds < 1 ? "<1s" : shortSeconds(job.elapsed_seconds)}`;
  if (job.inputs_open) return "so far";
  return `ETA ${shortEstimate(job.eta_seconds)}`;
}

/** Told also where there are none. */
const TOLD_WHEN_NONE: ReadonlySet<TaskState> = new Set([
  "queued",
  "running",
  "completed",
  "failed",
]);

function countsRow(body: JobMonitorView, width: number, theme: Theme): string {
  const { counts, job } = body;
  const isNarrow = width < 60;
  const amount = isNarrow ? shortCount : formatExactCount;
  const states = TASK_STATES.flatMap((state) => {
    const count = counts[state];
    if (count === 0 && !TOLD_WHEN_NONE.has(state)) return [];
    const { letter, style } = taskLook(state);
    const priority = TOLD_WHEN_NONE.has(state) ? 0 : 1;
    return [piece(priority, span(count > 0 ? style : "dim", `${letter} ${amount(count)}`))];
  });
  const retries = job.retries ? [span("delayed", `retries ${shortCount(job.retries)}`)] : [];
  const rate = rateOf(body, width, theme);
  const room = width - 1 - (rate.length > 0 ? spansWidth(rate) + 1 : 0);
  const left = fittingPieces(room, [...states, piece(2, ...retries)], isNarrow ? 1 : 3);
  return paintEnds(theme, width, [plain(" "), ...left], rate);
}

/** Speed now and over the last minute; with much room also the average and the peak. */
function rateOf({ job, rate }: JobMonitorView, width: number, theme: Theme): readonly Span[] {
  if (width < 60 || isJobEnded(job.state)) return [];
  const now = span("strong", rate.now === null ? `${UNKNOWN}/s` : `${shortRate(rate.now)}/s`);
  const more =
    width < 110
      ? []
      : [span("dim", `   avg ${shortRate(rate.average)}  peak ${shortRate(rate.peak)}`)];
  const cells = Math.min(job.recent.length, Math.max(0, Math.floor(width / 6)));
  return [now, ...more, plain(" "), sparkline(job.recent, cells, theme), plain(" ")];
}

function timesRow(body: JobMonitorView, width: number, theme: Theme): string {
  const { run, wait, slots } = body;
  const pieces = [
    piece(0, span("dim", "run "), ...timesOf(run, width >= 110)),
    piece(2, span("dim", "wait "), ...(width >= 110 ? timesOf(wait, false) : medianOf(wait))),
    piece(1, span("dim", "slots "), plain(`${slots.busy}/${slots.total}`)),
  ];
  return paintRow(theme, width, [plain(" "), ...fittingPieces(width - 1, pieces, 3)]);
}

function timesOf(times: PercentilesView, isLong: boolean): readonly Span[] {
  if (times.count === 0) return [plain(UNKNOWN)];
  const task = times.max_task_id === null ? "" : ` (${inert(taskNumber(times.max_task_id))})`;
  return [
    span("dim", "p50 "),
    plain(shortSeconds(times.p50)),
    span("dim", "  p95 "),
    plain(shortSeconds(times.p95)),
    ...(isLong ? [span("dim", "  p99 "), plain(shortSeconds(times.p99))] : []),
    span("dim", "  max "),
    plain(`${shortSeconds(times.max)}${task}`),
  ];
}

const medianOf = ({ p50 }: PercentilesView): readonly Span[] => [
  span("dim", "p50 "),
  plain(shortSeconds(p50)),
];

/** What a person should know now, in one row. */
function sentence(body: JobMonitorView, width: number, { ascii }: Theme): readonly Span[] {
  const said = body.job.why ?? body.advice;
  if (said !== null) {
    const hint = said.hint === null ? "" : `  (${inert(said.hint, { ascii })})`;
    const text = inert(said.sentence, { ascii });
    const room = width - 1 - hint.length;
    return room < 20
      ? [span("warning", ` ${truncateEnd(text, width - 1)}`)]
      : [span("warning", ` ${truncateEnd(text, room)}`), span("key", hint)];
  }
  return [plain(" "), ...whatItIs(body, width - 1, ascii)];
}

/** With less room than this for what it runs, nobody is named beside it. */
const WHAT_CELLS_MIN = 24;

function whatItIs(body: JobMonitorView, width: number, ascii: boolean): readonly Span[] {
  const { job } = body;
  const word = job.state === "running" ? "" : `${jobLook(job).word}  `;
  const from = body.submitted_from === null ? job.owner : body.submitted_from;
  const since = ` since ${clockMinutes(Date.parse(job.created_at))}`;
  const who = `   ${truncateMiddle(inert(from, { ascii }), 40)}${since}`;
  const what = inert(body.what, { ascii });
  const room = width - word.length - cellWidth(who);
  if (room < WHAT_CELLS_MIN)
    return [span("dim", word), plain(truncateMiddle(what, Math.max(0, width - word.length)))];
  return [span("dim", word), plain(truncateMiddle(what, room)), span("dim", who)];
}
