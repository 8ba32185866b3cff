/**
 * One WebSocket as a pipe of messages, for both sides and before as well as after authentication: the
 * only file that touches a socket's frames. It must never let a peer's frame throw past it, and tells
 * its receiver about the end exactly once, last.
 */
import type { RawData } from "ws";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { CcError } from "../protocol/error.ts";
import { decodeFrame, type Encoding, encodeFrame, frameText } from "../protocol/frames.ts";
import { FRAME_BYTES_MAX, SEND_QUEUE_BYTES_MAX } from "../protocol/limits.ts";
import type { Message } from "../protocol/messages.ts";
import type { ChannelEnd, ChannelHandler } from "./channel.ts";
import { errorToMessage } from "./handshake-errors.ts";

export interface FrameSocket {
  /** Who hears of messages and the end, and the largest frame taken from now on. */
  setReceiver(receiver: ChannelHandler, frameBytesMax: number): void;
  send(message: Message): void;
  queuedBytes(): number;
  drained(): Promise<void>;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  readonly isOpen: boolean;
}

/** What is needed of a WebSocket; a pair in memory offers the same. */
export interface RawSocket {
  /** Bytes that were sent and that the peer has not taken. */
  readonly bufferedAmount: number;
  send(frame: Uint8Array | string, onTaken: () => void): void;
  pause(): void;
  resume(): void;
  /** Orderly: what was sent before still arrives. */
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "message", listener: (frame: RawData, isBinary: boolean) => void): unknown;
  on(event: "error", listener: (fault: Error) => void): unknown;
  on(event: "close", listener: (code: number, reason: Buffer) => void): unknown;
}

export interface FrameSocketOptions {
  /** Must be open. */
  readonly socket: RawSocket;
  readonly encoding: Encoding;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A peer that does not answer a close by then is cut off. */
const CLOSE_DEADLINE_MS = 2_000;
/** Of a close frame's reason, by the WebSocket protocol. */
const CLOSE_REASON_BYTES_MAX = 123;
const QUEUE_BYTES_DRAINED = SEND_QUEUE_BYTES_MAX / 2;
/** The queue may exceed its limit by the one frame that filled it. */
const QUEUE_BYTES_MAX = SEND_QUEUE_BYTES_MAX + FRAME_BYTES_MAX;

export function createFrameSocket(options: FrameSocketOptions): FrameSocket {
  const { socket, encoding, clock, logger } = options;
  let receiver: ChannelHandler | null = null;
  let frameBytesMax = 0;
  let isOpen = true;
  /** Decided by us, or by the fault that the socket reported; a bare close says less. */
  let end: ChannelEnd | null = null;
  let closeTimer: Timer | null = null;
  let waiters: (() => void)[] = [];

  const releaseWaiters = (): void => {
    if (waiters.length === 0) return;
    if (isOpen && socket.bufferedAmount >= QUEUE_BYTES_DRAINED) return;
    const released = waiters;
    waiters = [];
    for (const release of released) release();
  };

  const close = (code: number, reason: string): void => {
    if (!isOpen) return;
    isOpen = false;
    end = { code, reason, byUs: true };
    releaseWaiters();
    // A paused socket would not hear the peer's answer.
    socket.resume();
    socket.close(code, fitReason(reason));
    closeTimer = clock.setTimer(CLOSE_DEADLINE_MS, () => socket.terminate(), {
      holdsProcess: false,
    });
  };

  const send = (message: Message): void => {
    if (!isOpen) return;
    const frame = encodeFrame(message, encoding);
    if (frame.length > FRAME_BYTES_MAX) {
      logger.error("message is too large to send", { type: message.type, bytes: frame.length });
      close(1009, `a ${message.type} of ${frame.length} bytes is over the limit of a frame`);
      return;
    }
    // One shared callback a frame: it runs when the frame has left, which is when room appears.
    socket.send(frame, releaseWaiters);
    if (socket.bufferedAmount > QUEUE_BYTES_MAX) {
      close(1008, `too slow: ${socket.bufferedAmount} bytes wait to be read`);
    }
  };

  const receive = (raw: RawData, isBinary: boolean): void => {
    if (!isOpen || receiver === null) return;
    const frame = raw as Buffer;
    if (frame.byteLength > frameBytesMax) {
      close(1009, `a frame of ${frame.byteLength} bytes is over the limit of ${frameBytesMax}`);
      return;
    }
    if (encoding === "msgpack" && !isBinary) {
      close(1003, "a text frame on the MessagePack sub-protocol");
      return;
    }
    const message = decode(frame);
    if (message !== null) deliver(message, frame.byteLength, receiver);
  };

  const decode = (frame: Buffer): Message | null => {
    try {
      return decodeFrame(encoding === "json" ? frameText(frame) : frame);
    } catch (thrown) {
      const error = asMalformed(thrown);
      send(errorToMessage(error));
      if (error.code !== "unknown_message") close(1007, error.message);
      return null;
    }
  };

  const deliver = (message: Message, frameBytes: number, to: ChannelHandler): void => {
    try {
      to.onMessage(message, frameBytes);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      // The world's errors are the peer's; anything else is a fault of ours that needs its stack.
      if (thrown instanceof CcError) send(errorToMessage(thrown));
      else logger.error("message handler fails", { type: message.type, error: thrown });
      close(1002, reason);
    }
  };

  socket.on("message", receive);
  socket.on("error", (fault: Error) => {
    end ??= endOfFault(fault);
  });
  socket.on("close", (code: number, reason: Buffer) => {
    isOpen = false;
    closeTimer?.cancel();
    releaseWaiters();
    end ??= { code, reason: reason.toString(), byUs: false };
    receiver?.onClose(end);
    receiver = null;
  });

  return {
    setReceiver(next, bytesMax) {
      receiver = next;
      frameBytesMax = bytesMax;
    },
    send,
    queuedBytes: () => socket.bufferedAmount,
    drained: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        releaseWaiters();
      }),
    pause: () => {
      if (isOpen) socket.pause();
    },
    resume: () => socket.resume(),
    close,
    get isOpen() {
      return isOpen;
    },
  };
}

/** Whatever a decoder throws on a peer's bytes is the peer's fault. */
function asMalformed(thrown: unknown): CcError {
  if (thrown instanceof CcError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new CcError({
    code: "malformed_message",
    message: `A message does not follow the protocol: ${detail}.`,
    cause: thrown,
  });
}

/** The two `ws` implementations report their own refusals as an error with a code, then code 1006. */
function endOfFault(fault: Error): ChannelEnd {
  const code = "code" in fault ? String(fault.code) : "";
  if (
    code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ||
    code === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH"
  ) {
    return { code: 1009, reason: "a frame is over the limit of 16 MiB", byUs: true };
  }
  if (code === "WS_ERR_INVALID_UTF8") {
    return { code: 1007, reason: "a text frame is not UTF-8", byUs: true };
  }
  if (code.startsWith("WS_ERR_")) return { code: 1002, reason: fault.message, byUs: true };
  return { code: 1006, reason: fault.message, byUs: false };
}

/** Cut at a character's border. */
function fitReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.byteLength <= CLOSE_REASON_BYTES_MAX) return reason;
  let length = CLOSE_REASON_BYTES_MAX - 3;
  while (length > 0 && ((bytes[length] as number) & 0xc0) === 0x80) length--;
  return `${bytes.subarray(0, length).toString()}…`;
}
