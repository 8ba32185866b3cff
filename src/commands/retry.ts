/**
 * `cc retry`: queues failed and cancelled tasks again in their job, with corrected code or other options
 * if given, and follows them as `cc submit` does. Only the tasks that it queued are printed and judged.
 */
import type { JobBundle } from "../runtime/bundle/bundle-job.ts";
import type { Link } from "../runtime/client/link.ts";
import { checkOutputOptions } from "../runtime/client/output/result-writer.ts";
import { createReduction, type Reduction } from "../runtime/client/reduce-results.ts";
import { uploadBundle } from "../runtime/client/upload-bundle.ts";
import { redirectConsoleToStderr } from "../runtime/job-module/console-to-stderr.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import type { WorkSpec } from "../runtime/protocol/job-spec.ts";
import { type JobDetailView, JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import { formatPlural } from "../tui/text/amounts.ts";
import { askAgain } from "./ask-again.ts";
import type { CommandContext } from "./command-context.ts";
import { consoleStream } from "./follow/console-stream.ts";
import { followJob } from "./follow/follow-job.ts";
import { untilInterrupted } from "./follow/interrupt.ts";
import { loadJobCode, lookAtDetails } from "./follow/job-code.ts";
import {
  CANCELLED_BY_CTRL_C,
  DETACHED_BY_CTRL_C,
  openSession,
  outputOptionsOf,
  type Session,
  withPatientStderr,
} from "./follow/open-session.ts";
import { retryPatch } from "./follow/retry-patch.ts";
import { sayEnd } from "./follow/say-end.ts";
import { findJobOrTask } from "./job-arguments.ts";
import type { RETRY_VERB } from "./tables/steer.ts";

type Context = CommandContext<typeof RETRY_VERB>;

/** What one job's retry queued. */
interface Retried {
  readonly job: JobDetailView;
  readonly count: number;
  readonly reopenSeq: number;
  readonly work: WorkSpec;
}

export async function run(given: Context): Promise<ExitCode> {
  const context = withPatientStderr(given);
  checkOptions(context);
  const userConsole = consoleStream(context.io.stderr);
  const restore = redirectConsoleToStderr(userConsole.stream);
  try {
    const bundle = await bundleOf(context);
    const session = await openSession(context, {
      detach: context.values.detach,
      ...(context.values.attached ? CANCELLED_BY_CTRL_C : DETACHED_BY_CTRL_C),
    });
    userConsole.writeThrough(session.progress);
    return await runSession(context, session, bundle);
  } finally {
    restore();
  }
}

function checkOptions(context: Context): void {
  const { values, rest } = context;
  checkOutputOptions(outputOptionsOf(values, context));
  if (values.with !== undefined && rest !== null) {
    throw usageError("two_works", `--with and a command after "--" both say what runs; give one.`);
  }
  const unknown = Object.keys(values.where ?? {}).find((name) => name !== "code");
  if (unknown !== undefined) {
    throw usageError(
      "bad_where",
      `--where: "${unknown}" is no such fact.`,
      "Write --where code=C.",
    );
  }
}

async function bundleOf({ values, cwd }: Context): Promise<JobBundle | null> {
  if (values.with === undefined) return null;
  const { bundleJob } = await import("../runtime/bundle/bundle-job.ts");
  return await bundleJob(values.with, { cwd });
}

async function runSession(
  context: Context,
  session: Session,
  bundle: JobBundle | null,
): Promise<ExitCode> {
  const retried: Retried[] = [];
  let isOver = false;
  try {
    const outcome = await untilInterrupted(() => retryAndFollow(context, session, bundle, retried));
    await session.progress.stop();
    isOver = outcome.kind === "done";
    if (outcome.kind === "done") return outcome.value;
    if (!context.values.attached) {
      const jobs = retried.map(({ job }) => job.job_id).join(" ");
      await session.progress.say(
        session.isLocal
          ? `stopped; cc wait ${jobs} goes on`
          : `detached; cc wait ${jobs} follows on`,
      );
    }
    return 130;
  } finally {
    await session.progress.stop();
    if (context.values.attached && !isOver) await cancelAll(session.link, retried);
    await session.close({ isDone: false });
  }
}

async function cancelAll(link: Link, retried: readonly Retried[]): Promise<void> {
  for (const { job } of retried) {
    await link
      .run((connection) =>
        connection.request({
          type: "cancel_job",
          job_id: job.job_id,
          reason: "the command that retried it has ended (--attached)",
        }),
      )
      // The command ends whatever the foreman says to that.
      .catch(() => {});
  }
}

async function retryAndFollow(
  context: Context,
  session: Session,
  bundle: JobBundle | null,
  retried: Retried[],
): Promise<ExitCode> {
  const { link, progress } = session;
  if (bundle) await link.run((connection) => uploadBundle(connection, bundle));
  for (const [jobId, indexes] of await findTargets(link, context.positionals)) {
    const again = await retryJob(context, session, bundle, jobId, indexes);
    if (again) retried.push(again);
  }
  if (context.values.detach) {
    await progress.stop();
    for (const { job, count } of retried) {
      await printId(context, job.job_id);
      await progress.say(`job ${job.job_id}: ${formatPlural(count, "task")} queued again`);
    }
    return 0;
  }
  await link.followJobs(retried.map(({ job }) => job.job_id));
  let exitCode: ExitCode = 0;
  for (const again of retried) {
    if (!(await followRetried(context, session, bundle, again))) exitCode = 1;
  }
  return exitCode;
}

/** By job: the tasks that were named, or null for all of it. */
async function findTargets(
  link: Link,
  words: readonly string[],
): Promise<ReadonlyMap<number, number[] | null>> {
  const targets = new Map<number, number[] | null>();
  for (const word of words) {
    const { jobId, index } = await link.run((connection) => findJobOrTask(connection, word));
    const known = targets.get(jobId);
    if (index === null || known === null) targets.set(jobId, null);
    else targets.set(jobId, [...(known ?? []), index]);
  }
  return targets;
}

/** null: there was nothing to queue, which is said. */
async function retryJob(
  context: Context,
  { link, progress }: Session,
  bundle: JobBundle | null,
  jobId: number,
  indexes: readonly number[] | null,
): Promise<Retried | null> {
  const { values } = context;
  const job = await lookAtDetails(link, jobId);
  const patch = retryPatch(context, job, bundle);
  const status = await askAgain(() =>
    link.run((connection) =>
      connection.request({
        type: "retry_job",
        job_id: jobId,
        ...(indexes === null ? {} : { index: Uint32Array.from(indexes) }),
        ...(values.where?.["code"] === undefined ? {} : { where_code: values.where["code"] }),
        all: values.all,
        ...(Object.keys(patch).length === 0 ? {} : { patch }),
      }),
    ),
  );
  if (status.affected === 0 || status.reopen_seq === undefined) {
    await progress.say(`job ${jobId}: ${status.note ?? "nothing to queue again"}`);
    return null;
  }
  const work = patch.work ?? job.spec.work;
  return { job, count: status.affected, reopenSeq: status.reopen_seq, work };
}

async function printId(context: Context, jobId: number): Promise<void> {
  const line = context.json ? JSON.stringify({ schema: JSON_SCHEMA_NAME, job_id: jobId }) : jobId;
  await context.io.stdout.write(`${line}\n`);
}

/** Whether every task that was queued again has completed. */
async function followRetried(
  context: Context,
  { link, progress }: Session,
  bundle: JobBundle | null,
  { job, count, reopenSeq, work }: Retried,
): Promise<boolean> {
  const { values, io } = context;
  const jobId = job.job_id;
  const startedAtMs = systemClock.monotonicMs();
  const { tally, job: end } = await followJob({
    link,
    jobId,
    job: { isCommand: work.kind === "command", input: job.spec.input },
    io,
    progress,
    output: outputOptionsOf(values, context),
    unordered: values.unordered,
    reopenedBy: reopenSeq,
    reduction: await reductionFor(link, job, work, bundle),
    partial: values.partial,
  });
  const { completed, failed, cancelled } = tally;
  await progress.aside(() =>
    sayEnd(context, {
      jobId,
      state: end.state,
      completed,
      failed,
      cancelled,
      durationMs: systemClock.monotonicMs() - startedAtMs,
      retried: count,
      groups: tally.errorGroups(),
    }),
  );
  return failed + cancelled === 0;
}

async function reductionFor(
  link: Link,
  job: JobDetailView,
  work: WorkSpec,
  bundle: JobBundle | null,
): Promise<Reduction | null> {
  if (work.kind === "command") return null;
  const module = bundle?.module ?? (await loadJobCode(link, { ...job.spec, work }));
  return module === null ? null : createReduction(module);
}
