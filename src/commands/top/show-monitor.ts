/**
 * The monitor on this terminal: where it opens, how it looks, where its data comes from, and what its end
 * means for the exit code.
 */
import { constants } from "node:os";
import { systemClock } from "../../runtime/platform/clock.ts";
import { findPaths } from "../../runtime/platform/paths.ts";
import { chance } from "../../runtime/platform/random.ts";
import type { ExitCode } from "../../runtime/protocol/error.ts";
import { parseJobOrTask } from "../../runtime/protocol/ids.ts";
import type { Ending } from "../../tui/ink/lifecycle.ts";
import type { Place } from "../../tui/navigation/view-state.ts";
import { detectTheme } from "../../tui/theme/themes.ts";
import type { TopContext } from "../top.ts";
import { withListeningForeman } from "../with-foreman.ts";
import { openForemanFeed } from "./feed.ts";
import { findPlace } from "./find-place.ts";

/** @throws what made the monitor itself fail, once the terminal is as it was. */
export async function showMonitor(context: TopContext): Promise<ExitCode> {
  const { env, values, cwd } = context;
  const place = await placeOf(context);
  const look = detectTheme(env, {
    theme: values.theme,
    graph: values.graph,
    ascii: values.ascii || undefined,
    noColour: values.noColor,
  });
  // Ink takes a DEV of the user's for its own.
  delete process.env["DEV"];
  const { runMonitor } = await import("../../tui/ink/run-monitor.ts");
  const ending = await runMonitor({
    openFeed: openForemanFeed({
      foreman: values.foreman,
      keyFile: values.keyFile,
      cwd,
      paths: findPaths(env),
      clock: systemClock,
      chance,
    }),
    clock: systemClock,
    view: {
      place,
      theme: look.name,
      graph: look.graph,
      ascii: look.ascii,
      readOnly: values.readOnly,
    },
    depth: look.depth,
    notesFile: env["CC_TOP_LOG"],
    isForScreenReader: env["INK_SCREEN_READER"] === "true",
  });
  return exitCodeOf(ending);
}

/** Only `last` needs a foreman before there is a screen. */
async function placeOf(context: TopContext): Promise<Place> {
  const [word] = context.positionals;
  if (word === undefined) return { kind: "overview" };
  const parsed = parseJobOrTask(word);
  if (parsed === null && !/^last(\/|$)/.test(word)) return { kind: "worker", workerId: word };
  if (parsed === null) {
    return await withListeningForeman(context, (connection) => findPlace(connection, word));
  }
  const { jobId, index } = parsed;
  return index === null ? { kind: "job", jobId } : { kind: "task", jobId, index };
}

function exitCodeOf(ending: Ending): ExitCode {
  switch (ending.kind) {
    case "quit":
    case "gone":
      return 0;
    case "crash":
      throw ending.error;
    case "signal":
      // As a shell reports it; codes of signals are none of the program's own.
      return process.exit(128 + constants.signals[ending.signal]);
  }
}
