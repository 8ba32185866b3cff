/**
 * Everything that one picture shows, taken at one instant: what the foreman last said, where the user is,
 * and how old all of it is. `renderScreen` makes rows of it and of nothing else, so that a picture can be
 * drawn again, frozen, printed by `--once` or compared in a test.
 */
import type { FeedError, FocusBody, LinkState, LogLine } from "../feed.ts";
import type { ViewState } from "../navigation/view-state.ts";

export interface LogModel {
  /**
   * What is to be drawn: streams and filter are applied already, and `lines[0]` is the top line. Following,
   * these are the last ones, of which the bottom must be seen (wrapped lines are cut at the top). At most
   * as many as the screen has rows.
   */
  readonly lines: readonly LogLine[];
  /** Number of `lines[0]`; `view.log.top` of a `ScreenModel` says the same. */
  readonly firstLine: number;
  /** Lines above it that are held and let through; with `atStart` all that there are. */
  readonly linesAbove?: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly totalBytes: number;
  readonly droppedBytes: number;
  /** Arrived since it was paused. */
  readonly newLines: number;
  /** Lines with the search's words, of those that are held here. */
  readonly hits: number;
  /** Which of `lines` the last search or `e` went to; null: none of these. */
  readonly hitRow?: number | null;
  /** Lines that are held here, and how many of them the filter and the streams let through. */
  readonly heldLines?: number;
  readonly matchingLines?: number;
  readonly isLoading: boolean;
  /** The task has ended: nothing will follow. */
  readonly isFinished: boolean;
  readonly error: FeedError | null;
}

/** In every list the cursor is drawn at `selectedAt`; a row that has not come yet is blank. */
export interface ScreenModel {
  /** The user's clock, for the corner of the screen and for ages. */
  readonly nowMs: number;
  readonly view: ViewState;
  readonly url: string;
  readonly link: LinkState;
  /** Since when the link is of this kind, by the user's clock; absent: not known. */
  readonly linkSinceMs?: number | null;
  readonly roundTripMs: number | null;
  /** Since the newest data came; null before there is any. */
  readonly dataAgeMs: number | null;
  /** Since a place was asked for about which nothing has come yet; absent: nothing is waited for. */
  readonly waitingMs?: number | null;
  readonly receivedBytesPerSecond: number;
  /** The newest answer for the place shown; null while there is none. */
  readonly shown: FocusBody | null;
  /** There is no such job, worker or task. */
  readonly failed: FeedError | null;
  readonly log: LogModel | null;
}
