/**
 * `cc top`: the monitor on a terminal; without one, or when asked, one look that is printed. Ink and React
 * are loaded for the monitor alone.
 */
import { MONITOR_RAM_BYTES, restartWithSmallHeap } from "../runtime/platform/small-heap.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import type { TOP_VERB } from "./tables/look.ts";

export type TopContext = CommandContext<typeof TOP_VERB>;

export async function run(context: TopContext): Promise<ExitCode> {
  if (isInteractive(context)) {
    restartWithSmallHeap(context.env, MONITOR_RAM_BYTES);
    const { showMonitor } = await import("./top/show-monitor.ts");
    return await showMonitor(context);
  }
  const { printOnce } = await import("./top/print-once.ts");
  return await printOnce(context);
}

/** A person sits there, and wants a screen. */
export function isInteractive({
  values,
  json,
  io,
  env,
}: Pick<TopContext, "values" | "json" | "io" | "env">): boolean {
  const wantsText = values.once || values.watch || json;
  const hasTerminal = io.stdout.isTerminal && io.stdin.isTerminal && env["TERM"] !== "dumb";
  return hasTerminal && !wantsText && (env["CI"] ?? "") === "";
}
