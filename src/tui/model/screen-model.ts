/**
 * Everything that one picture shows, taken at one instant: what the foreman last said, where the user is,
 * and how old all of it is. `renderScreen` makes rows of it and of nothing else, so that a picture can be
 * drawn again, frozen, printed by `--once` or compared in a test.
 */
import type { FeedError, FocusBody, LinkState, LogLine } from "../feed.ts";
import type { ViewState } from "../navigation/view-state.ts";

export interface LogModel {
  /** A part of the log around what is shown; `firstLine` is the number of the first, as in `LogState.top`. */
  readonly lines: readonly LogLine[];
  readonly firstLine: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly totalBytes: number;
  readonly droppedBytes: number;
  /** Arrived since it was paused. */
  readonly newLines: number;
  readonly hits: number;
  readonly isLoading: boolean;
  /** The task has ended: nothing will follow. */
  readonly isFinished: boolean;
  readonly error: FeedError | null;
}

export interface ScreenModel {
  /** The user's clock, for the corner of the screen and for ages. */
  readonly nowMs: number;
  readonly view: ViewState;
  readonly url: string;
  readonly link: LinkState;
  readonly roundTripMs: number | null;
  /** Since the newest data came; null before there is any. */
  readonly dataAgeMs: number | null;
  readonly receivedBytesPerSecond: number;
  /** The newest answer for the place shown; null while there is none. */
  readonly shown: FocusBody | null;
  /** There is no such job, worker or task. */
  readonly failed: FeedError | null;
  readonly log: LogModel | null;
}
