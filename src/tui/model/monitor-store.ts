/**
 * The monitor's state, outside React: where the user is (navigation), what the foreman last said (pictures,
 * log), and how the connection is. Keys and answers go in; listeners hear that there is something new to
 * draw. It draws nothing, and only `run` reaches the world.
 */
import type { Clock } from "../../runtime/platform/clock.ts";
import type { FeedError, FeedUpdate, Focus, LinkState, MonitorFeed, OpenFeed } from "../feed.ts";
import { screenOf, withLog } from "../navigation/change.ts";
import type { ActionResult, NavAction, NavContext, NavEffect } from "../navigation/nav-types.ts";
import { reduceView } from "../navigation/reducer.ts";
import type { ViewState } from "../navigation/view-state.ts";
import type { PlanLayout } from "../panes/layout.ts";
import { createByteRate } from "./byte-rate.ts";
import { focusOf, isSameFocus, isSamePlaceAsked } from "./focus-of.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { createPictures } from "./pictures.ts";
import type { ScreenModel } from "./screen-model.ts";

/** Effects that the terminal or the system carries out. */
export type OutsideEffect = Extract<
  NavEffect,
  { readonly kind: "copy" | "page_out" | "redraw" | "suspend" | "quit" }
>;

export interface MonitorParts {
  readonly openFeed: OpenFeed;
  readonly clock: Clock;
  readonly view: ViewState;
  readonly planLayout: PlanLayout;
  /** Rows of the text of the place shown. */
  readonly textRows: (model: Pick<ScreenModel, "view" | "shown">) => number;
  readonly onEffect: (effect: OutsideEffect) => void;
  /** For the diagnostics file. */
  readonly note?: (what: string) => void;
}

/** `key`: to be drawn at once. `data`: with the next frame of data. */
export type Urgency = "key" | "data";

export interface MonitorStore {
  dispatch(action: NavAction): void;
  screen(): ScreenModel;
  subscribe(listener: (urgency: Urgency) => void): () => void;
  close(): void;
}

const SECOND_MS = 1_000;
/** While windows follow the cursor or a filter is typed. */
const LOOK_PAUSE_MS = 150;
/** Something that was not there is looked for again. */
const LOOK_AGAIN_MS = 5_000;

export function createMonitorStore(parts: MonitorParts): MonitorStore {
  const { clock, planLayout } = parts;
  const listeners = new Set<(urgency: Urgency) => void>();
  const pictures = createPictures();
  const rate = createByteRate();
  let state = parts.view;
  let url = "";
  let link: LinkState = { kind: "connecting", attempt: 1, error: null };
  let linkSinceMs = clock.nowMs();
  let roundTripMs: number | null = null;
  let log: LogReader | null = null;
  let looked: Focus | null = null;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let lookTimer: { cancel(): void } | null = null;
  let isClosed = false;
  const feed: MonitorFeed = parts.openFeed((update) => {
    if (!isClosed) onUpdate(update);
  });
  let ticking = tickLater();

  function tickLater(): { cancel(): void } {
    // On the second, so that the clock of the screen is right.
    const delayMs = SECOND_MS - (clock.nowMs() % SECOND_MS);
    return clock.setTimer(delayMs, () => {
      ticking = tickLater();
      tick();
    });
  }

  function tick(): void {
    const nowMs = clock.monotonicMs();
    if (looked !== null && pictures.refresh(looked, nowMs)) step({ kind: "shown" });
    const failed = looked === null ? null : pictures.of(looked)?.failed;
    if (failed != null && link.kind === "live" && nowMs - lookedAtMs >= LOOK_AGAIN_MS) lookAnew();
    step({ kind: "tick" });
    tell("data");
  }

  function contextOf(): NavContext {
    const focus = focusNow(state);
    const picture = pictures.of(focus);
    return {
      nowMs: clock.nowMs(),
      planLayout,
      shown: picture?.shown ?? null,
      asked: picture?.asked ?? null,
      log: log?.shown() ?? null,
      textRows: (view) => parts.textRows({ view, shown: picture?.shown ?? null }),
      isLive: link.kind === "live",
    };
  }

  /** Only which place it is about matters for finding the picture. */
  function focusNow(view: ViewState): Focus {
    return focusOf(view, { planLayout, shown: null, asked: null });
  }

  function step(action: NavAction): void {
    const before = state;
    const next = reduceView(state, action, contextOf());
    state = next.state;
    if (state.frozenAtMs !== before.frozenAtMs) pictures.freeze(state.frozenAtMs !== null);
    if (action.kind === "key" && hasMoved(before, state)) pictures.moved(clock.monotonicMs());
    for (const effect of next.effects) run(effect);
    openLog();
    look();
  }

  function dispatch(action: NavAction): void {
    if (isClosed) return;
    const place = screenOf(state).place;
    step(action);
    // Another place has a picture of its own to settle on.
    if (screenOf(state).place !== place) step({ kind: "shown" });
    tell("key");
  }

  function tell(urgency: Urgency): void {
    for (const listener of listeners) listener(urgency);
  }

  function onUpdate(update: FeedUpdate): void {
    if (update.kind === "link") {
      if (update.link.kind !== link.kind) {
        linkSinceMs = clock.nowMs();
        parts.note?.(`link ${update.link.kind}`);
      }
      ({ url, link } = update);
      if (link.kind === "live") log?.resume();
      tell("data");
      return;
    }
    if (update.focus !== looked) return;
    const nowMs = clock.monotonicMs();
    if (update.kind === "view") {
      rate.add(update.bytes, nowMs);
      roundTripMs = update.roundTripMs ?? roundTripMs;
    }
    pictures.take(update, nowMs);
    step({ kind: "shown" });
    // The answer to a key is drawn as a key is.
    tell(update.kind === "view" && update.roundTripMs !== null ? "key" : "data");
  }

  function look(): void {
    const picture = pictures.of(focusNow(state));
    const focus = focusOf(state, {
      planLayout,
      shown: picture?.shown ?? null,
      asked: picture?.asked ?? null,
    });
    if (isSameFocus(focus, looked)) return;
    const isNewPlace = looked === null || !isSamePlaceAsked(focus, looked);
    const waitMs = isNewPlace ? 0 : LOOK_PAUSE_MS - (clock.monotonicMs() - lookedAtMs);
    if (waitMs > 0) {
      lookTimer ??= clock.setTimer(waitMs, () => {
        lookTimer = null;
        look();
      });
      return;
    }
    lookTimer?.cancel();
    lookTimer = null;
    looked = focus;
    lookedAtMs = clock.monotonicMs();
    feed.look(focus);
  }

  function lookAnew(): void {
    looked = null;
    look();
  }

  /** A log is read while it is shown; each attempt is one of its own. */
  function openLog(): void {
    const screen = screenOf(state);
    if (screen.place.kind !== "log" || screen.log === null) {
      log?.close();
      log = null;
      return;
    }
    if (log === null || log.place !== screen.place) {
      log?.close();
      log = createLogReader({
        place: screen.place,
        feed,
        onChange: () => {
          step({ kind: "shown" });
          tell("key");
        },
        onHit: (what, direction, line) => {
          step({ kind: "hit", what, direction, line });
          tell("key");
        },
      });
    }
    log.show(screen.log, planLayout(state).textRows);
  }

  function run(effect: NavEffect): void {
    switch (effect.kind) {
      case "act":
        void Promise.all(effect.requests.map((request) => actOn(feed, request))).then((results) =>
          dispatch({ kind: "acted", results }),
        );
        return;
      case "find_failed":
        feed.newestFailedTask(effect.jobId).then(
          (found) =>
            dispatch({ kind: "failed_task", jobId: effect.jobId, index: found?.index ?? null }),
          (error: FeedError) => dispatch({ kind: "say", weight: "bad", text: error.message }),
        );
        return;
      case "seek_hit":
        log?.seek(effect.what, effect.direction, effect.from);
        return;
      case "copy":
      case "page_out":
      case "redraw":
      case "suspend":
      case "quit":
        parts.onEffect(effect);
    }
  }

  step({ kind: "shown" });

  return {
    dispatch,
    screen() {
      const picture = pictures.of(focusNow(state));
      const nowMs = clock.monotonicMs();
      const model = log?.model() ?? null;
      return {
        nowMs: clock.nowMs(),
        view: model === null ? state : withLog(state, { top: model.firstLine }),
        url,
        link,
        linkSinceMs,
        roundTripMs,
        dataAgeMs: picture?.shown == null ? null : nowMs - picture.arrivedAtMs,
        waitingMs: picture?.shown == null && picture?.failed == null ? nowMs - lookedAtMs : null,
        receivedBytesPerSecond: rate.perSecond(nowMs),
        shown: picture?.shown ?? null,
        failed: picture?.failed ?? null,
        log: model,
      };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      isClosed = true;
      ticking.cancel();
      lookTimer?.cancel();
      log?.close();
      feed.close();
    },
  };
}

async function actOn(feed: MonitorFeed, request: ActionResult["request"]): Promise<ActionResult> {
  try {
    const { sentence } = await feed.act(request);
    return { request, outcome: { ok: true, sentence } };
  } catch (thrown) {
    // The feed throws FeedErrors and nothing else.
    return { request, outcome: { ok: false, error: thrown as FeedError } };
  }
}

/** Whether the cursor of a list is elsewhere than before, by a key. */
function hasMoved(before: ViewState, after: ViewState): boolean {
  const was = screenOf(before);
  const is = screenOf(after);
  if (was === is || was.place !== is.place) return false;
  return Object.entries(is.lists).some(
    ([name, list]) => list.selectedAt !== was.lists[name as keyof typeof was.lists]?.selectedAt,
  );
}
