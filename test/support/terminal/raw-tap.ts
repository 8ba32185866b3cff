/**
 * The bytes that a program wrote to its terminal, as they came: for checks that a picture cannot answer
 * (how many there were, which sequences). Bounded: the oldest go, and whoever asks for them hears it.
 */

const KEPT_BYTES_MAX = 16 * 1024 * 1024;

export interface RawTap {
  /** Ever written. */
  readonly byteCount: number;
  /** Everything since a position (an earlier `byteCount`), as text; 0 is the beginning. */
  since(position: number): string;
}

export interface RawRecorder extends RawTap {
  add(bytes: Uint8Array): void;
}

export function createRawTap(): RawRecorder {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  let keptFrom = 0;
  return {
    get byteCount() {
      return byteCount;
    },
    since(position) {
      if (position < keptFrom) {
        throw new Error(`bytes before ${keptFrom} are no longer kept; asked for ${position}`);
      }
      return Buffer.concat(chunks)
        .subarray(position - keptFrom)
        .toString("utf8");
    },
    add(bytes) {
      chunks.push(bytes.slice());
      byteCount += bytes.byteLength;
      while (byteCount - keptFrom > KEPT_BYTES_MAX) keptFrom += chunks.shift()?.byteLength ?? 0;
    },
  };
}
