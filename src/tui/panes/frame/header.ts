/**
 * The first row of every screen: where one is (breadcrumb), what that is, and whether what is shown is true
 * now. The link's state is never left out: a picture that stands still must not look alive.
 */
import type { ScreenModel } from "../../model/screen-model.ts";
import { cellWidth, inert, truncateMiddle } from "../../text/cells.ts";
import { clockTime, shortBytes } from "../../text/fixed.ts";
import type { Theme } from "../../theme/theme.ts";
import {
  fittingPieces,
  type Piece,
  paintEnds,
  piece,
  plain,
  type Span,
  span,
  spansWidth,
} from "../../widgets/spans.ts";
import { logFacts } from "../log/log-facts.ts";
import { isShownPlace } from "../notice/link-notices.ts";
import { crumbsOf } from "./crumbs.ts";
import { linkPieces } from "./link-words.ts";
import { placeFacts } from "./place-facts.ts";

/** What the breadcrumb gets at least, if it needs it. */
const CRUMB_CELLS_MIN = 18;
const CRUMB_SHARE_MIN = 0.45;
const SHORT_BELOW = 60;

export function header(model: ScreenModel, width: number, theme: Theme): string {
  const { ascii } = theme;
  const crumbs = crumbsOf(model).map((crumb) => inert(crumb, { ascii }));
  const wanted = ["cc top", ...crumbs].join(" > ");
  const pieces = rightPieces(model, width < SHORT_BELOW, theme);
  const crumbCells = Math.max(CRUMB_CELLS_MIN, Math.floor(width * CRUMB_SHARE_MIN));
  const beside = Math.max(0, width - Math.min(cellWidth(wanted), crumbCells) - 2);
  const right = fittingPieces(Math.max(beside, neededCells(pieces)), pieces);
  return paintEnds(theme, width, breadcrumb(crumbs, width - spansWidth(right) - 2), right);
}

/** Of the pieces that are never left out. */
const neededCells = (pieces: readonly Piece[]): number =>
  spansWidth(
    fittingPieces(
      Number.POSITIVE_INFINITY,
      pieces.filter(({ priority }) => priority === 0),
    ),
  );

function rightPieces(model: ScreenModel, isShort: boolean, { ascii }: Theme): readonly Piece[] {
  const { nowMs, view, receivedBytesPerSecond } = model;
  const place = view.stack.at(-1)?.place;
  const isLive = model.link.kind === "live";
  return [
    ...(place?.kind === "log"
      ? logFacts(place, model, ascii)
      : placeFacts({ url: model.url, shown: ofPlaceShown(model) }, ascii)),
    ...(view.readOnly ? [piece(3, span("accent", "READ-ONLY"))] : []),
    ...linkPieces(model, isShort),
    ...(isLive ? [piece(8, span("dim", `rx ${shortBytes(receivedBytesPerSecond)}/s`))] : []),
    piece(2, plain(clockTime(nowMs))),
  ];
}

/** What came last may still be of the place before. */
function ofPlaceShown({ view, shown }: ScreenModel): ScreenModel["shown"] {
  const place = view.stack.at(-1)?.place;
  return place !== undefined && isShownPlace(place, shown) ? shown : null;
}

/** The last crumb is kept longest; what leads to it is shortened to `..`. */
function breadcrumb(crumbs: readonly string[], width: number): readonly Span[] {
  const [last = ""] = crumbs.slice(-1);
  const before = ["cc top", ...crumbs.slice(0, -1)];
  for (let skipped = 0; skipped <= before.length; skipped++) {
    const led = skipped === 0 ? before : ["..", ...before.slice(skipped)];
    const text = `${led.join(" > ")} > `;
    if (cellWidth(text) + cellWidth(last) <= width) return [span("dim", text), span("title", last)];
  }
  return [span("title", truncateMiddle(last, Math.max(0, width)))];
}
