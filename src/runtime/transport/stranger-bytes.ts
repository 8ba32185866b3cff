/**
 * Bounds what a stranger can make the foreman hold. A WebSocket gathers a frame until it is whole, and
 * its limit is that of proven peers; so the bytes themselves are counted until the key is proved.
 */
import type { Duplex } from "node:stream";
import { FRAME_BYTES_MAX_UNAUTHENTICATED } from "../protocol/limits.ts";
import type { FrameSocket } from "./frame-socket.ts";

/** A handshake is two small frames; the rest is room for headers and pings. */
const STRANGER_BYTES_MAX = 4 * FRAME_BYTES_MAX_UNAUTHENTICATED;

/** A pong that nobody asked for, masked and empty: the protocol allows it and both sides ignore it. */
const EMPTY_PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/**
 * What to hand to `handleUpgrade` as the bytes that came with the request. Bun's `ws` takes a socket
 * without such bytes over natively, where nobody can count; one harmless frame keeps it on the stream
 * (4 µs more a message). Without the effect nothing breaks but the count.
 */
export function countableHead(head: Buffer): Buffer {
  return head.byteLength === 0 && process.versions["bun"] !== undefined ? EMPTY_PONG : head;
}

/** @returns what to call when the peer has proved its key. */
export function limitStrangerBytes(socket: Duplex, frames: FrameSocket): () => void {
  let byteCount = 0;
  const stop = (): void => {
    socket.off("data", onBytes);
  };
  const onBytes = (bytes: Uint8Array): void => {
    byteCount += bytes.byteLength;
    if (byteCount <= STRANGER_BYTES_MAX) return;
    stop();
    frames.close(1009, `over ${STRANGER_BYTES_MAX} bytes before authentication`);
    // The close frame goes out, but nothing more comes in until the socket is cut.
    socket.pause();
  };
  socket.on("data", onBytes);
  return stop;
}
