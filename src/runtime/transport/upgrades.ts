/**
 * From an upgrade request to a socket in the handshake: judged first, then turned into a WebSocket.
 * It knows every WebSocket of the port, so that the port can be closed.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Encoding } from "../protocol/frames.ts";
import { FRAME_BYTES_MAX } from "../protocol/limits.ts";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "../protocol/messages.ts";
import { admitThroughHandshake } from "./admission.ts";
import { createFrameSocket, type FrameSocket } from "./frame-socket.ts";
import type { AdmittedPeer, Handshake } from "./handshake.ts";
import type { HostRules } from "./host-rules.ts";
import { refuseUpgrade } from "./http-answers.ts";
import { judgeUpgrade, type Refusal, requestFacts } from "./request-rules.ts";
import type { OnChannel } from "./socket-channel.ts";
import { countableHead, limitStrangerBytes } from "./stranger-bytes.ts";
import { addressOf, type Strangers } from "./strangers.ts";

export interface UpgradesOptions {
  readonly strangers: Strangers;
  readonly hostRules: HostRules;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createHandshake: () => Handshake<AdmittedPeer>;
  readonly onChannel: OnChannel;
  /** No further peer can be served: the descriptors that are left have other uses. */
  readonly isFull: () => boolean;
}

export interface Upgrades {
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Resolves when every WebSocket is gone. */
  closeAll(reason: string): Promise<void>;
}

const FULL: Refusal = {
  status: 503,
  code: "too_many_connections",
  sentence:
    "This foreman has as many connections as its limit of open files allows: try again later, or raise it (ulimit -n).",
};

export function createUpgrades(options: UpgradesOptions): Upgrades {
  const { clock, logger } = options;
  const open = new Map<FrameSocket, Promise<void>>();
  const webSockets = createWebSocketServer();

  const track = (socket: WebSocket, encoding: Encoding): FrameSocket => {
    const frames = createFrameSocket({ socket, encoding, clock, logger });
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    open.set(frames, ended);
    socket.once("close", () => open.delete(frames));
    return frames;
  };

  return {
    onUpgrade(request, socket, head) {
      const subprotocols = request.headers["sec-websocket-protocol"];
      const verdict = judgeUpgrade({ ...requestFacts(request), subprotocols }, options.hostRules);
      if (verdict.kind === "refuse") {
        const { code } = verdict.refusal;
        logger.warn("connection is refused", { address: addressOf(request.socket), code });
        refuseUpgrade(socket, verdict.refusal);
        return;
      }
      if (options.isFull()) {
        logger.warn("connection is refused", {
          address: addressOf(request.socket),
          code: FULL.code,
        });
        refuseUpgrade(socket, FULL);
        return;
      }
      webSockets.handleUpgrade(request, socket, countableHead(head), (webSocket) => {
        greet(track(webSocket, verdict.encoding), request, options);
      });
    },
    async closeAll(reason) {
      for (const frames of open.keys()) frames.close(1001, reason);
      await Promise.all(open.values());
    },
  };
}

function createWebSocketServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    // A compressed bomb would unpack before any limit of ours sees it.
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    clientTracking: false,
    // The same preference as the verdict's.
    handleProtocols: (offered) =>
      [SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON].find((name) => offered.has(name)) ?? false,
  });
}

function greet(frames: FrameSocket, request: IncomingMessage, options: UpgradesOptions): void {
  const { strangers, logger, onChannel } = options;
  const { socket } = request;
  const stopCounting = limitStrangerBytes(socket, frames);
  strangers.setCutOff(socket, (reason) => frames.close(1008, reason));
  admitThroughHandshake({
    frames,
    handshake: options.createHandshake(),
    address: addressOf(socket),
    logger,
    onChannel,
    onAdmitted: () => {
      strangers.release(socket);
      stopCounting();
    },
  });
}
