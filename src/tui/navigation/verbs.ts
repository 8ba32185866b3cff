/** Actions in words: what one would type for them, and what is said while the foreman has not answered. */
import type { ActionRequest } from "../feed.ts";
import { formatPlural } from "../text/amounts.ts";

/** The same on the command line. */
export function verbOf(request: ActionRequest): string {
  switch (request.kind) {
    case "cancel_job":
      return `cc cancel ${request.jobId}`;
    case "cancel_tasks":
      return `cc cancel ${taskWords(request)}`;
    case "retry_failed":
      return `cc retry ${request.jobId}`;
    case "retry_tasks":
      return `cc retry ${taskWords(request)}`;
    case "pause_job":
      return `cc ${request.paused ? "pause" : "resume"} ${request.jobId}`;
    case "set_priority":
      return `cc set ${request.jobId} --priority ${request.priority}`;
    case "pause_worker":
      return `cc ${request.paused ? "pause" : "resume"} ${request.workerId}`;
    case "drain_worker":
      return `cc drain ${request.workerId}${request.undo ? " --undo" : ""}`;
  }
}

interface Tasks {
  readonly jobId: number;
  readonly indexes: readonly number[];
}

const TASKS_NAMED = 3;

function taskWords({ jobId, indexes }: Tasks): string {
  const words = indexes.slice(0, TASKS_NAMED).map((index) => `${jobId}/${index}`);
  return indexes.length > TASKS_NAMED ? `${words.join(" ")} …` : words.join(" ");
}

/** What an action is about: `job 17`, `task 17/3`, `12 tasks of job 17`, `worker w03`. */
export function objectOf(request: ActionRequest): string {
  switch (request.kind) {
    case "cancel_tasks":
    case "retry_tasks":
      return request.indexes.length === 1
        ? `task ${request.jobId}/${request.indexes[0]}`
        : `${formatPlural(request.indexes.length, "task")} of job ${request.jobId}`;
    case "pause_worker":
    case "drain_worker":
      return `worker ${request.workerId}`;
    case "cancel_job":
    case "retry_failed":
    case "pause_job":
    case "set_priority":
      return `job ${request.jobId}`;
  }
}

/** `cancelling job 17 …`: asked for, not yet acknowledged. */
export function pendingText(requests: readonly ActionRequest[]): string {
  const [first] = requests;
  if (first === undefined) return "";
  const object = requests.length === 1 ? objectOf(first) : `${requests.length} ${kindWord(first)}s`;
  return `${doingWord(first)} ${object} …`;
}

const kindWord = (request: ActionRequest): string =>
  request.kind.endsWith("_worker") ? "worker" : "job";

function doingWord(request: ActionRequest): string {
  switch (request.kind) {
    case "cancel_job":
    case "cancel_tasks":
      return "cancelling";
    case "retry_failed":
    case "retry_tasks":
      return "retrying";
    case "pause_job":
    case "pause_worker":
      return request.paused ? "pausing" : "resuming";
    case "set_priority":
      return "setting the priority of";
    case "drain_worker":
      return request.undo ? "keeping" : "draining";
  }
}

/** What takes a pause or a drain back; null for what cannot be taken back. */
export function reverseOf(request: ActionRequest): ActionRequest | null {
  switch (request.kind) {
    case "pause_job":
    case "pause_worker":
      return { ...request, paused: !request.paused };
    case "drain_worker":
      return { ...request, undo: !request.undo };
    case "cancel_job":
    case "cancel_tasks":
    case "retry_failed":
    case "retry_tasks":
    case "set_priority":
      return null;
  }
}
