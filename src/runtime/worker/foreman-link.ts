/**
 * The worker's line to its foreman: dials, comes back after losses, holds messages while the foreman
 * reads slowly, and knows which refusals are final. It looks into no message but `error` and `goodbye`.
 */
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Chance } from "../platform/random.ts";
import { CcError, type ExitCode } from "../protocol/error.ts";
import { SEND_QUEUE_BYTES_MAX } from "../protocol/limits.ts";
import type { Message } from "../protocol/messages.ts";
import type { Channel, ChannelHandler, WelcomeFacts } from "../transport/channel.ts";
import { createReconnectingChannel, type ReconnectingOptions } from "../transport/reconnecting.ts";

export interface ForemanLink {
  readonly isConnected: boolean;
  /** In order; dropped without a connection, since the agent repeats what matters. */
  send(message: Message): void;
  /** What waits to be read by the foreman, for those who can wait. */
  queuedBytes(): number;
  /** The connection is deaf: drop it and dial again. */
  redial(reason: string): void;
  /** Sends what waits, then closes in order. */
  close(reason: string): Promise<void>;
}

export interface ForemanLinkOptions {
  readonly dial: ReconnectingOptions["dial"];
  /** As a person wrote it, for the log. */
  readonly address: string;
  /** Failed dials in a row before it gives up; null: never. */
  readonly attemptsMax: number | null;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly onConnected: (welcome: WelcomeFacts) => void;
  readonly onMessage: (message: Message) => void;
  readonly onDisconnected: () => void;
  /** No further dial can change it. */
  readonly onFatal: (error: CcError) => void;
}

/** What the foreman says of this worker's name before it closes. */
const ID_TAKEN = "worker_id_taken";
/** Refusals of the key, the role or the version. */
const REFUSALS = new Set([
  ID_TAKEN,
  "refused",
  "wrong_key",
  "key_revoked",
  "wrong_role",
  "version_mismatch",
  "foreman_mismatch",
]);
const RETRY_LOG_INTERVAL_MS = 60_000;
/** A foreman that does not read for so long does not get our last words. */
const CLOSE_WITHIN_MS = 2_000;

export function createForemanLink(options: ForemanLinkOptions): ForemanLink {
  const { logger, address } = options;
  const outbox: Message[] = [];
  let channel: Channel | null = null;
  let connectionCount = 0;
  let retryLogged = { reason: "", atMs: 0 };
  /** While messages wait here. */
  let drained: Promise<void> | null = null;

  function send(message: Message): void {
    if (channel === null) return;
    if (drained === null && channel.queuedBytes() <= SEND_QUEUE_BYTES_MAX) {
      channel.send(message);
      return;
    }
    outbox.push(message);
    drained ??= drain(channel);
  }

  /** A foreman that reads slowly must not be cut off for what we want to tell it. */
  async function drain(draining: Channel): Promise<void> {
    while (draining === channel && outbox.length > 0) {
      await draining.drained();
      while (draining === channel && draining.queuedBytes() <= SEND_QUEUE_BYTES_MAX) {
        const next = outbox.shift();
        if (next === undefined) break;
        draining.send(next);
      }
    }
    if (draining === channel) drained = null;
  }

  function onConnected(opened: Channel): ChannelHandler {
    channel = opened;
    retryLogged = { reason: "", atMs: 0 };
    outbox.length = 0;
    drained = null;
    const { welcome } = opened;
    if (welcome === null) throw new Error("a dialled channel has its welcome");
    logger.info(connectionCount++ === 0 ? "connected to the foreman" : "connected again", {
      foreman: address,
    });
    options.onConnected(welcome);
    return {
      onMessage(message) {
        if (channel !== opened) return;
        if (message.type === "error" && message.request === undefined) onError(message);
        options.onMessage(message);
      },
      onClose: ({ code, reason }) => {
        lose(opened, { code, reason });
      },
    };
  }

  function onError(message: Extract<Message, { type: "error" }>): void {
    const { code, hint, retryable } = message;
    logger.error("the foreman reports an error", { code, message: message.message });
    if (code !== ID_TAKEN) return;
    const error = new CcError({ code, message: message.message, hint, retryable, exitCode: 77 });
    connection.stop("refused");
    options.onFatal(error);
  }

  function lose(lost: Channel, end: { readonly code: number; readonly reason: string }): void {
    if (channel !== lost) return;
    channel = null;
    outbox.length = 0;
    drained = null;
    logger.warn("the connection to the foreman is lost", { foreman: address, ...end });
    options.onDisconnected();
  }

  /** Each reason once, and again when it has lasted a while. */
  function logRetry({ message: reason }: CcError): void {
    const nowMs = options.clock.monotonicMs();
    if (reason === retryLogged.reason && nowMs - retryLogged.atMs < RETRY_LOG_INTERVAL_MS) return;
    retryLogged = { reason, atMs: nowMs };
    logger.warn("the foreman is not reached, trying again", { foreman: address, reason });
  }

  const { attemptsMax } = options;
  const connection = createReconnectingChannel({
    dial: options.dial,
    onConnected,
    onRetry: ({ error }) => logRetry(error),
    onFatal: (error) => options.onFatal(asExit(error)),
    clock: options.clock,
    chance: options.chance,
    ...(attemptsMax === null ? {} : { attemptsMax }),
  });

  return {
    get isConnected() {
      return channel !== null;
    },
    send,
    queuedBytes: () =>
      drained === null ? (channel?.queuedBytes() ?? 0) : Number.POSITIVE_INFINITY,
    redial(reason) {
      logger.warn("the foreman is silent", { reason });
      channel?.close(1001, reason);
    },
    async close(reason) {
      const late = Promise.withResolvers<void>();
      const timer = options.clock.setTimer(CLOSE_WITHIN_MS, late.resolve);
      await Promise.race([drained ?? Promise.resolve(), late.promise]);
      timer.cancel();
      channel = null;
      connection.stop(reason);
    },
  };
}

/** What a daemon ends with; the transport knows only clients' codes. */
function asExit(error: CcError): CcError {
  const exitCode: ExitCode = REFUSALS.has(error.code) ? 77 : 69;
  return new CcError({ ...error.toView(), exitCode, cause: error });
}
