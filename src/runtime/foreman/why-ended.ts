/** Why a job or a task ended as it did: one sentence with the figures and the reason, and what to type. Pure. */
import type { JobDetailView, TaskView, WhyView } from "../protocol/views.ts";

type EndedJob = Pick<JobDetailView, "job_id" | "state" | "tasks" | "errors">;
type EndedTask = Pick<TaskView, "task_id" | "state" | "worker" | "attempts" | "error">;

/** @param cancellation one of the job's cancelled tasks, whose reason is most likely that of all */
export function whyEndedJob(job: EndedJob, cancellation: EndedTask | null): WhyView {
  const { job_id: jobId, state, tasks, errors } = job;
  const head = `Job ${jobId} ${pastOf(state)}: ${countsText(tasks)}.`;
  if (state === "completed") return { code: state, sentence: head, hint: null };
  const [worst] = errors;
  const reasons = [head];
  if (cancellation?.error) {
    const { code, message } = cancellation.error;
    reasons.push(`Cancelled as ${code}: ${closed(message)}`);
  }
  if (worst) {
    const often = errors.length === 1 ? "" : "Most often ";
    const times = `${grouped(worst.count)} ${worst.count === 1 ? "time" : "times"}`;
    reasons.push(`${often}${worst.code}: ${worst.message} (${times}, such as ${worst.task_id}).`);
  }
  const hint = worst ? `cc why ${worst.task_id}` : `cc retry ${jobId}`;
  return { code: state, sentence: reasons.join(" "), hint };
}

export function whyEndedTask(task: EndedTask): WhyView {
  const { task_id: taskId, state, worker, attempts, error } = task;
  const where = worker ? ` on ${worker}` : "";
  const head = `Task ${taskId} ${pastOf(state)}${where}`;
  const retry = state === "cancelled" ? `cc retry ${taskId}` : null;
  if (!error) return { code: state, sentence: `${head}.`, hint: retry };
  const attempt = attempts === 0 ? "" : ` in attempt ${attempts}`;
  return {
    code: error.code,
    sentence: `${head}${attempt}: ${error.code}: ${closed(error.message)}`,
    hint: state === "failed" ? `cc try ${taskId}` : retry,
  };
}

const pastOf = (state: string): string => (state === "cancelled" ? "was cancelled" : state);

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
