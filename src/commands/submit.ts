/**
 * `cc submit`: understands the line, sends job and inputs, follows the job and prints its results. What
 * becomes of the job when this command is interrupted, or its reader goes away, is decided here.
 */
import { buildSpec, defaultNameOf } from "../runtime/client/build-spec.ts";
import { type EncodedBatch, encodeInputs } from "../runtime/client/inputs/encode-inputs.ts";
import { primeBatches } from "../runtime/client/inputs/prime-batches.ts";
import { createReduction } from "../runtime/client/reduce-results.ts";
import { isInputsClosed, type Submission, submitJob } from "../runtime/client/submit-job.ts";
import { redirectConsoleToStderr } from "../runtime/job-module/console-to-stderr.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import { uuid } from "../runtime/platform/random.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import { CcError, type ExitCode, toCcError } from "../runtime/protocol/error.ts";
import { JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import { formatPlural } from "../tui/text/amounts.ts";
import { OutputClosed } from "./command-context.ts";
import { type Abandoned, abandonSubmission } from "./follow/abandon.ts";
import { consoleStream } from "./follow/console-stream.ts";
import { dryRun } from "./follow/dry-run.ts";
import { followJob } from "./follow/follow-job.ts";
import { untilInterrupted } from "./follow/interrupt.ts";
import {
  CANCELLED_BY_CTRL_C,
  DETACHED_BY_CTRL_C,
  openSession,
  type Session,
  withPatientStderr,
} from "./follow/open-session.ts";
import {
  planSubmission,
  type SubmissionPlan,
  type SubmitContext,
} from "./follow/plan-submission.ts";
import { sayEnd } from "./follow/say-end.ts";
import { findJobId } from "./job-arguments.ts";

export async function run(given: SubmitContext): Promise<ExitCode> {
  const context = withPatientStderr(given);
  const userConsole = consoleStream(context.io.stderr);
  const restoreConsole = redirectConsoleToStderr(userConsole.stream);
  try {
    const plan = await planSubmission(context);
    if (!context.quiet) {
      for (const warning of plan.bundle?.warnings ?? []) {
        await context.io.stderr.write(`${safeLine(warning)}\n`);
      }
    }
    const batches = encodeInputs(plan.source, {
      chunk: plan.shape.chunk,
      head: context.values.head,
      clock: systemClock,
    });
    if (context.values.dryRun) {
      // Also what is wrong with the options shows without a foreman.
      buildSpec(specRequest(context, plan, []));
      await dryRun(context, plan, batches);
      return 0;
    }
    const primed = await primeBatches(batches, systemClock);
    const session = await openSession(context, {
      detach: context.values.detach,
      ...(context.values.attached ? CANCELLED_BY_CTRL_C : DETACHED_BY_CTRL_C),
    });
    userConsole.writeThrough(session.progress);
    return await runSession(context, plan, session, primed);
  } finally {
    restoreConsole();
  }
}

/** What is known of the job while it runs; filled in as it becomes known. */
interface Running {
  submission: Submission | null;
  submitting: Promise<Submission> | null;
}

async function runSession(
  context: SubmitContext,
  plan: SubmissionPlan,
  session: Session,
  batches: AsyncIterable<EncodedBatch>,
): Promise<ExitCode> {
  const running: Running = { submission: null, submitting: null };
  let isDone = false;
  try {
    const outcome = await untilInterrupted(() =>
      submitAndFollow(context, plan, session, batches, running),
    );
    if (outcome.kind === "interrupted") {
      await session.progress.stop();
      await abandonSubmission(abandonedOf(context, session, running), "interrupted");
      return 130;
    }
    isDone = outcome.value.isDone;
    return outcome.value.exitCode;
  } catch (thrown) {
    await session.progress.stop();
    if (thrown instanceof OutputClosed) {
      await abandonSubmission(abandonedOf(context, session, running), "reader gone");
      throw thrown;
    }
    const error = toCcError(thrown);
    // The job under that key is another one, and not ours to end; or it has ended.
    if (error.code !== "idempotency_conflict" && !isInputsClosed(thrown)) {
      const abandoned = abandonedOf(context, session, running);
      await abandonSubmission({ ...abandoned, failure: error.message }, "failed");
    }
    throw withJob(thrown, running.submission);
  } finally {
    await session.close({ isDone });
  }
}

function abandonedOf(context: SubmitContext, session: Session, running: Running): Abandoned {
  return {
    link: session.link,
    isLocal: session.isLocal,
    ownStore: session.ownStore,
    submitting: running.submitting,
    attached: context.values.attached,
    resumable: context.values.idempotencyKey !== undefined,
    say: (line) => session.progress.say(line),
  };
}

async function submitAndFollow(
  context: SubmitContext,
  plan: SubmissionPlan,
  session: Session,
  batches: AsyncIterable<EncodedBatch>,
  running: Running,
): Promise<{ readonly exitCode: ExitCode; readonly isDone: boolean }> {
  const { values } = context;
  const { link } = session;
  const startedAtMs = systemClock.monotonicMs();
  const after = await Promise.all(
    (values.after ?? []).map((word) => link.run((connection) => findJobId(connection, word))),
  );
  const spec = buildSpec(specRequest(context, plan, after));
  running.submitting = submitJob({
    link,
    spec,
    submissionId: values.idempotencyKey ?? uuid(),
    resumable: values.idempotencyKey !== undefined,
    bundle: plan.bundle,
    batches,
    clock: systemClock,
    onHeld: ({ message }) =>
      void session.progress.say(`${message} Waiting for room; Ctrl-C gives up.`).catch(() => {}),
  });
  const submission = await running.submitting;
  running.submission = submission;
  const { jobId } = submission;
  // Without a key of the user's only a lost answer makes the job a known one.
  if (submission.existing && values.idempotencyKey !== undefined) {
    await session.progress.say(`job ${jobId} exists already under this key`);
  }
  if (values.detach) {
    const count = await submission.inputs;
    await printId(context, session, jobId, count);
    return { exitCode: 0, isDone: false };
  }
  const { tally, job } = await followWhileFeeding(context, plan, session, submission);
  await session.progress.stop();
  const { completed, failed, cancelled } = tally;
  await sayEnd(context, {
    jobId,
    state: job.state,
    completed,
    failed,
    cancelled,
    durationMs: systemClock.monotonicMs() - startedAtMs,
    groups: tally.errorGroups(),
  });
  const isWhole = failed + cancelled === 0 && job.state === "completed";
  return { exitCode: isWhole ? 0 : 1, isDone: isWhole };
}

/** Inputs still go out while results come in; what is wrong with the inputs ends both. */
async function followWhileFeeding(
  context: SubmitContext,
  plan: SubmissionPlan,
  session: Session,
  submission: Submission,
): ReturnType<typeof followJob> {
  const { values, io } = context;
  const following = followJob({
    link: session.link,
    jobId: submission.jobId,
    job: { isCommand: plan.work.kind === "command", input: plan.shape },
    io,
    progress: session.progress,
    output: plan.output,
    unordered: values.unordered,
    reduction: plan.bundle === null ? null : createReduction(plan.bundle.module),
    partial: values.partial,
  });
  const feeding = submission.inputs.then(
    () => following,
    (thrown: unknown) => {
      // The job ended before its inputs did: its results tell the rest.
      if (isInputsClosed(thrown)) return following;
      throw thrown;
    },
  );
  const [followed] = await Promise.all([following, feeding]);
  return followed;
}

function specRequest(
  context: SubmitContext,
  { options, work, shape }: SubmissionPlan,
  after: readonly number[],
): Parameters<typeof buildSpec>[0] {
  const { values, env, cwd, words } = context;
  const defaultName = defaultNameOf(work);
  return { options, work, shape, defaultName, after, attached: values.attached, env, cwd, words };
}

async function printId(
  context: SubmitContext,
  session: Session,
  jobId: number,
  count: number,
): Promise<void> {
  await session.progress.stop();
  const line = context.json ? JSON.stringify({ schema: JSON_SCHEMA_NAME, job_id: jobId }) : jobId;
  await context.io.stdout.write(`${line}\n`);
  await session.progress.say(`job ${jobId}: ${formatPlural(count, "task")} submitted`);
}

/** What went wrong after the submission names the job that it concerns. */
function withJob(thrown: unknown, submission: Submission | null): unknown {
  if (submission === null || !(thrown instanceof CcError)) return thrown;
  const { jobId } = submission;
  const isGone = thrown.code === "foreman_lost" || thrown.code === "foreman_ended";
  return new CcError({
    code: thrown.code,
    message: isGone ? thrown.message : nameJob(thrown.message, jobId),
    hint: isGone ? `cc wait ${jobId}` : thrown.hint,
    retryable: thrown.retryable,
    exitCode: thrown.exitCode,
    cause: thrown,
  });
}

/** Inside the sentence where it ends in a full stop; once, where it is named there already. */
function nameJob(sentence: string, jobId: number): string {
  if (new RegExp(`\\bjob ${jobId}\\b`, "i").test(sentence)) return sentence;
  const words = sentence.replace(/\.$/, "");
  return `${words} (job ${jobId})${words === sentence ? "" : "."}`;
}
