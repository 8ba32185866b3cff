/**
 * Dials a foreman: connect, prove the key both ways, and hand over a channel. It ends one way or the
 * other within its deadline, and says which of "nobody", "somebody else" and "no" it was.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Logger, silentLogger } from "../platform/logger.ts";
import type { CcError } from "../protocol/error.ts";
import type { Encoding } from "../protocol/frames.ts";
import { FRAME_BYTES_MAX, FRAME_BYTES_MAX_UNAUTHENTICATED } from "../protocol/limits.ts";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "../protocol/messages.ts";
import type { Channel, ChannelHandler, Peer, WelcomeFacts } from "./channel.ts";
import { faultOfConnection, notAForeman, refusedByForeman, unreachable } from "./dial-faults.ts";
import { type ForemanAddress, parseForemanAddress } from "./foreman-address.ts";
import { createFrameSocket, type FrameSocket } from "./frame-socket.ts";
import { createPeerHandshake } from "./handshake.ts";
import { REFUSAL_HEADER } from "./http-answers.ts";
import type { Key, KeyRole } from "./keys.ts";
import { type OnChannel, openSocketChannel } from "./socket-channel.ts";

export interface DialOptions {
  /** As a person writes it: `127.0.0.1:9000`, `ws://host:9000`, `http://…`. */
  readonly url: string;
  readonly key: Key;
  readonly role: KeyRole;
  readonly encoding?: Encoding;
  /** Gives the dial up; a channel that is open already is not touched. */
  readonly signal?: AbortSignal;
  /** From the first packet to the welcome. */
  readonly connectTimeoutMs?: number;
  /** Who hears the messages; a function is asked once the channel is open, before any message. */
  readonly handler: ChannelHandler | OnChannel;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

const CONNECT_TIMEOUT_MS = 10_000;
const REFUSAL_BODY_BYTES_MAX = 4_096;

/**
 * @throws CcError `bad_address`; `foreman_unreachable` (retryable); `not_a_foreman`; `refused`,
 * `foreman_mismatch`, `wrong_key`, `key_revoked`, `wrong_role`, `version_mismatch` (all final).
 * When the signal aborts, its reason is thrown.
 */
export async function dial(options: DialOptions): Promise<Channel> {
  const address = parseForemanAddress(options.url);
  options.signal?.throwIfAborted();
  const encoding = options.encoding ?? "msgpack";
  const subprotocol = encoding === "json" ? SUBPROTOCOL_JSON : SUBPROTOCOL_MSGPACK;
  const socket = new WebSocket(address.url, [subprotocol], {
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    followRedirects: false,
  });
  return await new Promise<Channel>((resolve, reject) => {
    const attempt = watchAttempt({ socket, address, options, resolve, reject });
    socket.on("open", () => {
      if (socket.protocol !== subprotocol) {
        attempt.fail(notAForeman(address.target, "it does not speak our sub-protocol"));
        return;
      }
      const { clock = systemClock, logger = silentLogger } = options;
      prove(createFrameSocket({ socket, encoding, clock, logger }), attempt);
    });
  });
}

interface Attempt {
  readonly address: ForemanAddress;
  readonly options: DialOptions;
  succeed(channel: Channel): void;
  fail(error: unknown): void;
  readonly isSettled: boolean;
}

interface AttemptParts {
  readonly socket: WebSocket;
  readonly address: ForemanAddress;
  readonly options: DialOptions;
  readonly resolve: (channel: Channel) => void;
  readonly reject: (error: unknown) => void;
}

/** Owns the deadline, the abort and every way in which a socket fails before it is a channel. */
function watchAttempt({ socket, address, options, resolve, reject }: AttemptParts): Attempt {
  const { signal, clock = systemClock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const { target } = address;
  let isSettled = false;
  const settle = (): boolean => {
    if (isSettled) return false;
    isSettled = true;
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
    return true;
  };
  const fail = (error: unknown): void => {
    if (!settle()) return;
    reject(error);
    // An `error` may still follow from the cut; the listener below stays for it.
    socket.terminate();
  };
  const onAbort = (): void => fail(signal?.reason);
  const timer = clock.setTimer(connectTimeoutMs, () =>
    fail(unreachable(target, `no answer within ${connectTimeoutMs / 1000} s`)),
  );
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.on("error", (fault: Error) => fail(faultOfConnection(target, fault)));
  socket.on("unexpected-response", (_request: ClientRequest, response: IncomingMessage) => {
    void readRefusal(target, response).then(fail, fail);
  });
  return {
    address,
    options,
    succeed: (channel) => {
      if (settle()) resolve(channel);
    },
    fail,
    get isSettled() {
      return isSettled;
    },
  };
}

/** Runs the handshake over an open socket and turns it into a channel. */
function prove(frames: FrameSocket, attempt: Attempt): void {
  const { options, address } = attempt;
  const { key, role } = options;
  const handshake = createPeerHandshake({ key, role, target: address.target });
  frames.setReceiver(
    {
      onMessage(message) {
        if (attempt.isSettled) return;
        const step = handshake.onMessage(message);
        if (step.answer !== null) frames.send(step.answer);
        if (step.kind === "refused") attempt.fail(step.error);
        else if (step.kind === "accepted") attempt.succeed(open(frames, step.accepted, attempt));
      },
      onClose: ({ reason }) => {
        const detail = reason === "" ? "it closed the connection" : `it closed: ${reason}`;
        attempt.fail(unreachable(address.target, detail));
      },
    },
    FRAME_BYTES_MAX_UNAUTHENTICATED,
  );
  frames.send(handshake.hello);
}

function open(frames: FrameSocket, welcome: WelcomeFacts, { options, address }: Attempt): Channel {
  const peer: Peer = {
    role: "foreman",
    keyId: options.key.keyId,
    owner: welcome.owner,
    scopes: [],
    address: address.target,
    programVersion: welcome.programVersion,
  };
  const { handler } = options;
  const onChannel = typeof handler === "function" ? handler : () => handler;
  return openSocketChannel(frames, { peer, welcome }, onChannel);
}

/** A foreman marks its refusals; any other answer shows that somebody else listens there. */
async function readRefusal(target: string, response: IncomingMessage): Promise<CcError> {
  const status = response.statusCode ?? 0;
  const code = response.headers[REFUSAL_HEADER];
  if (typeof code !== "string") {
    response.destroy();
    // A proxy's way of saying that what it stands for is away.
    if (status >= 502 && status <= 504)
      return unreachable(target, `a proxy answered HTTP ${status}`);
    return notAForeman(target, `it answered HTTP ${status}`);
  }
  let sentence = "";
  for await (const chunk of response) {
    sentence += String(chunk);
    if (sentence.length > REFUSAL_BODY_BYTES_MAX) break;
  }
  return refusedByForeman({ code, sentence });
}
