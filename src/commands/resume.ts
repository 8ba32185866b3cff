/** `cc resume`: the reverse of `cc pause`. */
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { setPaused } from "./pause.ts";
import type { RESUME_VERB } from "./tables/steer.ts";

export async function run(context: CommandContext<typeof RESUME_VERB>): Promise<ExitCode> {
  return setPaused(context, { paused: false, now: false });
}
