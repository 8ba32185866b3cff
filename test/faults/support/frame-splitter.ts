/**
 * Finds the WebSocket frames in one direction of a connection: first the head of the HTTP upgrade, which
 * is passed on as it is, then frame by frame (RFC 6455 §5.2). It unmasks and decodes nothing.
 */

export interface Piece {
  readonly bytes: Uint8Array;
  /** Counts the frames that carry messages, from 0; null for the upgrade and for control frames. */
  readonly number: number | null;
}

export interface FrameSplitter {
  push(bytes: Uint8Array): readonly Piece[];
}

const HEAD_END = Buffer.from("\r\n\r\n");
/** Opcodes from here on are ping, pong and close. */
const FIRST_CONTROL_OPCODE = 8;

export function createFrameSplitter(): FrameSplitter {
  let waiting = Buffer.alloc(0);
  let isUpgraded = false;
  let messageCount = 0;

  function next(): Piece | null {
    if (!isUpgraded) {
      const end = waiting.indexOf(HEAD_END);
      if (end < 0) return null;
      isUpgraded = true;
      return { bytes: take(end + HEAD_END.length), number: null };
    }
    const length = frameLengthOf(waiting);
    if (length === null || waiting.length < length) return null;
    const isControl = ((waiting[0] ?? 0) & 0x0f) >= FIRST_CONTROL_OPCODE;
    return { bytes: take(length), number: isControl ? null : messageCount++ };
  }

  function take(length: number): Uint8Array {
    const piece = Uint8Array.from(waiting.subarray(0, length));
    waiting = waiting.subarray(length);
    return piece;
  }

  return {
    push(bytes) {
      waiting = Buffer.concat([waiting, bytes]);
      const pieces: Piece[] = [];
      for (let piece = next(); piece !== null; piece = next()) pieces.push(piece);
      return pieces;
    },
  };
}

/** Header included; null while the header is incomplete. */
function frameLengthOf(bytes: Buffer): number | null {
  if (bytes.length < 2) return null;
  const second = bytes[1] ?? 0;
  const maskBytes = second & 0x80 ? 4 : 0;
  const short = second & 0x7f;
  if (short < 126) return 2 + maskBytes + short;
  if (short === 126) return bytes.length < 4 ? null : 4 + maskBytes + bytes.readUInt16BE(2);
  return bytes.length < 10 ? null : 10 + maskBytes + Number(bytes.readBigUInt64BE(2));
}
