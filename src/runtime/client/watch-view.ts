/**
 * Follows one view of a foreman for as long as anybody looks, over lost connections and restarts, as
 * whole bodies made of patches. Another view replaces it on the same connection; one question is under
 * way at a time, so whoever turns pages quickly skips some. It never shows a body that may have a gap.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Chance } from "../platform/random.ts";
import { CcError, toCcError } from "../protocol/error.ts";
import type { View } from "../protocol/messages/client.ts";
import type { MessageOf } from "../protocol/messages.ts";
import { applyPatch, type ViewPatch } from "../protocol/view-patch.ts";
import type { Connection, Watch } from "./connection.ts";
import { keepConnected, type LinkState } from "./lasting-connection.ts";
import { isConnectionLost } from "./requests.ts";

export interface ViewNews {
  /** Never changed afterwards. */
  readonly body: object;
  /** From the question to its answer; null for news that came by themselves. */
  readonly roundTripMs: number | null;
  /** Of the frame that brought it. */
  readonly bytes: number;
}

export interface WatchViewParts {
  /** Dials once. */
  connect(): Promise<Connection>;
  readonly clock: Clock;
  readonly chance: Chance;
  onLink(state: LinkState): void;
  /** @param view the object that `look` was given. */
  onNews(view: View, news: ViewNews): void;
  /** There is no such thing to look at, or not any more. Looking again asks again. */
  onFailed(view: View, error: CcError): void;
}

export interface ViewWatch {
  /** Replaces what is looked at. */
  look(view: View): void;
  /** @throws CcError `not_connected` while there is no connection; else what the operation throws. */
  run<Value>(operation: (connection: Connection) => Promise<Value>): Promise<Value>;
  close(): void;
}

/** A view that is followed changes every second; a foreman that is silent for so long is not there. */
const SILENCE_MS_MAX = 15_000;
const SILENCE_CHECK_MS = 5_000;

/** One subscription and what it has brought so far. */
interface Looking {
  readonly view: View;
  readonly connection: Connection;
  readonly askedAtMs: number;
  body: object | null;
  seq: number;
  /** null until it is answered. */
  watch: Watch | null;
  isOver: boolean;
}

export function watchView(parts: WatchViewParts): ViewWatch {
  const { clock } = parts;
  let wanted: View | null = null;
  let looking: Looking | null = null;
  let isAsking = false;
  let heardAtMs = clock.monotonicMs();
  let silenceCheck: Timer | null = null;
  const link = keepConnected({
    ...parts,
    onState: parts.onLink,
    onLive() {
      looking = null;
      isAsking = false;
      void ask();
    },
  });

  async function ask(): Promise<void> {
    const connection = link.current;
    if (connection === null || wanted === null || isAsking) return;
    if (looking !== null) stop(looking);
    const mine = begin(wanted, connection);
    looking = mine;
    isAsking = true;
    try {
      mine.watch = await connection.watchChanges(mine.view, {
        onNews: (news, bytes) => onNews(mine, news, bytes),
        onEnd: (error) => onRefused(mine, error),
      });
      if (mine.isOver) mine.watch.stop();
    } catch (thrown) {
      onRefused(mine, toCcError(thrown));
    }
    if (link.current !== connection) return;
    isAsking = false;
    if (looking?.isOver !== false || looking.view !== wanted) void ask();
  }

  function begin(view: View, connection: Connection): Looking {
    const askedAtMs = clock.monotonicMs();
    heardAtMs = askedAtMs;
    if (silenceCheck === null) checkSilenceLater();
    return { view, connection, askedAtMs, body: null, seq: 0, watch: null, isOver: false };
  }

  function stop(old: Looking): void {
    old.isOver = true;
    old.watch?.stop();
  }

  function onNews(
    mine: Looking,
    news: MessageOf<"snapshot"> | MessageOf<"delta">,
    bytes: number,
  ): void {
    heardAtMs = clock.monotonicMs();
    if (mine.isOver || mine.connection !== link.current) return;
    const isFirst = news.type === "snapshot";
    const body = isFirst ? wholeBody(news.body) : bodyAfter(mine, news);
    if (body === null) {
      // What is missing cannot be had again; the view can.
      stop(mine);
      if (!isAsking) void ask();
      return;
    }
    mine.body = body;
    mine.seq = news.seq;
    const roundTripMs = isFirst ? heardAtMs - mine.askedAtMs : null;
    parts.onNews(mine.view, { body, roundTripMs, bytes });
  }

  function onRefused(mine: Looking, error: CcError): void {
    // Of a connection that is lost the link tells.
    if (isConnectionLost(error) || mine.connection !== link.current) return;
    if (mine.isOver) return;
    mine.isOver = true;
    if (error.code === "forbidden") link.refuse(error);
    else {
      if (wanted === mine.view) wanted = null;
      parts.onFailed(mine.view, error);
    }
  }

  function checkSilenceLater(): void {
    silenceCheck = clock.setTimer(SILENCE_CHECK_MS, () => {
      silenceCheck = null;
      if (looking === null || looking.isOver || link.current === null) return;
      const silentMs = clock.monotonicMs() - heardAtMs;
      if (silentMs >= SILENCE_MS_MAX) link.renew(silent(link.current.url, silentMs));
      else checkSilenceLater();
    });
  }

  return {
    look(view) {
      wanted = view;
      void ask();
    },
    async run(operation) {
      const connection = link.current;
      if (connection === null) throw notConnected();
      return operation(connection);
    },
    close() {
      silenceCheck?.cancel();
      wanted = null;
      link.close();
    },
  };
}

const wholeBody = (body: unknown): object | null =>
  typeof body === "object" && body !== null ? body : null;

/** null: something came in between that is missing. */
function bodyAfter(mine: Looking, delta: MessageOf<"delta">): object | null {
  // A whole body needs nothing from before.
  if (delta.patch === undefined) return wholeBody(delta.body);
  if (mine.body === null || delta.seq !== mine.seq + 1) return null;
  const patch = wholeBody(delta.patch);
  return patch === null ? null : applyPatch(mine.body, patch as ViewPatch);
}

const silent = (url: string, silentMs: number): CcError =>
  new CcError({
    code: "foreman_silent",
    message: `The foreman at ${url} has said nothing for ${Math.round(silentMs / 1000)} s.`,
    hint: "Is it stopped, or the network between cut?",
    retryable: true,
    exitCode: 3,
  });

const notConnected = (): CcError =>
  new CcError({
    code: "not_connected",
    message: "There is no connection to the foreman now, so nothing was done.",
    hint: "Try again once it is back.",
    retryable: true,
    exitCode: 3,
  });
