/** Why a job or a task ended as it did: one sentence with the figures and the reason, and what to type. Pure. */
import {
  isTaskSettled,
  type JobDetailView,
  type TaskDetailView,
  type TaskView,
  type WhyView,
} from "../../protocol/views.ts";

type EndedJob = Pick<JobDetailView, "job_id" | "state" | "tasks" | "errors">;
type EndedTask = Pick<TaskView, "task_id" | "state" | "worker" | "attempts" | "error">;

/** @param cancellation one of the job's cancelled tasks, whose reason is most likely that of all */
export function whyEndedJob(job: EndedJob, cancellation: EndedTask | null): WhyView {
  const { job_id: jobId, state, tasks, errors } = job;
  const [worst] = errors;
  if (state === "completed") {
    return { code: state, sentence: `Job ${jobId} completed: ${countsText(tasks)}.`, hint: null };
  }
  if (state === "cancelled" && tasks.cancelled + tasks.failed === 0) {
    // Nothing is left to cancel only where a job was still to get inputs.
    const sentence = `Job ${jobId} was cancelled before all its inputs had come: ${countsText(tasks)}.`;
    return { code: state, sentence, hint: `cc events ${jobId}` };
  }
  const head =
    state === "cancelled"
      ? `Job ${jobId} was cancelled${reasonText(cancellation?.error ?? null)}${shareText(tasks)}`
      : `Job ${jobId} ${state}: ${countsText(tasks)}.`;
  if (!worst) return { code: state, sentence: head, hint: `cc retry ${jobId}` };
  const often = errors.length === 1 ? "" : "Most often ";
  const times = `${grouped(worst.count)} ${worst.count === 1 ? "time" : "times"}`;
  const error = `${often}${worst.code}: ${worst.message} (${times}, such as ${worst.task_id}).`;
  return { code: state, sentence: `${head} ${error}`, hint: `cc why ${worst.task_id}` };
}

/** What the machine says of the task, with what only its attempts can tell. */
export function whyTaskInFull(task: EndedTask & Pick<TaskDetailView, "history" | "why">): WhyView {
  const { why, history } = task;
  if (why === null || isTaskSettled(task.state)) return whyEndedTask(task, lossesText(history));
  const before = history.at(-1);
  if (task.state === "queued" && before?.outcome === "lost") {
    const lost = `Attempt ${before.attempt} was lost with worker ${before.worker} (${before.ended_at}).`;
    return { ...why, sentence: `${why.sentence} ${lost}` };
  }
  const last = history.findLast(({ outcome }) => outcome === "failed");
  if (why.code !== "backoff" || !last) return why;
  const message = last.message === null ? "" : `: ${closed(last.message)}`;
  return { ...why, sentence: `${why.sentence} Last on ${last.worker}: ${last.code}${message}` };
}

const LOSSES_NAMED_MAX = 5;

/** ` Lost on a (2026-01-01T00:00:00.000Z), b (…).`: who died, and when. */
function lossesText(history: TaskDetailView["history"]): string {
  const lost = history.filter(({ outcome }) => outcome === "lost").slice(-LOSSES_NAMED_MAX);
  const named = lost.map(({ worker, ended_at }) => `${worker} (${ended_at})`);
  return named.length === 0 ? "" : ` Lost on ${named.join(", ")}.`;
}

/** @param losses only told of a task that lost too many workers. */
export function whyEndedTask(task: EndedTask, losses = ""): WhyView {
  const { task_id: taskId, state, worker, attempts, error } = task;
  const where = worker ? ` on ${worker}` : "";
  if (state === "cancelled") {
    const sentence = `Task ${taskId} was cancelled${where}${reasonText(error)}`;
    return { code: error?.code ?? state, sentence, hint: `cc retry ${taskId}` };
  }
  if (!error) return { code: state, sentence: `Task ${taskId} ${state}${where}.`, hint: null };
  const told = error.code === "poison" ? losses : "";
  const sentence = `Task ${taskId} ${state}${where} in attempt ${attempts}: ${error.code}: ${closed(error.message)}${told}`;
  return { code: error.code, sentence, hint: `cc try ${taskId}` };
}

/** ` by request.`, `: not needed.` or ` as all_failing: The first 20 tasks all failed.` */
function reasonText(error: EndedTask["error"]): string {
  if (error === null) return ".";
  const { code, message } = error;
  if (code !== "cancelled") return ` as ${code}: ${closed(message)}`;
  return message === "cancelled by request" ? " by request." : `: ${closed(message)}`;
}

/** What else became of the tasks; nothing where all were cancelled. */
const shareText = (tasks: JobDetailView["tasks"]): string =>
  tasks.completed + tasks.failed === 0 ? "" : ` ${countsText(tasks)}.`;

/** Zeros are left out, for what did not happen explains nothing. */
function countsText({ completed, failed, cancelled }: JobDetailView["tasks"]): string {
  const counts = { completed, failed, cancelled };
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  if (parts.length === 0) return "it had no tasks";
  return parts.map(([state, count]) => `${grouped(count)} ${state}`).join(", ");
}

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** With a full stop, unless it ends itself. */
const closed = (message: string): string => (/[.!?…]$/.test(message) ? message : `${message}.`);
