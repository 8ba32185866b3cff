/**
 * The last pieces of a log in a ring of bytes, with a tag and an instant each: what was printed and has
 * not left. Where it does not fit, the oldest gives way; positions go on, so that what went is counted.
 * The memory may be shared with another process, which then reads what this one has left behind.
 */

export interface PieceRingMemory {
  readonly bytes: Uint8Array;
  /** Of each piece, in a ring of their own: all three have as many entries. */
  readonly tags: Uint32Array;
  readonly lengths: Uint32Array;
  readonly times: Float64Array;
  /** START, END, FIRST, COUNT. */
  readonly state: Float64Array;
}

/** Consecutive pieces that were taken out. */
export interface RingPieces {
  /** Bytes that were ever pushed before these. */
  readonly startByte: number;
  readonly tags: Uint32Array;
  readonly lengths: Uint32Array;
  readonly times: Float64Array;
  readonly data: Uint8Array;
}

/** Bytes ever pushed before the first piece, and in all; the first piece's place, and how many there are. */
const START = 0;
export const RING_END = 1;
const FIRST = 2;
const COUNT = 3;

/** Prints of one moment become one piece up to here. */
const JOINED_BYTES_MAX = 16 * 1024;
/** Longest text that is copied unit by unit: shorter than a call into the runtime takes. */
const SHORT_TEXT_LENGTH = 128;
const encoder = new TextEncoder();

export interface PieceRing {
  readonly waitingBytes: number;
  /** No further piece has room beside these. */
  readonly isFull: boolean;
  push(tag: number, atMs: number, bytes: Uint8Array): void;
  /** The same of a text, a short one without a detour. */
  pushText(tag: number, atMs: number, text: string): void;
  /** So many bytes were printed here and are not kept; nor is what waits before them. */
  skip(byteCount: number): void;
  /** All that waits; the ring is empty then. */
  take(): RingPieces;
}

export function createPieceRing(memory: PieceRingMemory): PieceRing {
  const { bytes, tags, lengths, times, state } = memory;
  const slots = tags.length;
  const capacity = bytes.byteLength;
  const waiting = (): number => at(state, RING_END) - at(state, START);

  function dropOldest(byteCount: number): void {
    let left = byteCount;
    while (left > 0) {
      const first = at(state, FIRST);
      const length = lengths[first] as number;
      const dropped = Math.min(left, length);
      state[START] = at(state, START) + dropped;
      left -= dropped;
      if (dropped < length) lengths[first] = length - dropped;
      else forgetFirst();
    }
  }

  function forgetFirst(): void {
    state[FIRST] = (at(state, FIRST) + 1) % slots;
    state[COUNT] = at(state, COUNT) - 1;
  }

  function write(chunk: Uint8Array): void {
    const end = at(state, RING_END);
    const place = end % capacity;
    const untilEdge = Math.min(chunk.byteLength, capacity - place);
    bytes.set(chunk.subarray(0, untilEdge), place);
    bytes.set(chunk.subarray(untilEdge), 0);
    state[RING_END] = end + chunk.byteLength;
  }

  function note(tag: number, atMs: number, length: number): void {
    const count = at(state, COUNT);
    const last = (at(state, FIRST) + count - 1 + slots) % slots;
    const lastLength = lengths[last] as number;
    if (
      count > 0 &&
      tags[last] === tag &&
      Math.floor(times[last] as number) === Math.floor(atMs) &&
      lastLength + length <= JOINED_BYTES_MAX
    ) {
      lengths[last] = lastLength + length;
      return;
    }
    if (count === slots) dropOldest(lengths[at(state, FIRST)] as number);
    const next = (at(state, FIRST) + at(state, COUNT)) % slots;
    tags[next] = tag;
    lengths[next] = length;
    times[next] = atMs;
    state[COUNT] = at(state, COUNT) + 1;
  }

  /** Unit by unit; false where it is not ASCII, or meets the ring's edge. */
  function writeAscii(text: string): boolean {
    const { length } = text;
    const place = at(state, RING_END) % capacity;
    if (length > SHORT_TEXT_LENGTH || place + length > capacity) return false;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[place + i] = unit;
    }
    state[RING_END] = at(state, RING_END) + length;
    return true;
  }

  function push(tag: number, atMs: number, chunk: Uint8Array): void {
    const kept = chunk.subarray(Math.max(0, chunk.byteLength - capacity));
    if (kept.byteLength === 0) return;
    if (kept.byteLength < chunk.byteLength) skip(chunk.byteLength - kept.byteLength);
    dropOldest(Math.max(0, waiting() + kept.byteLength - capacity));
    note(tag, atMs, kept.byteLength);
    write(kept);
  }

  /** More units than the ring has bytes cannot all stay; this bounds what is encoded. */
  function pushLong(tag: number, atMs: number, text: string): void {
    const kept = encoder.encode(text.slice(-capacity));
    skip(Buffer.byteLength(text) - kept.byteLength);
    push(tag, atMs, kept);
  }

  function skip(byteCount: number): void {
    state[RING_END] = at(state, RING_END) + byteCount;
    state[START] = at(state, RING_END);
    state[COUNT] = 0;
  }

  return {
    get waitingBytes() {
      return waiting();
    },
    get isFull() {
      return at(state, COUNT) >= slots - 1;
    },
    push,
    pushText(tag, atMs, text) {
      const { length } = text;
      if (length === 0) return;
      const hasRoom = waiting() + length <= capacity;
      if (hasRoom && writeAscii(text)) note(tag, atMs, length);
      else if (length > capacity) pushLong(tag, atMs, text);
      else push(tag, atMs, encoder.encode(text));
    },
    skip,
    take() {
      const pieces = readPieces(memory);
      state[START] = at(state, RING_END);
      state[COUNT] = 0;
      // Never null: nobody else writes here.
      return pieces as RingPieces;
    },
  };
}

/** Copies what waits in a ring; null when its parts do not agree, as where somebody is writing to it. */
export function readPieces(memory: PieceRingMemory): RingPieces | null {
  const { bytes, tags, lengths, times, state } = memory;
  const slots = tags.length;
  const first = at(state, FIRST);
  const count = at(state, COUNT);
  const startByte = at(state, START);
  const byteCount = at(state, RING_END) - startByte;
  if (!(count >= 0 && count <= slots && first >= 0 && first < slots)) return null;
  if (!(byteCount >= 0 && byteCount <= bytes.byteLength)) return null;
  if (!Number.isSafeInteger(startByte) || startByte < 0) return null;
  const pick = <List extends Uint32Array | Float64Array>(list: List, into: List): List => {
    for (let i = 0; i < count; i++) into[i] = list[(first + i) % slots] as number;
    return into;
  };
  const ofLengths = pick(lengths, new Uint32Array(count));
  let sum = 0;
  for (const length of ofLengths) sum += length;
  if (sum !== byteCount) return null;
  const data = new Uint8Array(byteCount);
  const place = startByte % bytes.byteLength;
  const untilEdge = Math.min(byteCount, bytes.byteLength - place);
  data.set(bytes.subarray(place, place + untilEdge), 0);
  data.set(bytes.subarray(0, byteCount - untilEdge), untilEdge);
  return {
    startByte,
    tags: pick(tags, new Uint32Array(count)),
    lengths: ofLengths,
    times: pick(times, new Float64Array(count)),
    data,
  };
}

const at = (state: Float64Array, index: number): number => state[index] as number;
