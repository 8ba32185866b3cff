/** `cc drain`: workers finish what they run, give back the rest and end; or, with --undo, stay. */
import type { Connection } from "../runtime/client/connection.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import { type ExitCode, toCcError } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { inertJsonText } from "./inert-json.ts";
import { idText, printObject } from "./print.ts";
import { errorAsJson, errorAsText } from "./report-error.ts";
import type { DRAIN_VERB } from "./tables/steer.ts";
import { withListeningForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof DRAIN_VERB>;

/** @throws CcError the last refusal, after all the others have been said. */
export async function run(context: Context): Promise<ExitCode> {
  const undo = context.values.undo === true;
  await withListeningForeman(context, async (connection) => {
    // All at once: a worker that is slow to answer must not hold up the others.
    const drained = context.positionals.map((workerId) =>
      drainOne(context, connection, { workerId, undo }),
    );
    const refusals = (await Promise.allSettled(drained)).flatMap((outcome) =>
      outcome.status === "rejected" ? [toCcError(outcome.reason)] : [],
    );
    const last = refusals.pop();
    for (const refusal of refusals) {
      const { stderr } = context.io;
      const text = context.json
        ? inertJsonText(errorAsJson(refusal), stderr.isTerminal)
        : errorAsText(refusal, false);
      await stderr.write(text);
    }
    if (last !== undefined) throw last;
  });
  return 0;
}

async function drainOne(
  context: Context,
  connection: Connection,
  { workerId, undo }: { readonly workerId: string; readonly undo: boolean },
): Promise<void> {
  const answer = await connection.request({ type: "drain_worker", worker_id: workerId, undo });
  const sentence = undo
    ? `worker ${workerId} stays and takes tasks again`
    : `worker ${workerId} drains: it ends when its running tasks have (cc drain ${workerId} --undo)`;
  const { io } = context;
  if (context.json) await printObject(context, { worker_id: workerId, draining: !undo });
  else if (context.quiet) await io.stdout.write(`${idText(context, workerId)}\n`);
  else await io.stderr.write(`${safeLine(answer.note ?? sentence)}\n`);
}
