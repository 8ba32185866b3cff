/** What the header says of a log: which attempt it is of, where that ran and how it stands, which streams. */
import type { TaskMonitorView } from "../../../runtime/protocol/monitor-views.ts";
import type { ScreenModel } from "../../model/screen-model.ts";
import type { Place } from "../../navigation/view-state.ts";
import { inert } from "../../text/cells.ts";
import { taskLook } from "../../theme/states.ts";
import { type Piece, piece, plain, span } from "../../widgets/spans.ts";

type LogPlace = Extract<Place, { readonly kind: "log" }>;

const STREAMS = { both: "stdout+stderr", stdout: "stdout only", stderr: "stderr only" } as const;

export function logFacts(
  place: LogPlace,
  { shown, view }: Pick<ScreenModel, "shown" | "view">,
  ascii: boolean,
): readonly Piece[] {
  const streams = view.stack.at(-1)?.log?.streams ?? "both";
  const told = piece(streams === "both" ? 7 : 4, span("dim", STREAMS[streams]));
  if (shown?.kind !== "task" || !isOf(place, shown.body)) return [told];
  const { body } = shown;
  const attempt = place.attempt ?? body.attempts;
  const worker = workerOf(body, attempt);
  const { letter, word, style } = taskLook(body.state);
  return [
    piece(4, span(style, `${letter} ${word}`)),
    ...(attempt === 0 ? [] : [piece(3, plain(`attempt ${attempt}/${body.attempts}`))]),
    ...(worker === null ? [] : [piece(5, plain(inert(worker, { ascii })))]),
    told,
  ];
}

const isOf = ({ jobId, index }: LogPlace, body: TaskMonitorView): boolean =>
  body.index === index && body.job.job_id === jobId;

/** Where that attempt ran; the task's own worker is that of the newest one. */
function workerOf({ history, attempts, worker }: TaskMonitorView, attempt: number): string | null {
  const past = history.find((each) => each.attempt === attempt);
  return past?.worker ?? (attempt === attempts ? worker : null);
}
