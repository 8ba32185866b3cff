/**
 * What the monitor looks at, in the words of the protocol, and the foreman's answer in those of the
 * monitor. A focus and its view say the same; only here are both known.
 */
import type { ListWindow, View } from "../../runtime/protocol/messages/client.ts";
import type { Focus, FocusBody, WindowRequest } from "../../tui/feed.ts";

export function viewOfFocus(focus: Focus): View {
  switch (focus.kind) {
    case "overview":
      return {
        kind: "overview",
        ...spanOf(focus),
        jobs: windowOf(focus.jobs),
        workers: windowOf(focus.workers),
        events: focus.events,
      };
    case "job":
      return {
        kind: "job_monitor",
        job_id: focus.jobId,
        ...spanOf(focus),
        cells: focus.cells,
        tasks: windowOf(focus.tasks),
      };
    case "task":
      return {
        kind: "task_monitor",
        job_id: focus.jobId,
        index: focus.index,
        text_characters: focus.textCharacters,
      };
    case "worker":
      return {
        kind: "worker_monitor",
        worker_id: focus.workerId,
        ...spanOf(focus),
        tasks: windowOf(focus.tasks),
      };
  }
}

/** The foreman writes monitor-views.ts shapes for each kind; they are shown, never acted on unchecked. */
export function bodyOfFocus(focus: Focus, body: unknown): FocusBody {
  return { kind: focus.kind, body } as FocusBody;
}

interface Span {
  readonly windowSeconds: number;
  readonly backSeconds: number;
}

const spanOf = ({ windowSeconds, backSeconds }: Span) => ({
  window_seconds: windowSeconds,
  back_seconds: backSeconds,
});

function windowOf({
  sort,
  reverse,
  filter,
  from,
  rows,
  anchor,
  around,
}: WindowRequest): ListWindow {
  return {
    sort,
    reverse,
    filter,
    from,
    rows,
    ...(anchor === undefined ? {} : { anchor }),
    ...(around === undefined ? {} : { around }),
  };
}
