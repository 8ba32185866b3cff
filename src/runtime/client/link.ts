/**
 * A connection that comes back: for whoever follows a job to its end. Operations run on the live
 * connection and run again on the next one when it is lost, so each must be safe to repeat.
 * States: up -> down (dialling with growing pauses) -> up … or -> given up, which is final.
 */
import type { Clock } from "../platform/clock.ts";
import type { Chance } from "../platform/random.ts";
import { CcError, toCcError } from "../protocol/error.ts";
import { createBackoff } from "../transport/backoff.ts";
import type { Connection } from "./connection.ts";
import { isConnectionLost } from "./requests.ts";

/** A foreman that is away for longer has a reason that a person should look at. */
export const GIVE_UP_MS = 5 * 60_000;

export interface Link {
  readonly url: string;
  /** @throws what the operation throws; the final error once the link has given up or is closed. */
  run<Value>(operation: (connection: Connection) => Promise<Value>): Promise<Value>;
  /** Follows these jobs from now on, on this connection and on every later one. */
  followJobs(jobIds: readonly number[]): Promise<void>;
  close(): void;
}

export interface LinkParts {
  readonly connection: Connection;
  redial(): Promise<Connection>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly giveUpMs?: number;
  /** Told when the connection is lost and when it is back. */
  onChange?(isUp: boolean): void;
}

type State =
  | { readonly kind: "up"; readonly connection: Connection }
  | { readonly kind: "down"; readonly next: Promise<Connection> }
  | { readonly kind: "over"; readonly error: CcError };

export function createLink(parts: LinkParts): Link {
  const { clock, chance } = parts;
  const { url } = parts.connection;
  let followed: readonly number[] = [];
  let state: State = { kind: "up", connection: parts.connection };
  watch(parts.connection);

  function watch(connection: Connection): void {
    void connection.ended.then((error) => onEnded(connection, error));
  }

  function onEnded(connection: Connection, error: CcError): void {
    if (state.kind !== "up" || state.connection !== connection) return;
    parts.onChange?.(false);
    const next = reconnect(error);
    // Whoever waits for it hears the failure; without anybody waiting it is no crash.
    next.catch(() => {});
    state = { kind: "down", next };
  }

  async function reconnect(lost: CcError): Promise<Connection> {
    const deadlineMs = clock.monotonicMs() + (parts.giveUpMs ?? GIVE_UP_MS);
    const backoff = createBackoff(chance);
    for (;;) {
      await pause(backoff.nextDelayMs());
      if (state.kind === "over") throw state.error;
      try {
        const connection = await parts.redial();
        return await settle(connection);
      } catch (thrown) {
        const error = toCcError(thrown);
        if (error.retryable && clock.monotonicMs() < deadlineMs) continue;
        throw giveUp(error.retryable ? brokeOff(url, lost) : error);
      }
    }
  }

  /** The jobs are followed before anything else is asked: a tied foreman lives by that. */
  async function settle(connection: Connection): Promise<Connection> {
    if (followed.length > 0) {
      await connection.request({ type: "follow_jobs", job_ids: [...followed] });
    }
    if (state.kind === "over") {
      connection.close();
      throw state.error;
    }
    state = { kind: "up", connection };
    parts.onChange?.(true);
    watch(connection);
    return connection;
  }

  function giveUp(error: CcError): CcError {
    if (state.kind !== "over") state = { kind: "over", error };
    return state.error;
  }

  function pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => clock.setTimer(delayMs, resolve));
  }

  function live(): Connection | Promise<Connection> {
    switch (state.kind) {
      case "up":
        return state.connection;
      case "down":
        return state.next;
      case "over":
        throw state.error;
    }
  }

  const link: Link = {
    url,
    async run(operation) {
      for (;;) {
        const connection = await live();
        try {
          return await operation(connection);
        } catch (thrown) {
          if (!isConnectionLost(thrown)) throw thrown;
          // `ended` has been told by now or is told next: only then does the state change.
          await connection.ended;
        }
      }
    },
    async followJobs(jobIds) {
      followed = jobIds;
      await link.run((connection) =>
        connection.request({ type: "follow_jobs", job_ids: [...jobIds] }),
      );
    },
    close() {
      const last = state;
      state = { kind: "over", error: linkClosed(url) };
      if (last.kind === "up") last.connection.close();
    },
  };
  return link;
}

function brokeOff(url: string, lost: CcError): CcError {
  return new CcError({
    code: "foreman_lost",
    message: `The foreman at ${url} broke off and was not back in time; jobs that it has accepted go on.`,
    hint: "Wait for a job's end with `cc wait JOB`.",
    retryable: true,
    exitCode: 3,
    cause: lost,
  });
}

const linkClosed = (url: string): CcError =>
  new CcError({
    code: "link_closed",
    message: `The connection to the foreman at ${url} was closed.`,
    exitCode: 3,
  });
