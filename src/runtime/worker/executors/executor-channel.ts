/**
 * The worker's end of the socket pair to an executor. Writes never block: an executor whose event loop
 * is busy for minutes only makes its frames wait here, at most the two batches it may hold.
 */
import type { Socket } from "bun";
import { createFrameReader } from "../../executor/frames.ts";

export interface ExecutorChannel {
  write(frame: Uint8Array): void;
  /** Closes it; the executor then ends itself. */
  close(): void;
  /** Resolves when the other end is closed and everything it wrote has been read. */
  readonly closed: Promise<void>;
}

export interface ChannelListener {
  onFrame(type: number, body: Uint8Array): void;
  /** The executor, or user code in it, has written what is no frame. */
  onMalformed(error: unknown): void;
}

export function openExecutorChannel(
  descriptor: number,
  listener: ChannelListener,
): ExecutorChannel {
  const reader = createFrameReader((type, body) => listener.onFrame(type, body));
  const closed = Promise.withResolvers<void>();
  const waiting: Uint8Array[] = [];
  let socket: Socket | null = null;
  let isMalformed = false;
  let isClosing = false;

  function writeWaiting(): void {
    while (socket !== null && waiting.length > 0) {
      const frame = waiting[0] as Uint8Array;
      const written = Math.max(0, socket.write(frame));
      if (written < frame.byteLength) {
        waiting[0] = frame.subarray(written);
        return;
      }
      waiting.shift();
    }
    if (isClosing) socket?.end();
  }

  function read(chunk: Uint8Array): void {
    if (isMalformed) return;
    try {
      reader.push(chunk);
    } catch (error) {
      isMalformed = true;
      listener.onMalformed(error);
    }
  }

  const options = {
    fd: descriptor,
    socket: {
      open(opened: Socket) {
        socket = opened;
        writeWaiting();
      },
      data: (_: Socket, chunk: Uint8Array) => read(chunk),
      drain: writeWaiting,
      close: () => closed.resolve(),
      // `close` follows.
      error() {},
    },
  };
  // `connect` takes a descriptor (FdSocketOptions), but its declared overloads leave that out.
  const connect = Bun.connect as unknown as (given: typeof options) => Promise<Socket>;
  connect(options).catch(() => closed.resolve());

  return {
    write(frame) {
      waiting.push(frame);
      if (waiting.length === 1) writeWaiting();
    },
    close() {
      isClosing = true;
      if (waiting.length === 0) socket?.end();
    },
    closed: closed.promise,
  };
}
