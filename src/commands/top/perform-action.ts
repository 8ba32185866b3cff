/**
 * What a person does in the monitor, as the requests that the verbs make. Each waits for the foreman's
 * answer, which comes after its commit, and says with its numbers what has happened.
 */
import type { Connection } from "../../runtime/client/connection.ts";
import type { MessageOf } from "../../runtime/protocol/messages.ts";
import type { ActionRequest } from "../../tui/feed.ts";
import { formatPlural } from "../../tui/text/amounts.ts";
import { askAgain } from "../ask-again.ts";
import { jobOf } from "../job-request.ts";

type Status = MessageOf<"job_status">;

/** @returns the sentence to show. @throws CcError the foreman's refusal. */
export async function performAction(
  connection: Connection,
  action: ActionRequest,
): Promise<string> {
  switch (action.kind) {
    case "cancel_job":
    case "cancel_tasks":
      return await cancel(connection, action);
    case "retry_failed":
    case "retry_tasks":
      return await retry(connection, action);
    case "pause_job":
      return await pauseJob(connection, action);
    case "set_priority":
      return await setPriority(connection, action);
    case "pause_worker":
      return await pauseWorker(connection, action);
    case "drain_worker":
      return await drainWorker(connection, action);
  }
}

type Action<Kind extends ActionRequest["kind"]> = Extract<ActionRequest, { kind: Kind }>;

async function cancel(
  connection: Connection,
  action: Action<"cancel_job" | "cancel_tasks">,
): Promise<string> {
  const { jobId } = action;
  const status = await connection.request({
    type: "cancel_job",
    job_id: jobId,
    ...(action.kind === "cancel_job" ? {} : { index: Uint32Array.from(action.indexes) }),
  });
  return status.note ?? `job ${jobId}: ${formatPlural(status.affected, "task")} cancelled`;
}

async function retry(
  connection: Connection,
  action: Action<"retry_failed" | "retry_tasks">,
): Promise<string> {
  const { jobId } = action;
  const status = await askAgain(() =>
    connection.request({
      type: "retry_job",
      job_id: jobId,
      ...(action.kind === "retry_failed" ? {} : { index: Uint32Array.from(action.indexes) }),
      // Among many that are marked some may have completed meanwhile: their results stay.
      all: false,
    }),
  );
  if (status.affected === 0) return `job ${jobId}: ${status.note ?? "nothing to queue again"}`;
  return `job ${jobId}: ${formatPlural(status.affected, "task")} queued again`;
}

async function pauseJob(
  connection: Connection,
  { jobId, paused }: Action<"pause_job">,
): Promise<string> {
  const status = await connection.request({ type: "update_job", job_id: jobId, patch: { paused } });
  if (status.note !== undefined) return status.note;
  if (!paused) return `job ${jobId} goes on${waitingIn(status)}`;
  const running = jobOf(status)?.tasks.running ?? 0;
  return running === 0
    ? `job ${jobId} is paused`
    : `job ${jobId} is paused; ${formatPlural(running, "running task")} ${running === 1 ? "finishes" : "finish"}`;
}

function waitingIn(status: Status): string {
  const tasks = jobOf(status)?.tasks;
  const waiting = tasks === undefined ? 0 : tasks.queued + tasks.delayed + tasks.blocked;
  return waiting === 0 ? "" : `; ${formatPlural(waiting, "task")} waiting`;
}

async function setPriority(
  connection: Connection,
  { jobId, priority }: Action<"set_priority">,
): Promise<string> {
  const patch = { priority };
  const status = await connection.request({ type: "update_job", job_id: jobId, patch });
  return status.note ?? `job ${jobId} has priority ${jobOf(status)?.priority ?? priority}`;
}

async function pauseWorker(
  connection: Connection,
  { workerId, paused }: Action<"pause_worker">,
): Promise<string> {
  const answer = await connection.request({
    type: "update_worker",
    worker_id: workerId,
    paused,
    now: false,
  });
  if (answer.note !== undefined) return answer.note;
  return paused
    ? `worker ${workerId} takes no more tasks; what runs there finishes`
    : `worker ${workerId} takes tasks again`;
}

async function drainWorker(
  connection: Connection,
  { workerId, undo }: Action<"drain_worker">,
): Promise<string> {
  const answer = await connection.request({ type: "drain_worker", worker_id: workerId, undo });
  if (answer.note !== undefined) return answer.note;
  return undo
    ? `worker ${workerId} stays and takes tasks again`
    : `worker ${workerId} drains: it ends when its running tasks have`;
}
