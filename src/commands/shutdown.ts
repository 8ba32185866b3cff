/** `cc shutdown`: stops the foreman gracefully; with unfinished jobs it asks, or wants --yes. */
import { bodyOf, type Connection } from "../runtime/client/connection.ts";
import { CcError, type ExitCode } from "../runtime/protocol/error.ts";
import type { ForemanView } from "../runtime/protocol/views.ts";
import { formatPlural } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { printObject } from "./print.ts";
import type { SHUTDOWN_VERB } from "./tables/steer.ts";
import { withListeningForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof SHUTDOWN_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  return withListeningForeman(context, async (connection) => {
    const foreman = bodyOf<ForemanView>(await connection.look({ kind: "foreman" }));
    const unfinished = foreman.unfinished_jobs;
    if (unfinished > 0 && context.values.yes !== true && !(await isSure(context, foreman)))
      return 1;
    await stop(connection);
    if (context.json) await printObject(context, { url: foreman.url, unfinished_jobs: unfinished });
    else if (!context.quiet) await context.io.stderr.write(`the foreman at ${foreman.url} stops\n`);
    return 0;
  });
}

async function stop(connection: Connection): Promise<void> {
  await connection.request({ type: "shutdown", force: true });
}

/** @throws CcError `unfinished_jobs` (exit 2) when there is nobody to ask. */
async function isSure(context: Context, foreman: ForemanView): Promise<boolean> {
  const { stdin, stderr } = context.io;
  const jobs = formatPlural(foreman.unfinished_jobs, "unfinished job");
  const they = foreman.unfinished_jobs === 1 ? "it" : "they";
  if (!stdin.isTerminal || !stderr.isTerminal || context.json) {
    throw new CcError({
      code: "unfinished_jobs",
      message: `The foreman has ${jobs}; ${they} would go on after its next start.`,
      hint: "cc shutdown --yes",
      exitCode: 2,
    });
  }
  await stderr.write(
    `The foreman has ${jobs}; ${they} would go on after its next start. Stop it? [y/N] `,
  );
  const reader = stdin.stream().getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return /^\s*y(es)?\s*$/i.test(new TextDecoder().decode(value));
}
