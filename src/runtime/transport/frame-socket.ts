/**
 * One WebSocket as a pipe of messages, for both sides and before as well as after authentication: the
 * only file that touches a socket's frames. It must never let a peer's frame throw past it, and tells
 * its receiver about the end exactly once, last.
 */
import type { RawData } from "ws";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { CcError, toCcError } from "../protocol/error.ts";
import { type Encoding, encodeFrame } from "../protocol/frames.ts";
import { FRAME_BYTES_MAX } from "../protocol/limits.ts";
import type { Message } from "../protocol/messages.ts";
import type { ChannelEnd, ChannelHandler } from "./channel.ts";
import { endOfFault, fitCloseReason } from "./close-frame.ts";
import { errorToMessage } from "./handshake-errors.ts";
import { type FrameReading, readFrame } from "./read-frame.ts";
import { createSendQueue } from "./send-queue.ts";

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

/** States: open -> closing (nothing is sent or heard any more) -> closed (`onClose` was called). */
export function createFrameSocket(options: FrameSocketOptions): FrameSocket {
  const { socket, encoding } = options;
  let receiver: ChannelHandler | null = null;
  let bytesMax = 0;
  const closing = createClosing(options);
  const isOpen = (): boolean => !closing.hasBegun;
  const queue = createSendQueue({ waitingBytes: () => socket.bufferedAmount, isOpen });

  const close = (code: number, reason: string): void => {
    closing.begin(code, reason);
    queue.onRoom();
  };
  const send = (message: Message): void => {
    if (!isOpen()) return;
    const frame = encodeFrame(message, encoding);
    const byteCount = typeof frame === "string" ? Buffer.byteLength(frame) : frame.byteLength;
    if (byteCount > FRAME_BYTES_MAX) {
      options.logger.error("message is too large to send", { type: message.type, byteCount });
      close(1009, `a ${message.type} of ${byteCount} bytes is over the limit`);
      return;
    }
    // The callback runs when the frame has left, which is when room appears.
    socket.send(frame, queue.onRoom);
    if (queue.isOverfull()) close(1008, `too slow: ${socket.bufferedAmount} bytes wait to be read`);
  };

  socket.on("message", (raw, isBinary) => {
    if (!isOpen() || receiver === null) return;
    // Neither side asks for ArrayBuffers or fragments, so it is a Buffer.
    const reading = readFrame({ bytes: raw as Buffer, isBinary }, { encoding, bytesMax });
    const verdict = judgeReading(reading, { receiver, logger: options.logger });
    if (verdict === null) return;
    send(errorToMessage(verdict.error, verdict.request));
    if (verdict.closeCode !== null) close(verdict.closeCode, verdict.error.message);
  });
  socket.on("error", closing.onFault);
  socket.on("close", (code, reason) => {
    const end = closing.finish(code, reason.toString());
    queue.onRoom();
    receiver?.onClose(end);
    receiver = null;
  });

  return {
    setReceiver(next, frameBytesMax) {
      receiver = next;
      bytesMax = frameBytesMax;
    },
    send,
    queuedBytes: () => socket.bufferedAmount,
    drained: queue.drained,
    // One that is closing must go on reading, or it would never hear the peer's answer.
    pause: () => (isOpen() ? socket.pause() : undefined),
    resume: () => socket.resume(),
    close,
    get isOpen() {
      return !closing.hasBegun;
    },
  };
}

interface Verdict {
  readonly error: CcError;
  readonly request: number | undefined;
  /** Null: the connection goes on. */
  readonly closeCode: number | null;
}

/** Hands a message on. @returns what the peer must be told, or null when all is well. */
function judgeReading(
  reading: FrameReading,
  to: { readonly receiver: ChannelHandler; readonly logger: Logger },
): Verdict | null {
  switch (reading.kind) {
    case "message": {
      const error = deliver(reading, to);
      return error === null ? null : { error, request: undefined, closeCode: 1002 };
    }
    case "unknown":
      return { error: reading.error, request: reading.request, closeCode: null };
    case "refused":
      return { error: reading.error, request: undefined, closeCode: reading.code };
  }
}

function deliver(
  { message, byteCount }: { readonly message: Message; readonly byteCount: number },
  { receiver, logger }: { readonly receiver: ChannelHandler; readonly logger: Logger },
): CcError | null {
  try {
    receiver.onMessage(message, byteCount);
    return null;
  } catch (thrown) {
    if (thrown instanceof CcError) return thrown;
    // A fault of ours: the log needs its stack, the peer does not.
    logger.error("message handler fails", { type: message.type, error: thrown });
    return toCcError(thrown);
  }
}

/** What is known about the end: our own decision or a fault says more than the bare close after it. */
function createClosing({ socket, clock }: FrameSocketOptions) {
  let end: ChannelEnd | null = null;
  let hasBegun = false;
  let deadline: Timer | null = null;
  return {
    get hasBegun() {
      return hasBegun;
    },
    begin(code: number, reason: string): void {
      if (hasBegun) return;
      hasBegun = true;
      end ??= { code, reason, byUs: true };
      socket.resume();
      socket.close(code, fitCloseReason(reason));
      const cutOff = (): void => socket.terminate();
      deadline = clock.setTimer(CLOSE_DEADLINE_MS, cutOff, { holdsProcess: false });
    },
    onFault(fault: Error): void {
      end ??= endOfFault(fault);
    },
    finish(code: number, reason: string): ChannelEnd {
      hasBegun = true;
      deadline?.cancel();
      return end ?? { code, reason, byUs: false };
    },
  };
}
