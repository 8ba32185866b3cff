/**
 * Settlements without their results, for lists of tasks: who ran them, for how long, and what went
 * wrong. Kept up to a bound of bytes; what is committed never changes, and no job's number comes again.
 */
import { valueOffsets } from "../../protocol/columns.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { SettlementSketch, Store } from "../../store/store.ts";
import { createByteCache } from "./byte-cache.ts";
import { rowFinder } from "./settlement-cache.ts";

const CACHE_BYTES_MAX = 16 * 1024 * 1024;

export interface ReadableSketch {
  readonly sketch: SettlementSketch;
  rowOf(index: number): number;
  /** The failure's value of a row; null of what completed. */
  failureOf(row: number): Uint8Array | null;
  readonly bytes: number;
}

export interface SketchCache {
  /** null: no such settlement is committed. */
  get(jobId: JobId, seq: number): ReadableSketch | Promise<ReadableSketch | null>;
}

export function createSketchCache(store: Pick<Store, "sketchSettlements">): SketchCache {
  const cache = createByteCache<ReadableSketch>(CACHE_BYTES_MAX);

  async function read(jobId: JobId, seq: number): Promise<ReadableSketch | null> {
    const [sketch] = await store.sketchSettlements(jobId, { seq, limit: 1, bytesMax: 1 });
    if (sketch === undefined || sketch.seq !== seq) return null;
    return cache.hold(`${jobId}:${seq}`, readable(sketch));
  }

  return { get: (jobId, seq) => cache.get(`${jobId}:${seq}`) ?? read(jobId, seq) };
}

function readable(sketch: SettlementSketch): ReadableSketch {
  const { values, count, sharedValue } = sketch;
  const offsets = values === null ? null : valueOffsets(values, Math.max(1, count));
  return {
    sketch,
    rowOf: sharedValue ? () => 0 : rowFinder(sketch),
    failureOf: (row) =>
      values === null || offsets === null
        ? null
        : values.data.subarray(offsets[row] as number, offsets[row + 1] as number),
    bytes: 512 + 24 * count + (values?.data.byteLength ?? 0),
  };
}
