/**
 * Looks over a MessagePack frame before anything is made of it: how deep it is, of how many parts, and
 * that it holds plain data only. A decoder would first build millions of objects, or run what its
 * extension types ask for (records, references, regular expressions), and only then could we refuse.
 * It costs about 5 ns a part; columns are one part each, however long they are.
 */

import { FRAME_DEPTH_MAX, FRAME_PARTS_MAX } from "./limits.ts";

/** For each level that is open: how many parts of it are still to come. Used within one call only. */
const leftAtDepth = new Float64Array(FRAME_DEPTH_MAX + 1);

/** @returns what is wrong with it, as the end of a sentence; null when it may be decoded. */
export function findMessagePackFault(frame: Uint8Array): string | null {
  const end = frame.byteLength;
  let at = 0;
  let depth = 0;
  let partCount = 0;
  leftAtDepth[0] = 1;
  for (;;) {
    while (leftAtDepth[depth] === 0) {
      if (depth === 0) return at === end ? null : "bytes follow its end";
      depth--;
    }
    if (at >= end) return "it ends too early";
    if (++partCount > FRAME_PARTS_MAX) return `it has over ${FRAME_PARTS_MAX} parts`;
    leftAtDepth[depth] = (leftAtDepth[depth] as number) - 1;
    const token = frame[at++] as number;
    const shape = SHAPES[token] as number;
    if (shape >= 0) {
      at += shape;
      continue;
    }
    const size = readSize(frame, at, token, shape);
    if (size === null) return "it holds something other than plain data";
    at += size.headBytes;
    if (!size.isContainer) at += size.count;
    else if (size.count > end - at) return "it ends too early";
    else if (++depth > FRAME_DEPTH_MAX) return `it is nested over ${FRAME_DEPTH_MAX} levels`;
    else leftAtDepth[depth] = size.count;
  }
}

interface Size {
  /** Bytes of the length itself. */
  readonly headBytes: number;
  /** Bytes of a text or a binary; parts of a container, a map's keys and values each. */
  readonly count: number;
  readonly isContainer: boolean;
}

const FIXED_CONTAINER = -1;
const FORBIDDEN = -2;
/** Of -8, -16 and -32 bits. */
const SIZED_BYTES = -8;

/** For each first byte: how many bytes follow it, or one of the numbers above. */
const SHAPES = Int8Array.from({ length: 256 }, (_, token) => shapeOf(token));

function shapeOf(token: number): number {
  if (token <= 0x7f || token >= 0xe0) return 0;
  if (token <= 0x9f) return FIXED_CONTAINER;
  if (token <= 0xbf) return token & 0x1f;
  switch (token) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return 0;
    case 0xcc:
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    case 0xc4:
    case 0xd9:
      return SIZED_BYTES;
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2 * SIZED_BYTES;
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4 * SIZED_BYTES;
    default:
      return FORBIDDEN;
  }
}

function readSize(frame: Uint8Array, at: number, token: number, shape: number): Size | null {
  if (shape === FORBIDDEN) return null;
  if (shape === FIXED_CONTAINER) {
    const length = token & 0x0f;
    return { headBytes: 0, count: token < 0x90 ? 2 * length : length, isContainer: true };
  }
  const headBytes = shape / SIZED_BYTES;
  let length = 0;
  // Beyond the end these are undefined and count as zero; the caller sees that the frame is over.
  for (let i = 0; i < headBytes; i++) length = length * 256 + ((frame[at + i] ?? 0) as number);
  const isContainer = token >= 0xdc;
  return { headBytes, count: token >= 0xde ? 2 * length : length, isContainer };
}
