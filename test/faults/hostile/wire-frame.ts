/** WebSocket frames as bytes, and back (RFC 6455, section 5.2); also such as nobody should send. */

export interface FrameHeader {
  /** 0 goes on, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  readonly opcode: number;
  /** The last fragment; true unless told otherwise. */
  readonly isFinal?: boolean;
  readonly isMasked?: boolean;
  /** What the header claims, where it lies. */
  readonly claimedBytes?: bigint;
}

/** Masked with zeros, which is a mask like any other. */
export function wireFrame(payload: Uint8Array, header: FrameHeader): Buffer {
  const { opcode, isFinal = true, isMasked = true } = header;
  const byteCount = header.claimedBytes ?? BigInt(payload.byteLength);
  const first = (isFinal ? 0x80 : 0) | opcode;
  const mask = isMasked ? 0x80 : 0;
  const length = lengthBytes(byteCount, mask);
  const key = isMasked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([Uint8Array.of(first), length, key, payload]);
}

function lengthBytes(byteCount: bigint, mask: number): Buffer {
  if (byteCount < 126n) return Buffer.of(mask | Number(byteCount));
  if (byteCount < 65_536n) {
    const head = Buffer.of(mask | 126, 0, 0);
    head.writeUInt16BE(Number(byteCount), 1);
    return head;
  }
  const head = Buffer.alloc(9);
  head[0] = mask | 127;
  head.writeBigUInt64BE(byteCount, 1);
  return head;
}

/** Takes bytes as they come and tells each whole frame; servers neither mask nor fragment. */
export function readFrames(
  onFrame: (opcode: number, payload: Buffer) => void,
): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let wantedBytes = 2;
  return (chunk) => {
    pending.push(chunk);
    pendingBytes += chunk.byteLength;
    // Joining at every chunk of a large frame would be quadratic.
    if (pendingBytes < wantedBytes) return;
    let rest = pending.length === 1 ? chunk : Buffer.concat(pending);
    for (;;) {
      const size = frameSize(rest);
      if (size === null || rest.byteLength < size.headBytes + size.bodyBytes) {
        wantedBytes = size === null ? rest.byteLength + 1 : size.headBytes + size.bodyBytes;
        break;
      }
      const end = size.headBytes + size.bodyBytes;
      onFrame((rest[0] as number) & 0x0f, rest.subarray(size.headBytes, end));
      rest = rest.subarray(end);
    }
    pending = rest.byteLength === 0 ? [] : [rest];
    pendingBytes = rest.byteLength;
  };
}

function frameSize(bytes: Buffer): { headBytes: number; bodyBytes: number } | null {
  if (bytes.byteLength < 2) return null;
  const short = (bytes[1] as number) & 0x7f;
  if (short < 126) return { headBytes: 2, bodyBytes: short };
  if (short === 126) {
    return bytes.byteLength < 4 ? null : { headBytes: 4, bodyBytes: bytes.readUInt16BE(2) };
  }
  if (bytes.byteLength < 10) return null;
  return { headBytes: 10, bodyBytes: Number(bytes.readBigUInt64BE(2)) };
}
