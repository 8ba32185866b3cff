/**
 * The foreman's port: one `node:http` server whose `/ws` becomes channels, and whose other paths say
 * what is here. Nobody is served before the handshake; every refusal has a status and a sentence.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { openFileLimit } from "../platform/open-files.ts";
import { AUTHENTICATION_DEADLINE_MS, UNAUTHENTICATED_PER_ADDRESS_MAX } from "../protocol/limits.ts";
import { createForemanHandshake } from "./handshake.ts";
import { type HostRules, hostForUrl, isWildcardHost } from "./host-rules.ts";
import { answerHealth, answerNotFound, answerRefusal } from "./http-answers.ts";
import type { KeyDirectory } from "./keys.ts";
import { listenFault } from "./listen-faults.ts";
import { refusalOfRequest, requestFacts } from "./request-rules.ts";
import type { OnChannel } from "./socket-channel.ts";
import { createStrangers, type Strangers } from "./strangers.ts";
import { createUpgrades } from "./upgrades.ts";

export interface ListenOptions {
  /** An address or a name of this machine. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Further names in a Host header by which this foreman may be called. */
  readonly hostNames?: readonly string[];
  readonly keys: KeyDirectory;
  readonly foremanId: string;
  readonly epoch: number;
  readonly timing: { readonly heartbeatMs: number; readonly leaseMs: number };
  readonly logger: Logger;
  /** Called for each peer that proved a key; the handler it returns hears the peer's messages. */
  readonly onChannel: OnChannel;
  /** Answers further HTTP paths: true when it takes the request. Host and Origin are checked before. */
  readonly onHttp?: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly clock?: Clock;
  readonly authenticationDeadlineMs?: number;
  readonly unauthenticatedPerAddressMax?: number;
  /** Of all peers together; by default what the system's limit of open files leaves. */
  readonly connectionsMax?: number;
}

export interface ForemanListener {
  /** What a peer on this machine dials, such as `ws://127.0.0.1:9000`. */
  readonly url: string;
  readonly port: number;
  /** What was bound, such as `127.0.0.1:9000`. */
  readonly address: string;
  /** Frees the port for others; channels live on. */
  stopAccepting(): void;
  /** Closes every channel with 1001 and resolves when all are gone. */
  close(reason?: string): Promise<void>;
}

/** For the store, logs, the worker of our own and whatever else must be opened at any time. */
const OTHER_FILES = 64;
/** Beyond the limit so many are still told why; further ones are cut without a word. */
const REFUSALS_AT_A_TIME = 32;

const connectionsMaxOf = (limit: number): number =>
  Math.max(limit - OTHER_FILES - REFUSALS_AT_A_TIME, REFUSALS_AT_A_TIME);

/** @throws CcError `address_in_use`, `port_not_permitted` or `address_unknown`. */
export async function listen(options: ListenOptions): Promise<ForemanListener> {
  const strangers = createStrangers({
    clock: options.clock ?? systemClock,
    deadlineMs: options.authenticationDeadlineMs ?? AUTHENTICATION_DEADLINE_MS,
    perAddressMax: options.unauthenticatedPerAddressMax ?? UNAUTHENTICATED_PER_ADDRESS_MAX,
  });
  const sockets = new Set<Socket>();
  const connectionsMax =
    options.connectionsMax ?? connectionsMaxOf(openFileLimit() ?? Number.POSITIVE_INFINITY);
  const hostRules = { boundHost: options.host, hostNames: options.hostNames ?? [] };
  const upgrades = createUpgrades({
    strangers,
    hostRules,
    clock: options.clock ?? systemClock,
    logger: options.logger,
    createHandshake: () => foremanHandshake(options),
    isFull: () => sockets.size > connectionsMax,
    onChannel: options.onChannel,
  });
  const http = createServer();
  http.on("connection", (socket) => {
    if (sockets.size >= connectionsMax + REFUSALS_AT_A_TIME) socket.destroy();
    else onConnection(socket, { strangers, sockets, options });
  });
  http.on("request", (request, response) => {
    strangers.release(request.socket);
    onRequest({ request, response, hostRules, onHttp: options.onHttp });
  });
  http.on("upgrade", upgrades.onUpgrade);
  http.on("clientError", (_fault, socket) => socket.destroy());
  await bind(http, options);
  return listenerOf(http, options, async (reason) => {
    await upgrades.closeAll(reason);
    for (const socket of sockets) socket.destroy();
  });
}

function foremanHandshake({ keys, foremanId, epoch, timing, clock = systemClock }: ListenOptions) {
  return createForemanHandshake({ keys, foremanId, epoch, ...timing, nowMs: clock.nowMs });
}

function onConnection(
  socket: Socket,
  around: {
    readonly strangers: Strangers;
    readonly sockets: Set<Socket>;
    readonly options: ListenOptions;
  },
): void {
  const { strangers, sockets, options } = around;
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  socket.on("error", (fault) => options.logger.debug("connection breaks", { why: fault.message }));
  strangers.enter(socket);
}

function onRequest(exchange: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly hostRules: HostRules;
  readonly onHttp: ListenOptions["onHttp"];
}): void {
  const { request, response, hostRules, onHttp } = exchange;
  const facts = requestFacts(request);
  const refusal = refusalOfRequest(facts, hostRules);
  if (refusal !== null) answerRefusal(response, refusal);
  else if (onHttp?.(request, response) === true) return;
  else if (request.method === "GET" && facts.path === "/health") answerHealth(response);
  else answerNotFound(request, response);
}

function bind(http: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onFault = (fault: unknown): void => reject(listenFault(fault, options));
    http.once("error", onFault);
    http.listen({ host: options.host, port: options.port }, () => {
      http.off("error", onFault);
      http.on("error", (fault) => options.logger.error("port fails", { why: fault.message }));
      resolve();
    });
  });
}

function listenerOf(
  http: Server,
  options: ListenOptions,
  closeSockets: (reason: string) => Promise<void>,
): ForemanListener {
  const bound = http.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  const dialHost = isWildcardHost(options.host) ? "127.0.0.1" : options.host;
  let stopped: Promise<void> | null = null;
  const stopAccepting = (): Promise<void> => {
    stopped ??= new Promise((resolve) => http.close(() => resolve()));
    return stopped;
  };
  return {
    url: `ws://${hostForUrl(dialHost)}:${port}`,
    port,
    address: `${hostForUrl(options.host)}:${port}`,
    stopAccepting: () => void stopAccepting(),
    async close(reason = "the foreman stops") {
      const ended = stopAccepting();
      await closeSockets(reason);
      await ended;
    },
  };
}
