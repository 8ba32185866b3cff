/**
 * A channel that comes back: dials, and dials again after each loss, until it is stopped or refused.
 * States: dialling -> connected -> waiting -> dialling …; `stopped` is final and comes from `stop()`,
 * from a refusal that no retry can change, or from running out of tries or time.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Chance } from "../platform/random.ts";
import { type CcError, toCcError } from "../protocol/error.ts";
import { createBackoff } from "./backoff.ts";
import type { Channel, ChannelEnd, ChannelHandler } from "./channel.ts";
import type { OnChannel } from "./socket-channel.ts";

export interface ReconnectingOptions {
  /** One attempt, usually `dial`; must hand `onChannel` on as the handler. */
  readonly dial: (onChannel: OnChannel, signal: AbortSignal) => Promise<Channel>;
  /** Each time a channel opens; the handler it returns lives as long as that channel. */
  readonly onConnected: (channel: Channel) => ChannelHandler;
  /** After the handler's `onClose`, when it will be dialled again. */
  readonly onLost?: (end: ChannelEnd) => void;
  /** An attempt failed and another follows. */
  readonly onRetry?: (retry: { readonly error: CcError; readonly delayMs: number }) => void;
  /** It has stopped for good and not by `stop()`; comes at most once, last. */
  readonly onFatal: (error: CcError) => void;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Failed attempts in a row before it gives up; no limit unless given. */
  readonly attemptsMax?: number;
  /** Time without a connection before it gives up; no limit unless given. */
  readonly giveUpAfterMs?: number;
}

export interface ReconnectingChannel {
  /** Null while there is no connection. */
  readonly channel: Channel | null;
  /** Ends the dial, the wait or the channel (1000); nothing is called afterwards but its `onClose`. */
  stop(reason?: string): void;
}

type State =
  | { readonly kind: "dialling"; readonly abort: AbortController }
  | { readonly kind: "connected"; readonly channel: Channel; readonly sinceMs: number }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "stopped" };

/** A connection that ends sooner was no success: its next dial waits as after a failure. */
const STABLE_MS = 5_000;

export function createReconnectingChannel(options: ReconnectingOptions): ReconnectingChannel {
  const { clock } = options;
  const backoff = createBackoff(options.chance);
  const absence = createAbsence(options);
  let state: State = { kind: "stopped" };

  const redial = (): void => {
    const abort = new AbortController();
    state = { kind: "dialling", abort };
    options.dial(onChannel, abort.signal).catch((thrown: unknown) => {
      if (!abort.signal.aborted) onFailure(toCcError(thrown));
    });
  };
  const wait = (delayMs: number): void => {
    state = { kind: "waiting", timer: clock.setTimer(delayMs, redial) };
  };

  const onChannel = (channel: Channel): ChannelHandler => {
    absence.end();
    state = { kind: "connected", channel, sinceMs: clock.monotonicMs() };
    const handler = options.onConnected(channel);
    return {
      onMessage: (message, frameBytes) => handler.onMessage(message, frameBytes),
      onClose(end) {
        handler.onClose(end);
        onEnd(end);
      },
    };
  };

  const onEnd = (end: ChannelEnd): void => {
    if (state.kind !== "connected") return;
    absence.begin();
    if (clock.monotonicMs() - state.sinceMs >= STABLE_MS) backoff.reset();
    wait(backoff.nextDelayMs());
    options.onLost?.(end);
  };

  const onFailure = (error: CcError): void => {
    const delayMs = backoff.nextDelayMs();
    if (!error.retryable || absence.isTooLong(delayMs)) {
      state = { kind: "stopped" };
      options.onFatal(error);
      return;
    }
    wait(delayMs);
    options.onRetry?.({ error, delayMs });
  };

  redial();
  return {
    get channel() {
      return state.kind === "connected" ? state.channel : null;
    },
    stop(reason = "done") {
      const left = state;
      state = { kind: "stopped" };
      leave(left, reason);
    },
  };
}

function leave(state: State, reason: string): void {
  if (state.kind === "dialling") state.abort.abort();
  else if (state.kind === "waiting") state.timer.cancel();
  else if (state.kind === "connected") state.channel.close(1000, reason);
}

/** How long and how often it has been trying in vain. */
function createAbsence({ clock, attemptsMax, giveUpAfterMs }: ReconnectingOptions) {
  let failureCount = 0;
  let sinceMs = clock.monotonicMs();
  return {
    begin(): void {
      sinceMs = clock.monotonicMs();
    },
    end(): void {
      failureCount = 0;
    },
    /** Counts one more failure; whether another try `delayMs` from now is beyond the limits. */
    isTooLong(delayMs: number): boolean {
      failureCount++;
      const awayMs = clock.monotonicMs() + delayMs - sinceMs;
      return (
        failureCount >= (attemptsMax ?? Number.POSITIVE_INFINITY) ||
        awayMs > (giveUpAfterMs ?? Number.POSITIVE_INFINITY)
      );
    },
  };
}
