/**
 * What a process prints, kept within bounds: whole up to a limit, or only its last part. A process
 * that prints without end never costs more memory than the limit and one chunk.
 */

export interface WholeOutput {
  /** False once the limit is passed; from then on chunks are dropped. */
  push(chunk: Uint8Array): boolean;
  take(): Uint8Array;
}

export interface TailOutput {
  push(chunk: Uint8Array): void;
  take(): { readonly bytes: Uint8Array; readonly droppedBytes: number };
}

const EMPTY = new Uint8Array(0);

export function createWholeOutput(bytesMax: number): WholeOutput {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  return {
    push(chunk) {
      if (byteCount + chunk.byteLength > bytesMax) return false;
      byteCount += chunk.byteLength;
      chunks.push(chunk);
      return true;
    },
    take: () => joinChunks(chunks, byteCount),
  };
}

export function createTailOutput(bytesMax: number): TailOutput {
  let chunks: Uint8Array[] = [];
  let keptBytes = 0;
  let droppedBytes = 0;

  /** Copies, so that a small tail does not pin the large chunks it came from. */
  function shrink(): void {
    const joined = joinChunks(chunks, keptBytes);
    const tail = joined.slice(Math.max(0, joined.byteLength - bytesMax));
    droppedBytes += keptBytes - tail.byteLength;
    chunks = [tail];
    keptBytes = tail.byteLength;
  }

  return {
    push(chunk) {
      chunks.push(chunk);
      keptBytes += chunk.byteLength;
      if (keptBytes > 2 * bytesMax) shrink();
    },
    take() {
      if (keptBytes > bytesMax) shrink();
      return { bytes: joinChunks(chunks, keptBytes), droppedBytes };
    },
  };
}

function joinChunks(chunks: readonly Uint8Array[], byteCount: number): Uint8Array {
  if (chunks.length === 0) return EMPTY;
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const joined = new Uint8Array(byteCount);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}
