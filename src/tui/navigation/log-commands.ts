/** What the keys of a log do, besides scrolling: following, hits, errors, attempts, streams. */
import { screenOf, withLog, withScreen, withToast } from "./change.ts";
import { createLogState } from "./initial-view.ts";
import { firstAtLeast } from "./move.ts";
import { type HitKind, type NavContext, type NavStep, type ShownLog, stay } from "./nav-types.ts";
import type { LogState, ViewState } from "./view-state.ts";

export type Direction = "forward" | "backward";

export const followLog = (state: ViewState): ViewState =>
  withLog(state, { follows: true, hitAt: null });

/** Pausing keeps exactly what is on the screen. */
export function toggleFollow(state: ViewState, context: NavContext): ViewState {
  const { log } = screenOf(state);
  if (log === null) return state;
  return log.follows
    ? withLog(state, { follows: false, top: context.log?.top ?? log.top })
    : followLog(state);
}

/**
 * At the end of a log that is followed the newest error is meant: there is nothing further. Elsewhere the
 * next one below.
 */
export function goToNextError(state: ViewState, context: NavContext): NavStep {
  const isAtEnd = screenOf(state).log?.follows === true;
  return goToHit(state, context, "error", isAtEnd ? "backward" : "forward");
}

/** The next line that the search finds or that looks like an error, from the last one or the top on. */
export function goToHit(
  state: ViewState,
  context: NavContext,
  what: HitKind,
  direction: Direction,
): NavStep {
  const { log } = screenOf(state);
  if (log === null || context.log === null) return stay(state);
  if (what === "search" && log.search === "") {
    return stay(withToast(state, "plain", "nothing to search for: / first", context.nowMs));
  }
  const from = startOf(log, context.log, direction);
  const line = hitFrom(context.log, what, from, direction);
  if (line !== null) return stay(showLine(state, context, line));
  const isAll = direction === "forward" ? context.log.atEnd : context.log.atStart;
  if (isAll) return stay(withToast(state, "plain", noFurther(what, direction), context.nowMs));
  return {
    state: withToast(state, "pending", "looking further …", context.nowMs),
    effects: [{ kind: "seek_hit", what, from, direction }],
  };
}

/** Where to begin looking: beyond the last hit, as long as that is on the screen. */
function startOf(log: LogState, shown: ShownLog, direction: Direction): number {
  const last = log.hitAt ?? null;
  if (last !== null) return direction === "forward" ? last + 1 : last - 1;
  // At the end while following: what is on the screen counts as not yet looked at.
  if (direction === "forward") return shown.top;
  return log.follows ? Number.MAX_SAFE_INTEGER - 1 : shown.top - 1;
}

/** null: none among the lines held. */
export function hitFrom(
  shown: ShownLog,
  what: HitKind,
  from: number,
  direction: Direction,
): number | null {
  const hits = what === "search" ? shown.hits : shown.errors;
  const at = firstAtLeast(hits, direction === "forward" ? from : from + 1);
  return (direction === "forward" ? hits[at] : hits[at - 1]) ?? null;
}

/** Brings a line onto the screen, a third from its top unless it is on it already, and pauses. */
export function showLine(state: ViewState, context: NavContext, line: number): ViewState {
  const { log } = context;
  if (log === null) return state;
  const page = Math.max(1, context.planLayout(state).textRows);
  const at = firstAtLeast(log.numbers, line);
  const topAt = firstAtLeast(log.numbers, log.top);
  const isOnScreen = at >= topAt && at < topAt + page;
  const top = isOnScreen ? log.top : log.numbers[Math.max(0, at - Math.floor(page / 3))];
  return withLog(state, { follows: false, top: top ?? log.top, hitAt: line });
}

export const noFurther = (what: HitKind, direction: Direction): string => {
  const where = direction === "forward" ? "below" : "above";
  return what === "search" ? `no further hit ${where}` : `no further error ${where}`;
};

/** Newest, then older ones, then the newest again. */
export function nextAttempt(state: ViewState, context: NavContext): NavStep {
  const { place } = screenOf(state);
  if (place.kind !== "log" || place.index === null) {
    return stay(withToast(state, "plain", "this is the log of all tasks of a job", context.nowMs));
  }
  const attempts = context.shown?.kind === "task" ? context.shown.body.attempts : 0;
  if (attempts < 2) {
    return stay(withToast(state, "plain", "there is no other attempt", context.nowMs));
  }
  const older = (place.attempt ?? attempts) - 1;
  const attempt = older < 1 ? null : older;
  return stay(
    withScreen(state, {
      place: { ...place, attempt },
      log: { ...(screenOf(state).log ?? createLogState()), follows: true, top: 0, hitAt: null },
    }),
  );
}

const STREAMS = ["both", "stdout", "stderr"] as const;

export function nextStreams(state: ViewState): ViewState {
  const { log } = screenOf(state);
  if (log === null) return state;
  const next = STREAMS[(STREAMS.indexOf(log.streams) + 1) % STREAMS.length] ?? "both";
  return withLog(state, { streams: next });
}
