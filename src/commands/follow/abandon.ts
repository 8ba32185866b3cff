/**
 * What becomes of a job when its submitter stops following it: it goes on by itself once all inputs are
 * accepted; before that it is cancelled, or left open under the user's key. An attached job always ends.
 */
import type { Link } from "../../runtime/client/link.ts";
import type { Submission } from "../../runtime/client/submit-job.ts";
import { systemClock } from "../../runtime/platform/clock.ts";

export interface Abandoned {
  readonly link: Link;
  /** The foreman ends with this command. */
  readonly isLocal: boolean;
  readonly ownStore: string | null;
  /** null: nothing has been sent. */
  readonly submitting: Promise<Submission> | null;
  readonly attached: boolean;
  /** The user gave a key under which the same line goes on. */
  readonly resumable: boolean;
  /** Why the job is cancelled, when it failed here. */
  readonly failure?: string;
  say(line: string): Promise<void>;
}

export type Cause = "interrupted" | "reader gone" | "failed";

/** Longer than a foreman takes to answer; a person who pressed Ctrl-C waits no longer. */
const ANSWER_MS_MAX = 3_000;

export async function abandonSubmission(abandoned: Abandoned, cause: Cause): Promise<void> {
  const work = abandon(abandoned, cause);
  // Nobody waits for a command whose reader has gone: its inputs may take their time.
  const ended = cause === "reader gone" ? work : inTime(work);
  // Whatever fails here, there is nobody left to do it better: the foreman notices that we are gone.
  await ended.catch(() => {});
}

async function abandon(abandoned: Abandoned, cause: Cause): Promise<void> {
  const submission = await abandoned.submitting;
  if (submission === null) return;
  const { jobId } = submission;
  if (abandoned.attached) {
    await cancel(abandoned, jobId, cause);
    return;
  }
  if (cause === "reader gone" && !submission.hasAllInputs()) await submission.inputs;
  if (submission.hasAllInputs()) {
    if (cause === "interrupted") await sayDetached(abandoned, jobId);
  } else if (cause === "interrupted" && abandoned.resumable) {
    await abandoned.say(
      `job ${jobId} waits a day for the rest of its inputs: type the same line again, or cc cancel ${jobId}`,
    );
  } else await cancel(abandoned, jobId, cause);
}

async function cancel(
  { link, say, failure }: Abandoned,
  jobId: number,
  cause: Cause,
): Promise<void> {
  const reason = (failure ?? REASONS[cause]).slice(0, REASON_CHARACTERS_MAX);
  await link.run((connection) => connection.request({ type: "cancel_job", job_id: jobId, reason }));
  await say(`job ${jobId} is cancelled: ${reason}`);
}

const REASON_CHARACTERS_MAX = 1_000;
const REASONS: Readonly<Record<Cause, string>> = {
  interrupted: "its submitter was interrupted",
  "reader gone": "the reader of its results has gone",
  failed: "its submitter failed",
};

async function sayDetached(abandoned: Abandoned, jobId: number): Promise<void> {
  const { isLocal, ownStore, say } = abandoned;
  if (!isLocal) {
    await say(
      `detached; job ${jobId} goes on: cc wait ${jobId} follows it, cc cancel ${jobId} ends it`,
    );
  } else if (ownStore === null) {
    await say(
      `stopped; job ${jobId} is kept: cc wait ${jobId} goes on with it, cc cancel ${jobId} ends it`,
    );
  } else {
    await say(
      `stopped; job ${jobId} is kept in ${ownStore}: cc foreman --store ${ownStore} --workers 1 goes on with it`,
    );
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = systemClock.setTimer(ANSWER_MS_MAX, late.resolve);
  await Promise.race([work, late.promise]).finally(() => timer.cancel());
}
