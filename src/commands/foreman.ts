/**
 * `cc foreman`: a backup, or the daemon. What either needs is loaded after that is known, so that the
 * one that starts itself anew for a small heap has hardly begun by then.
 */
import { restartWithSmallHeap } from "../runtime/platform/small-heap.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import type { FOREMAN_VERB } from "./tables/daemons.ts";

export async function run(context: CommandContext<typeof FOREMAN_VERB>): Promise<ExitCode> {
  const { values, env } = context;
  if (values.backup !== undefined) {
    const { runBackup } = await import("./backup-store.ts");
    return await runBackup(context, values.backup);
  }
  // Descriptors that were passed on do not outlive a new start; who passes them starts it with one.
  const isPassedDescriptors = values.tiedFd !== undefined || values.readyFd !== undefined;
  if (!isPassedDescriptors) restartWithSmallHeap(env);
  const { serveForeman } = await import("./serve-foreman.ts");
  return await serveForeman(context);
}
