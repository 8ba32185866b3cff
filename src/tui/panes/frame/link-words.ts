/** Whether what is shown is true now, in a word or two: `LIVE 12ms`, `RECONNECTING 3s (try 4)`, `FROZEN 00:41`. */
import type { ScreenModel } from "../../model/screen-model.ts";
import { wholeSeconds } from "../../text/fixed.ts";
import { type Piece, piece, span } from "../../widgets/spans.ts";

/** Data that is older is marked: the foreman tells at least once a second what is new. */
const STALE_DATA_MS = 2000;

/** All of them have priority 0: the header leaves them out for nothing. `isShort` where it is narrow. */
export function linkPieces(model: ScreenModel, isShort: boolean): readonly Piece[] {
  const { link, view, nowMs } = model;
  const frozen =
    view.frozenAtMs === null
      ? []
      : [piece(0, span("warning", `FROZEN ${minutesAndSeconds(nowMs - view.frozenAtMs)}`))];
  switch (link.kind) {
    case "live":
      return [...frozen, ...liveOrStale(model)];
    case "connecting":
      return [
        ...frozen,
        piece(0, span("warning", `CONNECTING${isShort ? "" : tryText(link.attempt)}`)),
      ];
    case "lost":
      return [...frozen, piece(0, span("warning", lostText(model, link.attempt, isShort)))];
    case "refused":
      return [...frozen, piece(0, span("failed", "REFUSED"))];
  }
}

function liveOrStale({ roundTripMs, dataAgeMs, waitingMs }: ScreenModel): readonly Piece[] {
  if (waitingMs != null && waitingMs > STALE_DATA_MS)
    return [piece(0, span("warning", `NO ANSWER ${wholeSeconds(waitingMs / 1000)}`))];
  if (dataAgeMs !== null && dataAgeMs > STALE_DATA_MS)
    return [piece(0, span("warning", `DATA ${wholeSeconds(dataAgeMs / 1000)} OLD`))];
  const delay = roundTripMs === null ? "" : ` ${Math.max(1, Math.round(roundTripMs))}ms`;
  return [piece(0, span("good", `LIVE${delay}`))];
}

const tryText = (attempt: number): string => (attempt > 1 ? ` (try ${attempt})` : "");

const lostText = (model: ScreenModel, attempt: number, isShort: boolean): string =>
  isShort ? `LOST${lostFor(model)}` : `RECONNECTING${lostFor(model)}${tryText(attempt)}`;

function lostFor({ linkSinceMs, dataAgeMs, nowMs }: ScreenModel): string {
  const sinceMs = linkSinceMs == null ? dataAgeMs : nowMs - linkSinceMs;
  return sinceMs === null ? "" : ` ${wholeSeconds(sinceMs / 1000)}`;
}

/** `00:41`, `61:07`. */
function minutesAndSeconds(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const two = (amount: number) => String(amount).padStart(2, "0");
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}
