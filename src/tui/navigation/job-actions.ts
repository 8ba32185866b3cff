/**
 * Questions about jobs: what would be done, or the reason why it cannot be. Nothing here does
 * anything; only the answer `y` turns a question into an effect.
 */
import type { JobRowView } from "../../runtime/protocol/monitor-views.ts";
import { isJobEnded } from "../../runtime/protocol/views.ts";
import { formatExactCount, formatPlural } from "../text/amounts.ts";
import { refuse } from "./change.ts";
import type { NavContext, NavStep } from "./nav-types.ts";
import { ask, capital, NAMED_MAX, PRIORITY_MAX, TASKS_WITHOUT_TYPING_MAX } from "./question.ts";
import { jobRowOf } from "./shown-lists.ts";
import type { ViewState } from "./view-state.ts";

export function cancelJobs(
  state: ViewState,
  context: NavContext,
  jobIds: readonly number[],
): NavStep {
  const jobs = jobIds.map((jobId) => ({ jobId, row: jobRowOf(context.shown, jobId) }));
  const open = jobs.filter(({ row }) => row === null || !isJobEnded(row.state));
  if (open.length === 0) return refuse(state, nothingTo("cancel", jobs), context.nowMs);
  const tasks = open.map(({ row }) => (row === null ? null : unfinishedOf(row)));
  const known = tasks.every((count) => count !== null);
  const total = tasks.reduce((sum: number, count) => sum + (count ?? 0), 0);
  const [only] = open;
  return ask(state, {
    requests: open.map(({ jobId }) => ({ kind: "cancel_job", jobId })),
    question: `Cancel ${jobsText(open)}? ${stoppedText(open)}`,
    mustType:
      known && total <= TASKS_WITHOUT_TYPING_MAX
        ? null
        : open.length === 1 && only !== undefined
          ? String(only.jobId)
          : "all",
  });
}

interface JobTarget {
  readonly jobId: number;
  readonly row: JobRowView | null;
}

const unfinishedOf = ({ tasks }: JobRowView): number =>
  tasks.blocked + tasks.queued + tasks.delayed + tasks.running;

function stoppedText(jobs: readonly JobTarget[]): string {
  if (jobs.some(({ row }) => row === null)) return "What has not ended stops.";
  const sum = (count: (row: JobRowView) => number) =>
    jobs.reduce((total, { row }) => total + (row === null ? 0 : count(row)), 0);
  const running = sum(({ tasks }) => tasks.running);
  const waiting = sum((row) => unfinishedOf(row) - row.tasks.running);
  if (running + waiting === 0) return "It takes no more inputs.";
  return `${formatExactCount(running)} running + ${formatExactCount(waiting)} queued tasks stop.`;
}

function jobsText(jobs: readonly JobTarget[]): string {
  const [only] = jobs;
  if (jobs.length === 1 && only !== undefined) {
    return only.row === null ? `job ${only.jobId}` : `job ${only.jobId} "${only.row.name}"`;
  }
  const named = jobs.slice(0, NAMED_MAX).map(({ jobId }) => String(jobId));
  return `${jobs.length} jobs (${named.join(", ")}${jobs.length > NAMED_MAX ? ", …" : ""})`;
}

/** `job 17 is completed: nothing to cancel`. */
function nothingTo(verb: string, jobs: readonly JobTarget[]): string {
  const [only] = jobs;
  if (only === undefined) return `no job is selected: nothing to ${verb}`;
  if (jobs.length > 1) return `all ${jobs.length} jobs have ended: nothing to ${verb}`;
  return `job ${only.jobId} is ${only.row?.state ?? "gone"}: nothing to ${verb}`;
}

export function retryFailed(
  state: ViewState,
  context: NavContext,
  jobIds: readonly number[],
): NavStep {
  const jobs = jobIds.map((jobId) => ({ jobId, row: jobRowOf(context.shown, jobId) }));
  const wanted = jobs.filter(({ row }) => row === null || failedOf(row) > 0);
  const [first] = jobs;
  if (first === undefined) {
    return refuse(state, "no job is selected: nothing to retry", context.nowMs);
  }
  if (wanted.length === 0) {
    const text = jobs.length === 1 ? `job ${first.jobId} has` : "these jobs have";
    return refuse(state, `${text} no failed or cancelled tasks: nothing to retry`, context.nowMs);
  }
  const total = wanted.reduce((sum, { row }) => sum + (row === null ? 0 : failedOf(row)), 0);
  const what = total === 0 ? "the failed tasks" : `the ${formatPlural(total, "task")}`;
  return ask(state, {
    requests: wanted.map(({ jobId }) => ({ kind: "retry_failed", jobId })),
    question: `Retry ${what} of ${jobsText(wanted)} that failed or were cancelled? They are queued again.`,
    mustType: null,
  });
}

const failedOf = ({ tasks }: JobRowView): number => tasks.failed + tasks.cancelled;

/** `paused` null: whichever it is not. */
export function pauseJobs(
  state: ViewState,
  context: NavContext,
  { jobIds, paused }: { readonly jobIds: readonly number[]; readonly paused: boolean | null },
): NavStep {
  const jobs = jobIds.map((jobId) => ({ jobId, row: jobRowOf(context.shown, jobId) }));
  const open = jobs.filter(({ row }) => row === null || !isJobEnded(row.state));
  const [first] = open;
  const wanted = paused ?? first?.row?.state !== "paused";
  const verb = wanted ? "pause" : "resume";
  if (first === undefined) return refuse(state, nothingTo(verb, jobs), context.nowMs);
  const change = open.filter(({ row }) => row === null || (row.state === "paused") !== wanted);
  if (change.length === 0) {
    const text = open.length === 1 ? `job ${first.jobId} is` : "these jobs are";
    return refuse(
      state,
      wanted ? `${text} paused already` : `${text} not paused: nothing to resume`,
      context.nowMs,
    );
  }
  const consequence = wanted
    ? "No further tasks start; running ones finish."
    : "Its tasks start again.";
  return ask(state, {
    requests: change.map(({ jobId }) => ({ kind: "pause_job", jobId, paused: wanted })),
    question: `${capital(verb)} ${jobsText(change)}? ${consequence}`,
    mustType: null,
  });
}

export function setPriority(
  state: ViewState,
  context: NavContext,
  { jobIds, change }: { readonly jobIds: readonly number[]; readonly change: PriorityChange },
): NavStep {
  const [jobId] = jobIds;
  const row = jobId === undefined ? null : jobRowOf(context.shown, jobId);
  if (jobId === undefined || jobIds.length > 1) {
    const text = jobId === undefined ? "no job is selected" : "several jobs are marked";
    return refuse(state, `${text}: the priority is set one job at a time`, context.nowMs);
  }
  if (row !== null && isJobEnded(row.state)) {
    return refuse(
      state,
      `job ${jobId} is ${row.state}: its priority changes nothing`,
      context.nowMs,
    );
  }
  if (row === null && "by" in change) {
    return refuse(state, `job ${jobId} has not come yet`, context.nowMs);
  }
  const before = row?.priority ?? 0;
  const wanted = "to" in change ? change.to : before + change.by;
  const priority = Math.max(-PRIORITY_MAX, Math.min(PRIORITY_MAX, wanted));
  if (row !== null && priority === before) {
    return refuse(state, `job ${jobId} has priority ${before} already`, context.nowMs);
  }
  const from = row === null ? "" : ` from ${before}`;
  return ask(state, {
    requests: [{ kind: "set_priority", jobId, priority }],
    question: `Set the priority of ${jobsText([{ jobId, row }])}${from} to ${priority}? Larger goes first; + and - change it.`,
    mustType: null,
  });
}

export type PriorityChange = { readonly by: number } | { readonly to: number };
