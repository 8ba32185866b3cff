/** `cc why`: one sentence about a job, a task or a worker, and what to type. */
import { bodyOf } from "../runtime/client/connection.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { WhyView } from "../runtime/protocol/views.ts";
import type { CommandContext } from "./command-context.ts";
import { tryFindJobOrTask } from "./job-arguments.ts";
import { createPalette } from "./palette.ts";
import { printObject } from "./print.ts";
import type { WHY_VERB } from "./tables/look.ts";
import { withForeman } from "./with-foreman.ts";

export async function run(context: CommandContext<typeof WHY_VERB>): Promise<ExitCode> {
  const [word] = context.positionals;
  await withForeman(context, "look", async (connection) => {
    const found = await tryFindJobOrTask(connection, word);
    const subject = found
      ? { job_id: found.jobId, ...(found.index === null ? {} : { index: found.index }) }
      : { worker_id: word };
    const why = bodyOf<WhyView>(await connection.look({ kind: "why", ...subject }));
    if (context.json) {
      await printObject(context, why);
      return;
    }
    const palette = createPalette(context.color.stdout);
    const hint = why.hint === null ? "" : `${palette.accent(safeLine(why.hint))}\n`;
    await context.io.stdout.write(`${safeLine(why.sentence)}\n${hint}`);
  });
  return 0;
}
