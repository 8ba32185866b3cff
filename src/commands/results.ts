/**
 * `cc results`: what a job has settled so far, in input order and without holes, or all of it to the end
 * with `-f`. It changes nothing and judges nothing: exit 0 unless a reduced value is missing.
 */
import type { Link } from "../runtime/client/link.ts";
import {
  checkOutputOptions,
  needsInputs,
  openDestination,
  openResultWriter,
} from "../runtime/client/output/result-writer.ts";
import { storedOutputsOf } from "../runtime/client/read-output.ts";
import { type ReadRequest, readResults } from "../runtime/client/read-results.ts";
import { checkReducedFormat } from "../runtime/client/reduce-results.ts";
import { linkOver } from "../runtime/client/single-link.ts";
import { createTally } from "../runtime/client/tally.ts";
import { redirectConsoleToStderr } from "../runtime/job-module/console-to-stderr.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import { isJobEnded, type JobDetailView } from "../runtime/protocol/views.ts";
import { formatExactCount, formatPlural } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { consoleStream } from "./follow/console-stream.ts";
import { openFollowingLink } from "./follow/following-link.ts";
import { lookAtDetails, reductionOf } from "./follow/job-code.ts";
import { outputOptionsOf, withPatientStderr } from "./follow/open-session.ts";
import { inertJsonStream } from "./inert-json.ts";
import { findJobId } from "./job-arguments.ts";
import type { RESULTS_VERB } from "./tables/look.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof RESULTS_VERB>;

export async function run(given: Context): Promise<ExitCode> {
  const context = withPatientStderr(given);
  const output = outputOptionsOf(context.values, context);
  checkOutputOptions(output);
  if (context.values.reduce) checkReducedFormat(output.format);
  const [word] = context.positionals;
  const link = context.values.follow ? await openFollowingLink(context) : null;
  if (link === null) {
    return await withForeman(context, "look", (connection) =>
      print(context, linkOver(connection), word, false),
    );
  }
  try {
    return await print(context, link, word, true);
  } finally {
    link.close();
  }
}

async function print(
  context: Context,
  link: Link,
  word: string,
  isFollowing: boolean,
): Promise<ExitCode> {
  const jobId = await link.run((connection) => findJobId(connection, word));
  const job = await lookAtDetails(link, jobId);
  const request: ReadRequest = {
    jobId,
    order: context.values.unordered && !context.values.reduce ? "settled" : "index",
    wait: isFollowing,
    skipHoles: !isFollowing,
    inputs: !context.values.reduce && needsInputs(outputOptionsOf(context.values, context)),
  };
  if (context.values.reduce) return await printReduced(context, link, job, request);
  await printRows(context, link, job, request);
  if (!isFollowing) await warnUnfinished(context, job);
  return 0;
}

async function printRows(
  context: Context,
  link: Link,
  { job_id: jobId, spec }: JobDetailView,
  request: ReadRequest,
): Promise<void> {
  const job = { isCommand: spec.work.kind === "command", input: spec.input };
  const { stderr } = context.io;
  const readStored = storedOutputsOf(link, jobId);
  const output = outputOptionsOf(context.values, context);
  const stdout = output.format === "jsonl" ? inertJsonStream(context.io.stdout) : context.io.stdout;
  const writer = await openResultWriter(output, job, { stdout, stderr, readStored });
  try {
    for await (const page of readResults(link, request)) await writer.write(page);
  } finally {
    await writer.close();
  }
}

async function printReduced(
  context: Context,
  link: Link,
  job: JobDetailView,
  request: ReadRequest,
): Promise<ExitCode> {
  const restore = redirectConsoleToStderr(consoleStream(context.io.stderr).stream);
  try {
    const reduction = await reductionOf(link, job.job_id, job.spec);
    const tally = createTally();
    for await (const page of readResults(link, request)) {
      tally.add(page);
      await reduction.add(page, storedOutputsOf(link, job.job_id));
    }
    const missing = request.wait ? 0 : unsettledOf(job);
    const isWhole = tally.failed + tally.cancelled + missing === 0;
    if (!isWhole && !context.values.partial) {
      await context.io.stderr.write(incompleteText(job, tally.failed + tally.cancelled, missing));
      return 1;
    }
    const writer = reduction.print(outputOptionsOf(context.values, context).format);
    await writeReduced(context, writer);
    return isWhole ? 0 : 1;
  } finally {
    restore();
  }
}

async function writeReduced(context: Context, bytes: Uint8Array): Promise<void> {
  const out = await openDestination(outputOptionsOf(context.values, context), context.io.stdout);
  try {
    if (bytes.byteLength > 0) await out.write(bytes);
  } finally {
    await out.close();
  }
}

const unsettledOf = ({ tasks }: JobDetailView): number =>
  tasks.total - tasks.completed - tasks.failed - tasks.cancelled;

function incompleteText({ job_id }: JobDetailView, failed: number, missing: number): string {
  const parts: string[] = [];
  if (failed > 0) parts.push(`${formatPlural(failed, "task")} did not complete`);
  if (missing > 0)
    parts.push(`${formatPlural(missing, "task")} ${missing === 1 ? "is" : "are"} not settled`);
  return `job ${job_id}: nothing is reduced, as ${parts.join(" and ")} (--partial reduces the rest)\n`;
}

async function warnUnfinished(context: Context, job: JobDetailView): Promise<void> {
  if (context.quiet || isJobEnded(job.state)) return;
  const { total } = job.tasks;
  const settled = formatExactCount(total - unsettledOf(job));
  // Where nothing runs it, following would end at once.
  const next =
    job.why?.code === "not_followed" ? `cc wait ${job.job_id}` : `cc results ${job.job_id} -f`;
  await context.io.stderr.write(
    `job ${job.job_id} has not ended: ${settled} of ${formatExactCount(total)} tasks are settled (${next} goes on)\n`,
  );
}
