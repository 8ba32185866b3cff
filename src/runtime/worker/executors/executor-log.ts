/**
 * What an executor's tasks print, from both its sources: frames and the shared cell (console and streams of
 * user code), and the process's own pipes (whatever wrote past them, such as a child). What comes through
 * the cell is told once, whether it was sent or found there.
 */
import { decodeLogFrame, type LogFrame } from "../../executor/frames.ts";
import { readPieces } from "../../executor/piece-ring.ts";
import {
  LOG_BATCH_WORD,
  LOG_GENERATION_WORD,
  LOG_TAG_ROWS,
  type SharedCell,
} from "../../executor/shared-cell.ts";
import { createLogBuffer, type LogBuffer } from "../logs/log-buffer.ts";
import type { Printed } from "../logs/printed.ts";

export type OnPrinted = (batchId: number, row: number, printed: Printed) => void;

interface Row {
  readonly batchId: number;
  readonly row: number;
}

export interface ExecutorLog {
  /** @throws CcError `malformed_frame` */
  onFrame(body: Uint8Array): void;
  /** What lies in the cell and has not come. `clockOffsetMs`: add it to the executor's clock to get ours. */
  collect(clockOffsetMs: number, isDead: boolean): void;
  /** Written to a descriptor; `row` ran when it was read, or last. */
  onDirect(row: Row | null, stream: number, chunk: Uint8Array): void;
  /** A result follows: what came through the pipes before it goes first. */
  flushDirect(): void;
}

export function createExecutorLog(cell: SharedCell, onPrinted: OnPrinted): ExecutorLog {
  /** Of all that this executor has printed, the part that was told. */
  let toldByte = 0;
  let direct: (Row & { readonly buffer: LogBuffer }) | null = null;

  function tell(log: Omit<LogFrame, "agoMs">, atMs: (piece: number) => number): void {
    const { batchId, startByte, tags, lengths, data } = log;
    let skipBytes = Math.max(0, toldByte - startByte);
    let droppedBytes = Math.max(0, startByte - toldByte);
    toldByte = Math.max(toldByte, startByte + data.byteLength);
    let group = createGroup(-1, 0);
    let byte = 0;
    const tellGroup = (): void => {
      const { row, from, streams, atMs: instants, lengths: bytes } = group;
      if (row < 0) return;
      const ofGroup = data.subarray(from, byte);
      onPrinted(batchId, row, {
        droppedBytes,
        streams,
        atMs: instants,
        lengths: bytes,
        data: ofGroup,
      });
      droppedBytes = 0;
    };
    for (let piece = 0; piece < tags.length; piece++) {
      const length = lengths[piece] as number;
      const skipped = Math.min(length, skipBytes);
      skipBytes -= skipped;
      if (skipped < length) {
        const tag = tags[piece] as number;
        const row = Math.floor(tag / LOG_TAG_ROWS);
        if (row !== group.row) {
          tellGroup();
          group = createGroup(row, byte + skipped);
        }
        group.streams.push(tag % LOG_TAG_ROWS);
        group.atMs.push(atMs(piece));
        group.lengths.push(length - skipped);
      }
      byte += length;
    }
    tellGroup();
  }

  return {
    onFrame(body) {
      const frame = decodeLogFrame(body);
      const nowMs = performance.now();
      tell(frame, (piece) => nowMs - (frame.agoMs[piece] as number));
    },
    collect(clockOffsetMs, isDead) {
      const generation = Atomics.load(cell.words, LOG_GENERATION_WORD);
      if (generation % 2 !== 0 && !isDead) return;
      const batchId = Atomics.load(cell.words, LOG_BATCH_WORD) >>> 0;
      const pieces = readPieces(cell.log);
      if (pieces === null || pieces.data.byteLength === 0) return;
      // Somebody who writes meanwhile sends it himself.
      if (Atomics.load(cell.words, LOG_GENERATION_WORD) !== generation) return;
      const { times } = pieces;
      const nowMs = performance.now();
      tell({ ...pieces, batchId }, (piece) =>
        Math.min(nowMs, (times[piece] as number) + clockOffsetMs),
      );
    },
    onDirect(row, stream, chunk) {
      if (row === null) return;
      if (direct?.batchId !== row.batchId || direct.row !== row.row) {
        direct?.buffer.flush();
        const { batchId } = row;
        const buffer = createLogBuffer((printed) => onPrinted(batchId, row.row, printed));
        direct = { batchId, row: row.row, buffer };
      }
      direct.buffer.push(stream, chunk);
    },
    flushDirect: () => direct?.buffer.flush(),
  };
}

/** Pieces of one row that follow one another, from a place in the data on. */
function createGroup(row: number, from: number) {
  return { row, from, streams: [] as number[], atMs: [] as number[], lengths: [] as number[] };
}
