/** `cc version`: what this executable is. */
import { BUILD_COMMIT, PROGRAM_VERSION } from "../runtime/platform/version.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import { JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import type { CommandContext } from "./command-context.ts";
import type { VERSION_VERB } from "./tables/setup.ts";

export async function run(context: CommandContext<typeof VERSION_VERB>): Promise<ExitCode> {
  const facts = {
    version: PROGRAM_VERSION,
    commit: BUILD_COMMIT,
    platform: `${process.platform}-${process.arch}`,
    runtime: `bun ${Bun.version}`,
  };
  await context.io.stdout.write(
    context.json
      ? `${JSON.stringify({ schema: JSON_SCHEMA_NAME, ...facts })}\n`
      : `crowdcompute ${facts.version} (${[facts.commit, facts.platform, facts.runtime].filter(Boolean).join(", ")})\n`,
  );
  return 0;
}
