/** `cc rm`: forgets finished jobs with all they left. */
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobId } from "./job-arguments.ts";
import { printStatus } from "./job-request.ts";
import type { RM_VERB } from "./tables/steer.ts";
import { withForeman } from "./with-foreman.ts";

export async function run(context: CommandContext<typeof RM_VERB>): Promise<ExitCode> {
  await withForeman(context, "act", async (connection) => {
    for (const word of context.positionals) {
      const jobId = await findJobId(connection, word);
      const status = await connection.request({ type: "remove_job", job_id: jobId });
      await printStatus(context, jobId, status, `job ${jobId} is forgotten`);
    }
  });
  return 0;
}
