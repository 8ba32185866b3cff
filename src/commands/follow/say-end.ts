/** Says how a followed job ended, as text for people or as an object under `--progress json`. */

import type { ErrorGroup } from "../../runtime/client/tally.ts";
import { parseJobOrTask } from "../../runtime/protocol/ids.ts";
import { type ErrorGroupView, JSON_SCHEMA_NAME } from "../../runtime/protocol/views.ts";
import { inertJson } from "../inert-json.ts";
import { createPalette } from "../palette.ts";
import { finalLines, type JobEnd } from "./final-lines.ts";
import type { FollowingContext } from "./open-session.ts";

export async function sayEnd(
  context: Pick<FollowingContext, "io" | "quiet" | "color" | "values">,
  end: JobEnd,
): Promise<void> {
  if (context.quiet) return;
  const { stderr } = context.io;
  const text =
    context.values.progress === "json"
      ? `${inertJson(endObject(end), stderr.isTerminal)}\n`
      : `${finalLines(end, createPalette(context.color.stderr)).join("\n")}\n`;
  await stderr.write(text);
}

function endObject(end: JobEnd): object {
  const { jobId, state, completed, failed, cancelled, durationMs, groups } = end;
  return {
    schema: JSON_SCHEMA_NAME,
    job_id: jobId,
    state,
    ...(end.retried === undefined ? {} : { retried: end.retried }),
    completed,
    failed,
    cancelled,
    duration_seconds: durationMs / 1000,
    errors: groups.map(({ code, message, place, index, count }) => ({
      code,
      message,
      place,
      count,
      task_id: `${jobId}/${index}`,
    })),
  };
}

/** The foreman's groups, for a command that has not read the results itself. */
export function groupsOfViews(views: readonly ErrorGroupView[]): readonly ErrorGroup[] {
  return views.map(({ code, message, place, count, task_id }) => ({
    code,
    message,
    place,
    count,
    index: parseJobOrTask(task_id)?.index ?? 0,
  }));
}
