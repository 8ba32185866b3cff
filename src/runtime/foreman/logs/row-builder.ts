/** Gathers pieces of logs into one row for the store: column by column, with one growing run of bytes. */
import type { LogColumns } from "../../store/logs/log-columns.ts";

export interface RowBuilder {
  readonly byteCount: number;
  readonly partCount: number;
  readonly pieceCount: number;
  /** The pieces that follow are of this attempt; its log has had so many bytes before. */
  beginPart(index: number, attempt: number, firstByte: number): void;
  addPiece(stream: number, atMs: number, bytes: Uint8Array): void;
  /** What was gathered; the builder is empty then. */
  take(): BuiltRow;
}

export interface BuiltRow {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly firstByte: number;
  readonly columns: LogColumns;
  readonly data: Uint8Array;
}

const FIRST_BYTES = 1024;

export function createRowBuilder(): RowBuilder {
  let index: number[] = [];
  let attempt: number[] = [];
  let firstByte: number[] = [];
  let pieces: number[] = [];
  let stream: number[] = [];
  let atMs: number[] = [];
  let length: number[] = [];
  let data = new Uint8Array(FIRST_BYTES);
  let used = 0;

  function reserve(byteCount: number): void {
    if (used + byteCount <= data.byteLength) return;
    const wider = new Uint8Array(Math.max(used + byteCount, 2 * data.byteLength));
    wider.set(data.subarray(0, used));
    data = wider;
  }

  return {
    get byteCount() {
      return used;
    },
    get partCount() {
      return index.length;
    },
    get pieceCount() {
      return stream.length;
    },
    beginPart(partIndex, partAttempt, partFirstByte) {
      index.push(partIndex);
      attempt.push(partAttempt);
      firstByte.push(partFirstByte);
      pieces.push(0);
    },
    addPiece(pieceStream, pieceAtMs, bytes) {
      reserve(bytes.byteLength);
      data.set(bytes, used);
      used += bytes.byteLength;
      stream.push(pieceStream);
      atMs.push(pieceAtMs);
      length.push(bytes.byteLength);
      pieces[pieces.length - 1] = (pieces.at(-1) as number) + 1;
    },
    take() {
      let first = index[0] ?? 0;
      let last = first;
      for (const one of index) {
        if (one < first) first = one;
        if (one > last) last = one;
      }
      const built: BuiltRow = {
        firstIndex: first,
        lastIndex: last,
        firstByte: firstByte[0] ?? 0,
        columns: {
          index: Uint32Array.from(index),
          attempt: Uint32Array.from(attempt),
          firstByte: Float64Array.from(firstByte),
          pieces: Uint32Array.from(pieces),
          stream: Uint32Array.from(stream),
          atMs: Float64Array.from(atMs),
          length: Uint32Array.from(length),
        },
        data: data.slice(0, used),
      };
      [index, attempt, firstByte, pieces, stream, atMs, length] = [[], [], [], [], [], [], []];
      data = new Uint8Array(FIRST_BYTES);
      used = 0;
      return built;
    },
  };
}
