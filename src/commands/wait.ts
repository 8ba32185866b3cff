/**
 * `cc wait`: until jobs have ended, whoever submitted them; prints nothing on stdout but a reduced value.
 * Without a server it runs what is left of the jobs here.
 */
import type { Link } from "../runtime/client/link.ts";
import { redirectConsoleToStderr } from "../runtime/job-module/console-to-stderr.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { isJobEnded, type JobDetailView, type ProgressView } from "../runtime/protocol/views.ts";
import { formatDuration } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { consoleStream } from "./follow/console-stream.ts";
import { followJob } from "./follow/follow-job.ts";
import { untilInterrupted } from "./follow/interrupt.ts";
import { lookAtDetails, reductionOf } from "./follow/job-code.ts";
import {
  DETACHED_BY_CTRL_C,
  openSession,
  outputOptionsOf,
  type Session,
  withPatientStderr,
} from "./follow/open-session.ts";
import { groupsOfViews, sayEnd } from "./follow/say-end.ts";
import { watchProgress } from "./follow/watch-progress.ts";
import { findJobId } from "./job-arguments.ts";
import type { WAIT_VERB } from "./tables/look.ts";

type Context = CommandContext<typeof WAIT_VERB>;

/** As many as one progress view may hold. */
const JOBS_MAX = 1_000;

export async function run(given: Context): Promise<ExitCode> {
  const context = withPatientStderr(given);
  const { values, positionals } = context;
  if (positionals.length > JOBS_MAX) {
    throw usageError("too_many_jobs", `cc wait takes at most ${JOBS_MAX} jobs at a time.`);
  }
  if (values.reduce && positionals.length > 1) {
    throw usageError("one_job_only", "--reduce makes one value of one job; name one.");
  }
  const session = await openSession(context, {
    detach: false,
    hint: "Ctrl-C stops waiting, the job goes on",
    localHint: DETACHED_BY_CTRL_C.localHint,
  });
  try {
    const outcome = await untilInterrupted(() => waitInTime(context, session));
    await session.progress.stop();
    if (outcome.kind === "done") return outcome.value;
    await session.progress.say(
      session.isLocal ? "stopped; cc wait goes on" : "stopped waiting; the jobs go on",
    );
    return 130;
  } finally {
    await session.progress.stop();
    await session.close({ isDone: false });
  }
}

async function waitInTime(context: Context, session: Session): Promise<ExitCode> {
  const { waitTimeout } = context.values;
  let unfinished: readonly (string | number)[] = context.positionals;
  const waiting = waitForAll(context, session, ({ jobs }) => {
    unfinished = jobs.filter((job) => !isJobEnded(job.state)).map((job) => job.job_id);
  });
  if (waitTimeout === undefined) return await waiting;
  const late = Promise.withResolvers<"late">();
  const timer = systemClock.setTimer(waitTimeout, () => late.resolve("late"));
  const first = await Promise.race([waiting, late.promise]).finally(() => timer.cancel());
  if (first !== "late") return first;
  // Its outcome comes too late to be of interest, also a failure.
  waiting.catch(() => {});
  await session.progress.say(lateText(unfinished, waitTimeout));
  return 124;
}

function lateText(jobs: readonly (string | number)[], waitedMs: number): string {
  const who = jobs.length === 1 ? `job ${jobs[0]} has` : `jobs ${jobs.join(", ")} have`;
  return `${who} not ended after ${formatDuration(waitedMs)} (cc wait ${jobs.join(" ")} goes on)`;
}

async function waitForAll(
  context: Context,
  session: Session,
  onView: (view: ProgressView) => void,
): Promise<ExitCode> {
  const { link, progress } = session;
  const jobIds = await findJobs(link, context.positionals);
  await link.followJobs(jobIds);
  let isWhole = true;
  if (context.values.reduce) {
    isWhole = await waitAndReduce(context, session, jobIds[0] as number);
  } else {
    await untilEnded(link, jobIds, (view) => {
      onView(view);
      progress.onView(view);
    });
  }
  await progress.stop();
  for (const jobId of jobIds) {
    const job = await lookAtDetails(link, jobId);
    isWhole &&= job.state === "completed";
    await sayEnd(context, endOf(job));
  }
  return isWhole ? 0 : 1;
}

/** All of them exist, or nothing is waited for. */
async function findJobs(link: Link, words: readonly string[]): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const word of words) {
    const jobId = await link.run((connection) => findJobId(connection, word));
    await link.run((connection) => connection.request({ type: "get_job", job_id: jobId }));
    found.add(jobId);
  }
  return [...found];
}

async function untilEnded(
  link: Link,
  jobIds: readonly number[],
  onView: (view: ProgressView) => void,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const watching = watchProgress(link, jobIds, (view) => {
    onView(view);
    if (view.jobs.every((job) => isJobEnded(job.state))) ended.resolve();
  });
  // What ends the watching for good is heard from any other request.
  watching.failed.then(ended.reject);
  try {
    await ended.promise;
  } finally {
    watching.stop();
  }
}

async function waitAndReduce(
  context: Context,
  { link, progress }: Session,
  jobId: number,
): Promise<boolean> {
  const userConsole = consoleStream(context.io.stderr);
  userConsole.writeThrough(progress);
  const restore = redirectConsoleToStderr(userConsole.stream);
  try {
    const { spec } = await lookAtDetails(link, jobId);
    const { tally } = await followJob({
      link,
      jobId,
      job: { isCommand: false, input: spec.input },
      io: context.io,
      progress,
      output: outputOptionsOf({ tag: false }, context),
      unordered: false,
      reduction: await reductionOf(link, jobId, spec),
      partial: context.values.partial,
    });
    return tally.failed + tally.cancelled === 0;
  } finally {
    restore();
  }
}

function endOf(job: JobDetailView): Parameters<typeof sayEnd>[1] {
  const { job_id: jobId, state, tasks } = job;
  const finishedAt = job.finished_at === null ? systemClock.nowMs() : Date.parse(job.finished_at);
  return {
    jobId,
    state,
    completed: tasks.completed,
    failed: tasks.failed,
    cancelled: tasks.cancelled,
    durationMs: Math.max(0, finishedAt - Date.parse(job.created_at)),
    groups: groupsOfViews(job.errors),
    groupedCount: job.failures_grouped,
  };
}
