/**
 * All there is to tell of a task, as one text that can be scrolled: its state and why, every attempt with
 * its error and stack, what it returned and was given, and what it printed. Foreign text is made inert line
 * by line.
 */
import type { TaskMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import { type AttemptView, isTaskSettled } from "../../../runtime/protocol/views.ts";
import { formatBytes, formatExactCount, formatPlural } from "../../text/amounts.ts";
import { cellWidth, inert } from "../../text/cells.ts";
import { instantTime, shortSeconds } from "../../text/fixed.ts";
import { wrapWords } from "../../text/wrap.ts";
import { outcomeStyle, taskLook } from "../../theme/states.ts";
import type { Style, Theme } from "../../theme/theme.ts";
import { ruleTitle } from "../../widgets/rule.ts";
import { fittingPieces, paintRow, piece, plain, type Span, span } from "../../widgets/spans.ts";
import { failureText } from "../job/error-words.ts";

/**
 * As many rows as it takes, each `width` cells. `opensLog` is what to press or to type for the log.
 */
export function taskText(
  body: TaskMonitorView,
  width: number,
  theme: Theme,
  opensLog = "l",
): string[] {
  const draw: Drawing = { width, theme };
  return [
    stateRow(body, draw),
    ...whyRows(body, draw),
    ...attemptRows(body, draw),
    ...resultRows(body, draw),
    ...valueRows("INPUT", body.input_text, body.input_bytes, draw),
    ...stderrRows(body, draw),
    ...logRows(body, opensLog, draw),
  ];
}

interface Drawing {
  readonly width: number;
  readonly theme: Theme;
}

const row = ({ width, theme }: Drawing, ...spans: readonly Span[]): string =>
  paintRow(theme, width, spans);

function stateRow(body: TaskMonitorView, draw: Drawing): string {
  const { style, letter, word } = taskLook(body.state);
  const seconds = body.running_seconds ?? body.run_seconds;
  const { job } = body;
  const pieces = [
    piece(0, span(style, `${letter} ${word}`)),
    piece(
      1,
      plain(body.attempts === 0 ? "not begun" : `attempt ${formatExactCount(body.attempts)}`),
    ),
    piece(1, plain(body.worker === null ? "" : `on ${inert(body.worker)}`)),
    piece(2, plain(seconds === null ? "" : timeOf(body.state, seconds))),
    piece(1, span(style, endOf(body))),
    piece(
      3,
      span("delayed", body.not_before === null ? "" : `not before ${instantTime(body.not_before)}`),
    ),
    piece(4, span("dim", `job ${job.job_id} ${inert(job.name, draw.theme)}`)),
  ].filter(({ spans }) => spans.some(({ text }) => text !== ""));
  return row(draw, plain(" "), ...fittingPieces(draw.width - 1, pieces, 3));
}

/** `exit 4`, `signal SIGKILL`: how a failed command ended. */
function endOf({ state, exit_code, signal }: TaskMonitorView): string {
  if (state !== "failed") return "";
  if (signal !== null) return `signal ${inert(signal)}`;
  return exit_code === null ? "" : `exit ${exit_code}`;
}

const timeOf = (state: TaskMonitorView["state"], seconds: number): string =>
  `${state === "running" ? "for" : "ran"} ${shortSeconds(seconds)}`;

/** What has ended is told by its attempts; of the rest it says what it waits for. */
function whyRows({ why, state }: TaskMonitorView, draw: Drawing): string[] {
  if (why === null || isTaskSettled(state)) return [];
  const hint = why.hint === null ? [] : textRows(why.hint, draw, "key");
  return [...textRows(why.sentence, draw, "warning"), ...hint];
}

function attemptRows(body: TaskMonitorView, draw: Drawing): string[] {
  const { history, attempts, running_seconds } = body;
  if (history.length === 0) return [];
  const left = attempts - history.length;
  const notes = left > 0 ? [`the last ${formatExactCount(history.length)}`] : [];
  return [
    title(`ATTEMPTS ${formatExactCount(attempts)}`, notes, draw),
    ...history.flatMap((attempt) => attemptText(attempt, running_seconds, draw)),
  ];
}

function attemptText(attempt: AttemptView, runningSeconds: number | null, draw: Drawing): string[] {
  const { theme } = draw;
  const seconds = attempt.outcome === "running" ? runningSeconds : attempt.run_seconds;
  const head = row(
    draw,
    plain(` ${String(attempt.attempt).padStart(3)}  `),
    span(outcomeStyle(attempt.outcome), attempt.outcome.padEnd(9)),
    plain(`  ${inert(attempt.worker, theme)}`),
    plain(seconds === null ? "" : `  ${shortSeconds(seconds)}`),
    span("dim", attempt.ended_at === null ? "" : `  until ${instantTime(attempt.ended_at)}`),
  );
  return [head, ...errorRows(attempt, draw)];
}

function errorRows({ code, message, stack }: AttemptView, draw: Drawing): string[] {
  if (code === null && message === null) return [];
  const text = failureText({ code: code ?? "", message: message ?? "" });
  // A stack begins with the message again.
  const frames = (stack ?? "").split("\n").filter((line) => /^\s+at\b/.test(line));
  return [
    ...text.split("\n").flatMap((line) => textRows(line, draw, "failed", 6)),
    ...frames.flatMap((frame) => textRows(frame.trim(), draw, "dim", 8)),
  ];
}

const isOfCommand = ({ exit_code, signal }: TaskMonitorView): boolean =>
  exit_code !== null || signal !== null;

function resultRows(body: TaskMonitorView, draw: Drawing): string[] {
  const { result_text, result_bytes } = body;
  const name = isOfCommand(body) ? "STDOUT" : "RESULT";
  return result_text === null ? [] : valueRows(name, result_text, result_bytes ?? 0, draw);
}

function valueRows(name: string, text: string, bytes: number, draw: Drawing): string[] {
  const isCut = text.length < bytes && text.endsWith("…");
  const notes = isCut ? [`the first ${formatExactCount(text.length)} characters`] : [];
  const lines = text === "" ? [row(draw, span("dim", "   empty"))] : linesOf(text, draw);
  return [title(`${name} ${formatBytes(bytes)}`, notes, draw), ...lines];
}

/** The log has all of it; here are the last words. */
const STDERR_LINES = 10;

/** Of a function it is what it said on the console. */
function stderrRows(body: TaskMonitorView, draw: Drawing): string[] {
  const { stderr_text } = body;
  if (stderr_text === null || stderr_text === "") return [];
  const lines = stderr_text.replace(/\n$/, "").split("\n");
  const shown = lines.slice(-STDERR_LINES);
  const notes = shown.length < lines.length ? [`its last ${STDERR_LINES} lines`] : ["its end"];
  return [
    title(isOfCommand(body) ? "STDERR" : "PRINTED", notes, draw),
    ...linesOf(shown.join("\n"), draw),
  ];
}

function logRows({ log, state }: TaskMonitorView, opensLog: string, draw: Drawing): string[] {
  if (log === null) {
    const sentence = state === "running" ? "nothing has been printed yet" : "nothing was printed";
    return [title("LOG", [], draw), row(draw, span("dim", `   ${sentence}`))];
  }
  const lines = log.lines === null ? "" : `${formatPlural(log.lines, "line")}, `;
  const amount = `${lines}${formatBytes(log.bytes)}`;
  return [
    title("LOG", [], draw),
    row(draw, plain(`   ${amount}   `), span("key", opensLog), span("dim", " opens it")),
  ];
}

function linesOf(text: string, draw: Drawing): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.flatMap((line) => textRows(line, draw, "plain"));
}

/** Wrapped; the end of a line is never lost. */
function textRows(text: string, draw: Drawing, style: Style, indent = 3): string[] {
  const { width, theme } = draw;
  const shown = inert(text, { ascii: theme.ascii, dropsColour: true });
  const room = Math.max(1, width - indent - 1);
  const lines = cellWidth(shown) <= room ? [shown] : wrapWords(shown, room);
  return lines.map((line) => row(draw, plain(" ".repeat(indent)), span(style, line)));
}

const title = (text: string, notes: readonly string[], { width, theme }: Drawing): string =>
  ruleTitle(
    {
      number: null,
      title: text,
      isActive: false,
      notes: notes.map((note) => [span("dim", note)]),
      end: "",
    },
    width,
    theme,
  );
