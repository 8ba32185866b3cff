/**
 * A connection for whoever looks on for as long as it likes: dialled again for ever, with growing
 * pauses, and each state told. It gives up only where trying again would change nothing.
 * States: connecting -> live -> lost -> live …; connecting or lost -> refused (final); any -> closed.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Chance } from "../platform/random.ts";
import { type CcError, toCcError } from "../protocol/error.ts";
import { createBackoff } from "../transport/backoff.ts";
import type { Connection } from "./connection.ts";

export type LinkState =
  | { readonly kind: "connecting"; readonly attempt: number; readonly error: CcError | null }
  | { readonly kind: "live" }
  /** It was live; `attempt` counts the tries since. */
  | { readonly kind: "lost"; readonly attempt: number; readonly error: CcError }
  | { readonly kind: "refused"; readonly error: CcError };

export interface LastingConnectionParts {
  /** Dials once. */
  connect(): Promise<Connection>;
  readonly clock: Clock;
  readonly chance: Chance;
  onState(state: LinkState): void;
  /** A connection is live; told right after its state. */
  onLive(connection: Connection): void;
}

export interface LastingConnection {
  /** null while there is none. */
  readonly current: Connection | null;
  /** Gives the live connection up for another one. */
  renew(why: CcError): void;
  /** Ends for good: what we are allowed will not change. */
  refuse(error: CcError): void;
  close(): void;
}

export function keepConnected(parts: LastingConnectionParts): LastingConnection {
  const { clock, chance } = parts;
  let current: Connection | null = null;
  let wasLive = false;
  let isOver = false;
  let attempt = 1;
  let pause: Timer | null = null;
  let backoff = createBackoff(chance);

  async function dial(): Promise<void> {
    pause = null;
    try {
      const connection = await parts.connect();
      if (isOver) connection.close();
      else onLive(connection);
    } catch (thrown) {
      if (!isOver) onFailed(toCcError(thrown));
    }
  }

  function onLive(connection: Connection): void {
    current = connection;
    wasLive = true;
    backoff = createBackoff(chance);
    void connection.ended.then((error) => {
      if (current === connection) onLost(error);
    });
    parts.onState({ kind: "live" });
    if (current === connection) parts.onLive(connection);
  }

  function onLost(error: CcError): void {
    current = null;
    attempt = 1;
    tryLater(error);
  }

  function onFailed(error: CcError): void {
    attempt++;
    if (isFinal(error, wasLive)) refuse(error);
    else tryLater(error);
  }

  function tryLater(error: CcError): void {
    parts.onState({ kind: wasLive ? "lost" : "connecting", attempt, error });
    if (!isOver) pause = clock.setTimer(backoff.nextDelayMs(), () => void dial());
  }

  function refuse(error: CcError): void {
    if (isOver) return;
    end();
    parts.onState({ kind: "refused", error });
  }

  function end(): void {
    isOver = true;
    pause?.cancel();
    const last = current;
    current = null;
    last?.close();
  }

  parts.onState({ kind: "connecting", attempt, error: null });
  void dial();

  return {
    get current() {
      return current;
    },
    renew(why) {
      if (current === null) return;
      const last = current;
      onLost(why);
      last.close();
    },
    refuse,
    close: end,
  };
}

/** Somebody else on the port of a foreman that was here may be gone again before it is back. */
function isFinal(error: CcError, wasLive: boolean): boolean {
  return !error.retryable && !(wasLive && error.code === "not_a_foreman");
}
