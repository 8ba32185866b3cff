/** `cc cancel`: jobs as a whole or single tasks; the decision is durable when it returns. */
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { JobId } from "../runtime/protocol/ids.ts";
import { formatPlural } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobOrTask } from "./job-arguments.ts";
import { printStatus } from "./job-request.ts";
import type { CANCEL_VERB } from "./tables/steer.ts";
import { withForeman } from "./with-foreman.ts";

export async function run(context: CommandContext<typeof CANCEL_VERB>): Promise<ExitCode> {
  await withForeman(context, "act", async (connection) => {
    // null: the whole job. All words are understood before anything is cancelled.
    const wanted = new Map<JobId, number[] | null>();
    for (const word of context.positionals) {
      const { jobId, index } = await findJobOrTask(connection, word);
      const indexes = wanted.get(jobId);
      if (index === null || indexes === null) wanted.set(jobId, null);
      else wanted.set(jobId, [...(indexes ?? []), index]);
    }
    for (const [jobId, indexes] of wanted) {
      const status = await connection.request({
        type: "cancel_job",
        job_id: jobId,
        ...(indexes === null ? {} : { index: Uint32Array.from(indexes) }),
        ...(context.values.reason === undefined ? {} : { reason: context.values.reason }),
      });
      const what = formatPlural(status.affected, "task");
      await printStatus(context, jobId, status, `job ${jobId}: ${what} cancelled`);
    }
  });
  return 0;
}
