/**
 * The log of what runs in this process: what is printed lies in the shared cell until it leaves, so that
 * the worker finds it there when the process has died. It leaves in groups, at the latest with the next
 * result or after GATHER_MS while the event loop turns, and no faster than a log may grow.
 */
import { encodeLogFrame } from "./frames.ts";
import { createLogRate } from "./log-rate.ts";
import { createPieceRing } from "./piece-ring.ts";
import {
  LOG_BATCH_WORD,
  LOG_GENERATION_WORD,
  LOG_TAG_ROWS,
  type SharedCell,
} from "./shared-cell.ts";

export interface LogSender {
  /** Of a row of the batch that runs. `stream`: its row in LOG_STREAMS. */
  print(
    at: { readonly batchId: number; readonly row: number },
    stream: number,
    text: string | Uint8Array,
  ): void;
  /** What was printed leaves now: before results do. */
  flush(): void;
}

const GATHER_MS = 100;
/** So much leaves at once, also from code that never pauses. */
const BATCH_BYTES = 32 * 1024;
/** How often a flood is looked at. */
const FLOOD_MS = 250;

// Tasks replace global functions, for example by those of a fake clock.
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);

/** `write` takes the pieces of one frame and returns when they are written. */
export function createLogSender(
  cell: SharedCell,
  write: (pieces: readonly Uint8Array[]) => void,
): LogSender {
  const ring = createPieceRing(cell.log);
  const rate = createLogRate(now());
  let printing = { batchId: -1, row: -1 };
  let timer: NodeJS.Timeout | null = null;

  /** Another attempt: what it prints has its own measure, and a batch its own frames. */
  function turnTo(at: { readonly batchId: number; readonly row: number }, nowMs: number): void {
    if (at.batchId !== printing.batchId) {
      send();
      Atomics.store(cell.words, LOG_BATCH_WORD, at.batchId);
    }
    printing = { batchId: at.batchId, row: at.row };
    rate.reset(nowMs);
  }

  function push(tag: number, text: string | Uint8Array, nowMs: number): void {
    Atomics.add(cell.words, LOG_GENERATION_WORD, 1);
    if (typeof text === "string") ring.pushText(tag, nowMs, text);
    else ring.push(tag, nowMs, text);
    Atomics.add(cell.words, LOG_GENERATION_WORD, 1);
  }

  function send(): void {
    if (ring.waitingBytes === 0) return;
    const { startByte, tags, lengths, times, data } = ring.take();
    const batchId = Atomics.load(cell.words, LOG_BATCH_WORD) >>> 0;
    const nowMs = now();
    const agoMs = Uint32Array.from(times, (atMs) => Math.max(0, nowMs - atMs));
    write(encodeLogFrame({ batchId, startByte, tags, lengths, agoMs, data }));
  }

  function wake(delayMs: number): void {
    if (timer === null) timer = setTimeout(onTimer, delayMs);
  }

  function onTimer(): void {
    timer = null;
    const { waitingBytes } = ring;
    if (waitingBytes === 0) return;
    if (rate.take(waitingBytes, now())) send();
    else wake(FLOOD_MS);
  }

  return {
    print(at, stream, text) {
      const nowMs = now();
      if (at.row !== printing.row || at.batchId !== printing.batchId) turnTo(at, nowMs);
      push(at.row * LOG_TAG_ROWS + stream, text, nowMs);
      const isDue = ring.waitingBytes >= BATCH_BYTES || ring.isFull;
      if (isDue && rate.take(ring.waitingBytes, nowMs)) send();
      else wake(GATHER_MS);
    },
    flush: send,
  };
}
