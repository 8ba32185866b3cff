/**
 * A walk over a job's settlement log for what is not in memory any more: after a restart, of ended jobs.
 * Page by page, with everything that waits having its turn in between, and bounded: of a log of very
 * many rows only the newest are looked at.
 */
import type { Clock } from "../../platform/clock.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { SettlementSketch, Store } from "../../store/store.ts";
import { nextTurn } from "./turns.ts";

/** A page is a few milliseconds of reading. */
const PAGE_ROWS = 200;
const PAGE_BYTES = 2 * 1024 * 1024;
/** Some seconds of reading in all, in slices. */
const ROWS_MAX = 200_000;

export interface SettlementWalkParts {
  readonly store: Pick<Store, "sketchSettlements">;
  readonly clock: Pick<Clock, "defer">;
}

/**
 * Visits the settlements below `beforeSeq` in order.
 * @returns whether the walk began with the first one.
 */
export async function walkSettlements(
  { store, clock }: SettlementWalkParts,
  { jobId, beforeSeq }: { readonly jobId: JobId; readonly beforeSeq: number },
  visit: (sketch: SettlementSketch) => void | Promise<void>,
): Promise<boolean> {
  const fromSeq = Math.max(1, beforeSeq - ROWS_MAX);
  let seq = fromSeq;
  while (seq < beforeSeq) {
    const page = { seq, limit: PAGE_ROWS, bytesMax: PAGE_BYTES };
    const sketches = await store.sketchSettlements(jobId, page);
    for (const sketch of sketches) {
      if (sketch.seq >= beforeSeq) return fromSeq === 1;
      // Most visits wait for nothing: a promise each would cost more than they do.
      const visiting = visit(sketch);
      if (visiting) await visiting;
      seq = sketch.seq + 1;
    }
    if (sketches.length === 0) break;
    await nextTurn(clock);
  }
  return fromSeq === 1;
}
