/** What the header says of the place shown, beside its name. */
import type { ScreenModel } from "../../model/screen-model.ts";
import { formatExactCount } from "../../text/amounts.ts";
import { inert } from "../../text/cells.ts";
import { UNKNOWN, wholeSeconds } from "../../text/fixed.ts";
import { jobLook, taskLook, workerStyle } from "../../theme/states.ts";
import { type Piece, piece, plain, span } from "../../widgets/spans.ts";

export function placeFacts(
  { shown, url }: Pick<ScreenModel, "shown" | "url">,
  ascii: boolean,
): readonly Piece[] {
  const shownText = (text: string) => inert(text, { ascii });
  switch (shown?.kind) {
    case undefined:
      return [piece(6, span("dim", shownText(hostOf(url))))];
    case "overview": {
      const { foreman, at } = shown.body;
      const up = ageOf(foreman.started_at, at);
      return [
        piece(5, span("dim", "foreman "), plain(shownText(hostOf(url)))),
        piece(6, span("dim", "up "), plain(up)),
        piece(9, span("dim", `v${shownText(foreman.version)}`)),
      ];
    }
    case "job": {
      const { job } = shown.body;
      const { letter, word, style } = jobLook(job);
      return [
        piece(4, span(style, `${letter} ${word}`)),
        piece(6, span("dim", "prio "), plain(String(job.priority))),
        piece(5, plain(shownText(job.owner))),
        ...(job.queue === "default"
          ? []
          : [piece(7, span("dim", "queue "), plain(shownText(job.queue)))]),
      ];
    }
    case "task": {
      const { letter, word, style } = taskLook(shown.body.state);
      return [piece(4, span(style, `${letter} ${word}`))];
    }
    case "worker": {
      const { worker, at } = shown.body;
      return [
        piece(5, plain(shownText(worker.host))),
        piece(4, span(workerStyle(worker.state), worker.state)),
        piece(6, span("dim", "since "), plain(ageOf(worker.connected_at, at))),
        piece(7, plain(`${formatExactCount(worker.slots)} slots`)),
        piece(9, span("dim", `v${shownText(worker.version)}`)),
      ];
    }
  }
}

/** Without what every address of a foreman begins with. */
export const hostOf = (url: string): string => url.replace(/^wss?:\/\//, "").replace(/\/$/, "");

function ageOf(since: string | null, at: string): string {
  if (since === null) return UNKNOWN;
  // `at` is a whole second, `since` is not.
  return wholeSeconds(Math.max(0, (Date.parse(at) - Date.parse(since)) / 1000));
}
