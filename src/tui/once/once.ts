/**
 * A place of the monitor as text that is printed once: the panes of the screen one below the other, each as
 * high as what it has, without what only a person at a keyboard needs (cursor, keys, footer). Nothing here
 * may load Ink.
 */
import type { FocusBody } from "../feed.ts";
import { placeFacts } from "../panes/frame/place-facts.ts";
import { taskText } from "../panes/task/task-text.ts";
import { asciiRow, inert, truncateMiddle } from "../text/cells.ts";
import { clockTime } from "../text/fixed.ts";
import type { Theme } from "../theme/theme.ts";
import { fittingPieces, paintEnds, piece, plain, span, spansWidth } from "../widgets/spans.ts";
import { onceJob } from "./once-job.ts";
import { onceOverview } from "./once-overview.ts";
import { onceWorker } from "./once-worker.ts";

export interface OncePicture {
  readonly shown: FocusBody;
  readonly url: string;
  /** The clock of the person who looks. */
  readonly nowMs: number;
  readonly columns: number;
  readonly theme: Theme;
}

/** Rows without blanks at their ends and without line breaks. */
export function onceText(picture: OncePicture): string[] {
  const { shown, columns, theme } = picture;
  const rows = [head(picture), ...panesOf(shown, columns, theme)].map((row) => row.trimEnd());
  return theme.ascii ? rows.map(asciiRow) : rows;
}

function panesOf(shown: FocusBody, columns: number, theme: Theme): string[] {
  switch (shown.kind) {
    case "overview":
      return onceOverview(shown.body, columns, theme);
    case "job":
      return onceJob(shown.body, columns, theme);
    case "task":
      return taskText(shown.body, columns, theme, `cc logs ${shown.body.task_id}`);
    case "worker":
      return onceWorker(shown.body, columns, theme);
  }
}

/** What this is of, and when it was so. */
function head({ shown, url, nowMs, columns, theme }: OncePicture): string {
  const facts = [...placeFacts({ shown, url }, theme.ascii), piece(0, plain(clockTime(nowMs)))];
  const right = fittingPieces(Math.floor(columns * 0.75), facts);
  const room = Math.max(0, columns - spansWidth(right) - 2);
  const name = inert(nameOf(shown), { ascii: theme.ascii });
  return paintEnds(theme, columns, [span("title", truncateMiddle(name, room))], right);
}

function nameOf(shown: FocusBody): string {
  switch (shown.kind) {
    case "overview":
      return "overview";
    case "job":
      return `job ${shown.body.job.job_id} ${shown.body.job.name}`;
    case "task":
      return `task ${shown.body.task_id}`;
    case "worker":
      return `worker ${shown.body.worker.worker_id}`;
  }
}
