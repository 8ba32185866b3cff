/** What the answers to clients have in common: the request they belong to, and errors. */
import { CcError } from "../../protocol/error.ts";
import type { Message } from "../../protocol/messages.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { Channel } from "../../transport/channel.ts";
import { noSuchTask } from "../views/task-views.ts";

/** @throws CcError `no_such_task` */
export function checkIndexes(job: JobFacts, indexes: Uint32Array | undefined): void {
  const outside = indexes?.find((index) => index >= job.inputCount);
  if (outside !== undefined) throw noSuchTask(job, outside);
}

/** @param nextJobId numbers below it were given out: such a job has been forgotten. */
export function noSuchJob(id: number, nextJobId: number): CcError {
  const isForgotten = id > 0 && id < nextJobId;
  return new CcError({
    code: "no_such_job",
    message: isForgotten
      ? `There is no job ${id} any more: it was forgotten, with all it left.`
      : `There is no job ${id}.`,
    hint: isForgotten ? "cc events --kind job_removed" : "cc jobs",
    exitCode: 2,
  });
}

export const noSuchWorker = (name: string): CcError =>
  new CcError({
    code: "no_such_worker",
    message: `There is no worker "${name}".`,
    hint: "cc workers",
    exitCode: 2,
  });

export function answerError(channel: Channel, request: number | null, error: CcError): void {
  channel.send({
    type: "error",
    ...(request === null ? {} : { request }),
    ...error.toView(),
  });
}

export function requestOf(message: Message): number | null {
  return "request" in message && typeof message.request === "number" ? message.request : null;
}
