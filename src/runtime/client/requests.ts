/**
 * Which answer belongs to which request, and how a foreman's refusal becomes an error with an exit
 * code. Exit codes do not travel: a code says what is wrong, the side that was asked decides how to end.
 */
import { CcError, type ExitCode } from "../protocol/error.ts";
import type { MessageOf } from "../protocol/messages.ts";

/** Answers by request; an `error` is possible for each. */
interface AnswerTypes {
  submit_job: "job_accepted";
  submit_tasks: "tasks_accepted";
  close_job: "job_status";
  update_job: "job_status";
  cancel_job: "job_status";
  retry_job: "job_status";
  collect_garbage: "garbage";
  remove_job: "job_status";
  get_job: "job_status";
  read_results: "results";
  read_output: "output";
  read_events: "events";
  read_logs: "logs";
  subscribe: "snapshot";
  update_worker: "done";
  drain_worker: "done";
  shutdown: "done";
  follow_jobs: "done";
  blob_offer: "blob_need" | "blob_done";
  blob_done: "blob_done";
}

export type RequestType = keyof AnswerTypes;
type WithoutRequest<Sent> = Sent extends unknown ? Omit<Sent, "request"> : never;
export type Request<Type extends RequestType = RequestType> = WithoutRequest<MessageOf<Type>>;
export type Answer<Type extends RequestType> = MessageOf<AnswerTypes[Type]>;

/** What a wrong command line or a wrong name causes; everything else is the foreman's refusal (3). */
const USAGE_CODES = new Set([
  "no_such_job",
  "no_such_task",
  "no_such_output",
  "no_such_worker",
  "worker_not_connected",
  "worker_stopping",
  "no_such_retry",
  "idempotency_conflict",
  "bundle_too_large",
  "bad_request",
  "malformed_message",
  "unfinished_jobs",
  "job_not_ended",
  "job_unfinished",
  "too_many_tasks",
  "dependency_cycle",
]);

export function errorOfAnswer(message: MessageOf<"error">): CcError {
  const exitCode: ExitCode = USAGE_CODES.has(message.code) ? 2 : 3;
  return new CcError({
    code: message.code,
    message: message.message,
    hint: message.hint,
    retryable: message.retryable,
    exitCode: message.code === "internal" ? 70 : exitCode,
  });
}

const CONNECTION_LOST = "connection_lost";

export function connectionLost(url: string, reason: string): CcError {
  return new CcError({
    code: CONNECTION_LOST,
    message: `The connection to the foreman at ${url} was lost${reason === "" ? "" : ` (${reason})`}.`,
    hint: "Try again; jobs that it has accepted go on.",
    retryable: true,
    exitCode: 3,
  });
}

/** Whether the request may have been heard or not, and another connection may be tried. */
export function isConnectionLost(thrown: unknown): boolean {
  return thrown instanceof CcError && thrown.code === CONNECTION_LOST;
}
