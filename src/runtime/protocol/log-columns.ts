/**
 * Pieces of logs as columns: parts (consecutive bytes of one attempt each) and the pieces they are made
 * of, over one run of bytes. Both sides gather them so: a worker for a message, the foreman for a row.
 */

export interface LogColumns {
  /** Of each part. */
  readonly index: Uint32Array;
  readonly attempt: Uint32Array;
  /** Bytes of the attempt's log before the part, dropped ones included. */
  readonly firstByte: Float64Array;
  /** How many of the pieces are its own. */
  readonly pieces: Uint32Array;
  /** Of each piece: its row in LOG_STREAMS, when it was printed, its bytes. */
  readonly stream: Uint32Array;
  readonly atMs: Float64Array;
  readonly length: Uint32Array;
}

export interface GatheredLog {
  readonly columns: LogColumns;
  readonly data: Uint8Array;
}

export interface LogBuilder {
  readonly byteCount: number;
  readonly partCount: number;
  readonly pieceCount: number;
  /** The pieces that follow are of this attempt; its log has had so many bytes before. */
  beginPart(index: number, attempt: number, firstByte: number): void;
  /** Copies. */
  addPiece(stream: number, atMs: number, bytes: Uint8Array): void;
  /** What was gathered; the builder is empty then. */
  take(): GatheredLog;
}

const FIRST_BYTES = 1024;

export function createLogBuilder(): LogBuilder {
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
      const columns: LogColumns = {
        index: Uint32Array.from(index),
        attempt: Uint32Array.from(attempt),
        firstByte: Float64Array.from(firstByte),
        pieces: Uint32Array.from(pieces),
        stream: Uint32Array.from(stream),
        atMs: Float64Array.from(atMs),
        length: Uint32Array.from(length),
      };
      const gathered = { columns, data: data.slice(0, used) };
      [index, attempt, firstByte, pieces, stream, atMs, length] = [[], [], [], [], [], [], []];
      data = new Uint8Array(FIRST_BYTES);
      used = 0;
      return gathered;
    },
  };
}
