/**
 * Two channels joined in memory, for tests and for clients in the foreman's own process: every message
 * passes the real codec, and everything but the handshake is as on a socket.
 */
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Logger, silentLogger } from "../platform/logger.ts";
import type { Encoding } from "../protocol/frames.ts";
import type { Channel, Peer, WelcomeFacts } from "./channel.ts";
import { createFrameSocket, type RawSocket } from "./frame-socket.ts";
import { createMemorySockets } from "./memory-socket.ts";
import { type OnChannel, openSocketChannel } from "./socket-channel.ts";

export interface ChannelPairOptions {
  /** Whom the foreman's side sees. */
  readonly client: Peer;
  /** What the client's side was told. */
  readonly welcome: WelcomeFacts;
  /** Asked first, as a foreman that accepts is. */
  readonly onForemanSide: OnChannel;
  readonly onClientSide: OnChannel;
  readonly encoding?: Encoding;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface ChannelPair {
  /** Held by the client; its peer is the foreman. */
  readonly client: Channel;
  /** Held by the foreman; its peer is the client. */
  readonly foreman: Channel;
}

export function createChannelPair(options: ChannelPairOptions): ChannelPair {
  const { client, welcome } = options;
  const { encoding = "msgpack", clock = systemClock, logger = silentLogger } = options;
  const framesOver = (socket: RawSocket) => createFrameSocket({ socket, encoding, clock, logger });
  const [clientSocket, foremanSocket] = createMemorySockets();
  const peer: Peer = {
    role: "foreman",
    keyId: client.keyId,
    owner: welcome.owner,
    scopes: [],
    address: "memory",
    programVersion: welcome.programVersion,
  };
  const atForeman = { peer: client, welcome: null };
  const foreman = openSocketChannel(framesOver(foremanSocket), atForeman, options.onForemanSide);
  const atClient = { peer, welcome };
  return {
    foreman,
    client: openSocketChannel(framesOver(clientSocket), atClient, options.onClientSide),
  };
}
