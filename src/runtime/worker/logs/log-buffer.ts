/**
 * What comes out of a process's pipes on its way into its attempt's log: gathered for a moment, cut where
 * lines end, and slowed down. A process that prints faster than a log may grow costs a ring of its last
 * bytes and no more.
 *
 * States: calm (all of it leaves) -> flooding (a ring keeps the last of it, which leaves now and then)
 * -> calm, once the ring has left.
 */
import { createLogRate } from "../../executor/log-rate.ts";
import { createPieceRing, type PieceRing } from "../../executor/piece-ring.ts";
import type { Printed } from "./printed.ts";

export interface LogBuffer {
  /** Copies what it keeps. `stream`: its row in LOG_STREAMS. */
  push(stream: number, chunk: Uint8Array): void;
  /** All that is kept leaves now. */
  flush(): void;
}

/** The longest that a line waits. */
const GATHER_MS = 100;
/** So much leaves at once. */
const BATCH_BYTES = 32 * 1024;
/** What a flood leaves behind. */
const RING_BYTES = 256 * 1024;
const RING_PIECES = 1_024;
/** How often a flood is looked at. */
const FLOOD_MS = 250;
const NEWLINE = 0x0a;

interface Waiting {
  readonly stream: number;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export function createLogBuffer(emit: (printed: Printed) => void): LogBuffer {
  const rate = createLogRate(performance.now());
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let isFlooding = false;
  /** Made with the first flood. */
  let ring: PieceRing | null = null;
  /** Bytes that have left the ring or are gone, by its count. */
  let ringByte = 0;
  let timer: NodeJS.Timeout | null = null;

  function wake(delayMs: number): void {
    timer ??= setTimeout(onTimer, delayMs);
  }

  function onTimer(): void {
    timer = null;
    if (isFlooding) leaveRing();
    else leave(waitingBytes);
  }

  function pushCalm(stream: number, chunk: Uint8Array, nowMs: number): void {
    waiting.push({ stream, atMs: nowMs, bytes: chunk.slice() });
    waitingBytes += chunk.byteLength;
    if (waitingBytes < BATCH_BYTES) wake(GATHER_MS);
    else leave(lineEndIn(waiting, waitingBytes));
  }

  /** So many of the waiting bytes go, or it is a flood from now on. */
  function leave(byteCount: number): void {
    if (byteCount === 0) return;
    if (!rate.take(byteCount, performance.now())) {
      const all = takeWaiting();
      flood();
      for (const { stream, atMs, bytes } of all) ring?.push(stream, atMs, bytes);
      return;
    }
    const { first, rest } = splitAt(waiting, byteCount);
    waiting = rest;
    waitingBytes -= byteCount;
    emit(printedOf(first));
    if (waitingBytes > 0) wake(GATHER_MS);
  }

  function flood(): void {
    isFlooding = true;
    ring ??= openRing();
    wake(FLOOD_MS);
  }

  /** What the ring holds, once that much may leave; then there is calm again. */
  function leaveRing(): void {
    if (!rate.take(ring?.waitingBytes ?? 0, performance.now())) wake(FLOOD_MS);
    else emitRing();
  }

  function emitRing(): void {
    isFlooding = false;
    if (ring === null) return;
    const { startByte, tags, times, lengths, data } = ring.take();
    const droppedBytes = startByte - ringByte;
    ringByte = startByte + data.byteLength;
    emit({ droppedBytes, streams: tags, atMs: times, lengths, data });
  }

  function takeWaiting(): Waiting[] {
    const all = waiting;
    waiting = [];
    waitingBytes = 0;
    return all;
  }

  return {
    push(stream, chunk) {
      const { byteLength } = chunk;
      if (byteLength === 0) return;
      const nowMs = performance.now();
      const isLarge = waitingBytes === 0 && byteLength >= BATCH_BYTES;
      if (isFlooding) ring?.push(stream, nowMs, chunk);
      else if (!isLarge) pushCalm(stream, chunk, nowMs);
      else if (rate.take(byteLength, nowMs))
        emit(printedOf([{ stream, atMs: nowMs, bytes: chunk }]));
      else {
        flood();
        ring?.push(stream, nowMs, chunk);
      }
    },
    flush() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (isFlooding) emitRing();
      else if (waitingBytes > 0) emit(printedOf(takeWaiting()));
    },
  };
}

function openRing(): PieceRing {
  return createPieceRing({
    bytes: new Uint8Array(RING_BYTES),
    tags: new Uint32Array(RING_PIECES),
    lengths: new Uint32Array(RING_PIECES),
    times: new Float64Array(RING_PIECES),
    state: new Float64Array(4),
  });
}

function printedOf(pieces: readonly Waiting[]): Printed {
  return {
    droppedBytes: 0,
    streams: pieces.map(({ stream }) => stream),
    atMs: pieces.map(({ atMs }) => atMs),
    lengths: pieces.map(({ bytes }) => bytes.byteLength),
    data:
      pieces.length === 1
        ? (pieces[0] as Waiting).bytes
        : Buffer.concat(pieces.map(({ bytes }) => bytes)),
  };
}

/** Until the end of the last line, if there is one in the last piece. */
function lineEndIn(pieces: readonly Waiting[], byteCount: number): number {
  const last = pieces.at(-1)?.bytes ?? new Uint8Array(0);
  const end = last.lastIndexOf(NEWLINE);
  return end < 0 ? byteCount : byteCount - (last.byteLength - end - 1);
}

function splitAt(
  pieces: readonly Waiting[],
  byteCount: number,
): { readonly first: Waiting[]; readonly rest: Waiting[] } {
  const first: Waiting[] = [];
  const rest: Waiting[] = [];
  let left = byteCount;
  for (const piece of pieces) {
    const taken = Math.min(left, piece.bytes.byteLength);
    left -= taken;
    if (taken > 0) first.push({ ...piece, bytes: piece.bytes.subarray(0, taken) });
    if (taken < piece.bytes.byteLength) rest.push({ ...piece, bytes: piece.bytes.subarray(taken) });
  }
  return { first, rest };
}
