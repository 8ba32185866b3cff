/** What the steering verbs share: a request for each named job, and a line about each answer. */
import { safeLine } from "../runtime/platform/safe-text.ts";
import type { MessageOf } from "../runtime/protocol/messages.ts";
import type { JobView } from "../runtime/protocol/views.ts";
import type { PrintContext } from "./print.ts";
import { printObject } from "./print.ts";

type Status = MessageOf<"job_status">;

/** The job as it now is; null once it was removed. */
export function jobOf(status: Status): JobView | null {
  // The foreman writes views.ts shapes here; they are only shown.
  return (status.job ?? null) as JobView | null;
}

/** JSON: the job. `-q`: its id. Else one sentence on stderr, since stdout carries results only. */
export async function printStatus(
  context: PrintContext,
  jobId: number,
  status: Status,
  sentence: string,
): Promise<void> {
  const { stdout, stderr } = context.io;
  if (context.json) {
    const job = jobOf(status) ?? { job_id: jobId };
    const note = status.note === undefined ? {} : { note: status.note };
    await printObject(context, { ...job, affected: status.affected, ...note });
  } else if (context.quiet) await stdout.write(`${jobId}\n`);
  else await stderr.write(`${safeLine(status.note ?? sentence)}\n`);
}
