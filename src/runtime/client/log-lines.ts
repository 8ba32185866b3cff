/**
 * Lines out of pieces of logs: pieces are cut where a buffer was full or a program paused, and those of
 * many tasks come mixed. It keeps no more than one unfinished line of each stream, and bounded ones.
 */
import { u32At, valueOffsets } from "../protocol/columns.ts";
import { LOG_STREAMS, type LogStream } from "../protocol/messages/logs.ts";
import type { MessageOf } from "../protocol/messages.ts";

export interface LogPiece {
  readonly index: number;
  readonly attempt: number;
  readonly stream: LogStream;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** `bytes` without the line's end. Of a gap: its sentence. */
export type LogLineBytes = LogPiece & {
  /** The program has ended it; false: what follows may belong to it. */
  readonly isWhole: boolean;
};

export interface LineJoiner {
  /** The lines that this piece completes, in order. */
  push(piece: LogPiece): LogLineBytes[];
  /** Whatever has begun and was not ended. */
  finish(): LogLineBytes[];
}

/** A longer line is cut: nobody reads it, and it would have to be kept. */
const LINE_BYTES_MAX = 1024 * 1024;
/** Of all unfinished lines together. */
const UNFINISHED_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function* piecesOf(page: MessageOf<"logs">): Generator<LogPiece> {
  const { count, data, length } = page;
  const offsets = valueOffsets({ lengths: length, data }, count);
  for (let row = 0; row < count; row++) {
    yield {
      index: u32At(page.index, row),
      attempt: u32At(page.attempt, row),
      // A newer foreman may know more streams.
      stream: LOG_STREAMS[u32At(page.stream, row)] ?? "log",
      atMs: page.base_ms + u32At(page.after_ms, row),
      bytes: data.subarray(offsets[row], offsets[row + 1]),
    };
  }
}

/** How many bytes a gap stands for. */
export const gapBytes = ({ bytes }: LogPiece): number => Number(decoder.decode(bytes)) || 0;

export const gapSentence = (droppedBytes: number): string =>
  `… ${droppedBytes.toLocaleString("en-US")} byte${droppedBytes === 1 ? "" : "s"} dropped`;

interface Unfinished {
  readonly first: LogPiece;
  readonly chunks: Uint8Array[];
  byteCount: number;
}

export function createLineJoiner(): LineJoiner {
  const unfinished = new Map<string, Unfinished>();
  let unfinishedBytes = 0;

  function take(key: string): LogLineBytes[] {
    const open = unfinished.get(key);
    if (open === undefined) return [];
    unfinished.delete(key);
    unfinishedBytes -= open.byteCount;
    return [{ ...open.first, bytes: joined(open), isWhole: false }];
  }

  function keep(key: string, piece: LogPiece, bytes: Uint8Array): LogLineBytes[] {
    const open = unfinished.get(key) ?? { first: piece, chunks: [], byteCount: 0 };
    open.chunks.push(bytes);
    open.byteCount += bytes.byteLength;
    unfinishedBytes += bytes.byteLength;
    unfinished.set(key, open);
    if (open.byteCount > LINE_BYTES_MAX) return take(key);
    const [oldest] = unfinishedBytes > UNFINISHED_BYTES_MAX ? unfinished.keys() : [];
    return oldest === undefined ? [] : take(oldest);
  }

  function endLine(key: string, piece: LogPiece, bytes: Uint8Array): LogLineBytes {
    const [open] = take(key);
    const line = open ?? piece;
    const whole = open === undefined ? bytes : Buffer.concat([open.bytes, bytes]);
    return {
      ...line,
      bytes: whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole,
      isWhole: true,
    };
  }

  function gapLine(piece: LogPiece): LogLineBytes[] {
    const before = LOG_STREAMS.flatMap((stream) => take(keyOf(piece, stream)));
    const bytes = encoder.encode(gapSentence(gapBytes(piece)));
    return [...before, { ...piece, bytes, isWhole: true }];
  }

  return {
    push(piece) {
      if (piece.stream === "gap") return gapLine(piece);
      const key = keyOf(piece, piece.stream);
      const lines: LogLineBytes[] = [];
      let from = 0;
      for (let end = piece.bytes.indexOf(NEWLINE); end >= 0; ) {
        lines.push(endLine(key, piece, piece.bytes.subarray(from, end)));
        from = end + 1;
        end = piece.bytes.indexOf(NEWLINE, from);
      }
      const rest = piece.bytes.subarray(from);
      if (rest.byteLength > 0) lines.push(...keep(key, piece, rest));
      return lines;
    },
    finish: () => [...unfinished.keys()].flatMap(take),
  };
}

const keyOf = ({ index, attempt }: LogPiece, stream: LogStream): string =>
  `${index} ${attempt} ${stream}`;

function joined({ chunks }: Unfinished): Uint8Array {
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
}
