/**
 * How much is kept of a job's, a task's or an attempt's log, and how much was dropped. Rows of many
 * attempts are looked through once for a reader that comes again, and never all of them at a time.
 */
import type { JobId } from "../../protocol/ids.ts";
import type { LogStore } from "../../store/logs/log-store.ts";
import type { LogDesk } from "../logs/log-desk.ts";
import { partsOf } from "../logs/log-parts.ts";
import type { LogTotals } from "./log-pages.ts";

export interface LogMeasure {
  /** Of a task with very many rows it grows from one question to the next. */
  measure(of: {
    readonly jobId: JobId;
    readonly index: number | null;
    readonly attempt: number | null;
  }): LogTotals;
  forget(jobId: JobId): void;
}

/** What rows of many attempts hold of one task. */
interface Shared {
  readonly jobId: JobId;
  nextSeq: number;
  readonly byAttempt: Map<number, number>;
}

const PLACES_PER_LOOK = 2_000;
const ROWS_PER_LOOK = 16;
const KEPT_MAX = 64;

export function createLogMeasure(
  logs: { readonly store: LogStore } & Pick<LogDesk, "countsOf">,
): LogMeasure {
  const store = (): LogStore => logs.store;
  const kept = new Map<string, Shared>();

  function sharedOf(jobId: JobId, index: number): Shared {
    const key = `${jobId}/${index}`;
    const shared = kept.get(key) ?? { jobId, nextSeq: 0, byAttempt: new Map<number, number>() };
    kept.delete(key);
    kept.set(key, shared);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX) break;
      kept.delete(oldest);
    }
    return shared;
  }

  function goOn(shared: Shared, index: number): void {
    const span = { jobId: shared.jobId, from: shared.nextSeq, to: Number.MAX_SAFE_INTEGER };
    let opened = 0;
    for (const place of store().places(span, { backward: false, limit: PLACES_PER_LOOK })) {
      if (opened >= ROWS_PER_LOOK) return;
      shared.nextSeq = place.seq + 1;
      if (index < place.firstIndex || index > place.lastIndex) continue;
      const row = store().row(place.seq);
      opened++;
      if (row === null || row.attempt !== null) continue;
      for (const part of partsOf(row.columns)) {
        if (part.index !== index) continue;
        const before = shared.byAttempt.get(part.attempt) ?? 0;
        shared.byAttempt.set(part.attempt, before + part.byteCount);
      }
    }
  }

  return {
    measure({ jobId, index, attempt }) {
      if (index === null) {
        const { byteCount = 0, droppedBytes = 0 } = logs.countsOf(jobId) ?? {};
        return { total_bytes: byteCount, dropped_bytes: droppedBytes };
      }
      const shared = sharedOf(jobId, index);
      goOn(shared, index);
      const totals = { total_bytes: 0, dropped_bytes: 0 };
      for (const [ofAttempt, bytes] of shared.byAttempt) {
        if (attempt === null || attempt === ofAttempt) totals.total_bytes += bytes;
      }
      for (const sum of store().attemptSums(jobId, index)) {
        if (attempt !== null && attempt !== sum.attempt) continue;
        totals.total_bytes += sum.byteCount;
        totals.dropped_bytes += sum.gapBytes;
      }
      return totals;
    },
    forget(jobId) {
      for (const [key, shared] of kept) if (shared.jobId === jobId) kept.delete(key);
    },
  };
}
