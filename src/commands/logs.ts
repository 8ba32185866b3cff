/**
 * `cc logs`: what a job's tasks, or one task, have printed, as it was and in the order in which it came;
 * with `-f` on to the end, over restarts of the foreman. It judges nothing: exit 0 also for a failed job.
 */
import type { Link } from "../runtime/client/link.ts";
import { type LogPiece, piecesOf } from "../runtime/client/log-lines.ts";
import { type LogSubject, type LogsPage, readLogs } from "../runtime/client/read-logs.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { JobOrTask } from "../runtime/protocol/ids.ts";
import type { LogStream } from "../runtime/protocol/messages/logs.ts";
import type { JobDetailView } from "../runtime/protocol/views.ts";
import { formatExactCount } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { lookAtDetails } from "./follow/job-code.ts";
import { lookOrFollow } from "./follow/look-or-follow.ts";
import { findJobOrTask } from "./job-arguments.ts";
import { createLogPrinter, type LogPrinter } from "./logs/log-printer.ts";
import { type Since, sinceMs } from "./logs/since.ts";
import { createLineSkipper, findTailStart } from "./logs/tail-start.ts";
import type { LOGS_VERB } from "./tables/look.ts";

type Context = CommandContext<typeof LOGS_VERB>;

/** What is no result: a command's stdout is one. */
const STDERR_STREAMS: readonly LogStream[] = ["stderr", "log", "gap"];

export async function run(context: Context): Promise<ExitCode> {
  const onChange = (isUp: boolean): void => {
    if (context.quiet) return;
    const said = isUp ? "connected again\n" : "the connection to the foreman is lost\n";
    void context.io.stderr.write(said);
  };
  await lookOrFollow(context, (link, follow) => print(context, link, follow), { onChange });
  return 0;
}

async function print(context: Context, link: Link, follow: boolean): Promise<void> {
  const word = context.positionals[0];
  const found = await link.run((connection) => findJobOrTask(connection, word));
  const job = await lookAtDetails(link, found.jobId);
  const subject = subjectOf(context, found);
  const printer = createLogPrinter({
    jobId: found.jobId,
    form: formOf(context, found, job),
    ...context.io,
    quiet: context.quiet,
  });
  const { tail } = context.values;
  const start = tail === undefined ? null : await findTailStart(link, subject, tail);
  const skip = createLineSkipper(start?.skipLines ?? 0);
  let last: LogsPage | null = null;
  let hasSaid = false;
  for await (const page of readLogs(link, subject, { follow, from: start?.cursor })) {
    last = page;
    await printer.print(wanted(page, skip));
    if (!follow || hasSaid || printer.hasPrinted || !page.at_end || page.finished) continue;
    hasSaid = true;
    await sayWaiting(context, link, found);
  }
  await printer.finish();
  await sayEnd(context, { found, subject, printer, last, follow });
}

function* wanted(page: LogsPage, skip: (piece: LogPiece) => LogPiece | null): Generator<LogPiece> {
  for (const piece of piecesOf(page)) {
    const rest = skip(piece);
    if (rest !== null) yield rest;
  }
}

function subjectOf({ values }: Context, { jobId, index }: JobOrTask): LogSubject {
  const { attempt, failed, stderr } = values;
  const since = values.since as Since | undefined;
  return {
    jobId,
    index: index ?? undefined,
    attempt,
    streams: stderr ? STDERR_STREAMS : undefined,
    failed,
    sinceMs: since === undefined ? undefined : sinceMs(since, systemClock.nowMs()),
  };
}

function formOf({ json }: Context, { index }: JobOrTask, job: JobDetailView) {
  if (json) return "json";
  const hasSeveral = index === null && (job.tasks.total > 1 || job.inputs_open);
  return hasSeveral ? "lines" : "bytes";
}

async function sayWaiting(context: Context, link: Link, found: JobOrTask): Promise<void> {
  if (context.quiet || context.json) return;
  const job = await lookAtDetails(link, found.jobId);
  const why = job.why === null ? `It is ${job.state}.` : safeLine(job.why.sentence);
  await context.io.stderr.write(`${nameOf(found)} has printed nothing yet. ${why}\n`);
}

interface End {
  readonly found: JobOrTask;
  readonly subject: LogSubject;
  readonly printer: LogPrinter;
  readonly last: LogsPage | null;
  readonly follow: boolean;
}

async function sayEnd(
  context: Context,
  { found, subject, printer, last, follow }: End,
): Promise<void> {
  if (context.quiet || context.json) return;
  const { stderr } = context.io;
  if (!printer.hasPrinted && context.values.tail !== 0) {
    const isAll = subject.failed !== true && subject.sinceMs === undefined;
    const what = isAll && subject.attempt === undefined ? "has printed nothing" : "has no such log";
    await stderr.write(`${nameOf(found)} ${what}\n`);
  }
  await sayDropped(context, { found, subject, printer, last, follow });
  if (!follow && last?.finished === false) {
    await stderr.write(
      `${nameOf(found)} has not ended (cc logs ${nameOf(found, "")} -f goes on)\n`,
    );
  }
}

/** What no line of the log could tell of, such as what a worker had no room for. */
async function sayDropped(
  { io, values }: Context,
  { found, subject, printer, last }: End,
): Promise<void> {
  const { failed, sinceMs: from, attempt, streams } = subject;
  const isWhole = !failed && from === undefined && attempt === undefined && streams === undefined;
  const missing = (last?.dropped_bytes ?? 0) - printer.saidBytes;
  if (!isWhole || values.tail !== undefined || missing <= 0) return;
  await io.stderr.write(
    `${formatExactCount(missing)} bytes of what ${nameOf(found)} printed are not kept\n`,
  );
}

const nameOf = ({ jobId, index }: JobOrTask, job = "job "): string =>
  index === null ? `${job}${jobId}` : `${job === "" ? "" : "task "}${jobId}/${index}`;
