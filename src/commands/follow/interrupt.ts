/**
 * Ctrl-C for commands that follow a job: the first one stops the work here and lets the command say what
 * becomes of the job; a second one ends the program at once.
 */
import { watchStopSignals } from "../../runtime/platform/shutdown.ts";

export type Interruptible<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "interrupted" };

/** What `work` was doing when it was interrupted goes on, and is nobody's matter any more. */
export async function untilInterrupted<Value>(
  work: () => Promise<Value>,
): Promise<Interruptible<Value>> {
  const interrupted = Promise.withResolvers<Interruptible<Value>>();
  const forget = watchStopSignals({
    onFirst: () => interrupted.resolve({ kind: "interrupted" }),
    signals: ["SIGINT", "SIGTERM", "SIGHUP"],
  });
  const working = work();
  // After an interrupt its failure concerns nobody; before it, the race below hears it.
  working.catch(() => {});
  const outcome = await Promise.race([
    working.then((value): Interruptible<Value> => ({ kind: "done", value })),
    interrupted.promise,
  ]).catch((thrown: unknown) => {
    forget();
    throw thrown;
  });
  // Once interrupted, the second signal must still end the program.
  if (outcome.kind === "done") forget();
  return outcome;
}
