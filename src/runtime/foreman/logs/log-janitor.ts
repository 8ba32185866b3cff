/**
 * Frees what of the logs is forgotten or over the quota, a few rows at a time: logs of jobs that are gone,
 * and beyond the quota those of the jobs that ended first. It never takes anything from a job that runs.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { type CcError, toCcError } from "../../protocol/error.ts";
import type { LogStore } from "../../store/logs/log-store.ts";

export interface LogJanitor {
  /** The quota is used up by jobs that have not ended: nothing more can be kept. */
  readonly isOverQuota: boolean;
  /** Its job is gone: nothing of this log is read or written any more. */
  forget(jobId: number): void;
  isForgotten(jobId: number): boolean;
  /** Something was written. */
  check(): void;
  stop(): void;
}

export interface LogJanitorParts {
  store(): LogStore;
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  /** null: none. */
  readonly quotaBytes: number | null;
  /** When a job has ended; null: it has not, or there is none. */
  endedAtMs(jobId: number): number | null;
  /** The log of an ended job is about to go to keep the quota. */
  onSacrifice(jobId: number, bytes: number): void;
  onBroken(error: CcError): Promise<void>;
}

/** A slice takes about so long; its size follows what the last one took. */
const SLICE_MS = 3;
const ROWS_MIN = 4;
const ROWS_MAX = 512;
const PAUSES_PER_SLICE = 4;
const SHRUNK_PAGES = 64;
/** So that the next few lines do not begin it again. */
const ENOUGH_SHARE = 0.95;
/** Forgetting must not fall behind for good. */
const TOO_MUCH_SHARE = 1.1;
const LATER_MS = 200;

export function createLogJanitor(parts: LogJanitorParts): LogJanitor {
  const { clock, quotaBytes } = parts;
  const forgotten = new Set<number>();
  let sacrificed: number | null = null;
  let isOverQuota = false;
  let rows = ROWS_MIN;
  let timer: Timer | null = null;
  let isStopped = false;

  function wake(delayMs = 1): void {
    if (timer !== null || isStopped) return;
    timer = clock.setTimer(delayMs, () => void work(), { holdsProcess: false });
  }

  async function work(): Promise<void> {
    const startedAtMs = clock.monotonicMs();
    let more: "more" | "later" | "done";
    try {
      more = workOnce();
    } catch (thrown) {
      await parts.onBroken(toCcError(thrown));
      forgotten.clear();
      sacrificed = null;
      more = "done";
    }
    timer = null;
    const tookMs = clock.monotonicMs() - startedAtMs;
    if (tookMs > 2 * SLICE_MS) rows = Math.max(ROWS_MIN, rows >> 1);
    else if (tookMs < SLICE_MS) rows = Math.min(ROWS_MAX, rows << 1);
    if (more !== "done") wake(more === "later" ? LATER_MS : 1 + PAUSES_PER_SLICE * tookMs);
  }

  function workOnce(): "more" | "later" | "done" {
    const [jobId = null] = forgotten;
    if (jobId !== null) {
      const { outcome, more } = parts.store().removeRows(jobId, rows, false);
      if (outcome !== "ok") return "later";
      if (!more) forgotten.delete(jobId);
      return "more";
    }
    sacrificed ??= chooseSacrifice();
    if (sacrificed !== null) {
      const { outcome, more } = parts.store().removeRows(sacrificed, rows, true);
      if (outcome !== "ok") return "later";
      if (!more || isEnough()) sacrificed = null;
      return "more";
    }
    return parts.store().shrink(SHRUNK_PAGES) ? "more" : "done";
  }

  const isEnough = (): boolean =>
    quotaBytes === null || parts.store().usedBytes() <= quotaBytes * ENOUGH_SHARE;

  /** Of the jobs that have ended, the one that did first. */
  function chooseSacrifice(): number | null {
    const store = parts.store();
    const usedBytes = store.usedBytes();
    if (quotaBytes === null || usedBytes <= quotaBytes) {
      isOverQuota = false;
      return null;
    }
    let chosen: { readonly jobId: number; readonly atMs: number; readonly bytes: number } | null =
      null;
    for (const { jobId, byteCount } of store.jobs()) {
      const atMs = byteCount === 0 ? null : parts.endedAtMs(jobId);
      if (atMs !== null && (chosen === null || atMs < chosen.atMs)) {
        chosen = { jobId, atMs, bytes: byteCount };
      }
    }
    isOverQuota = chosen === null || usedBytes > quotaBytes * TOO_MUCH_SHARE;
    if (chosen === null) return null;
    parts.onSacrifice(chosen.jobId, chosen.bytes);
    return chosen.jobId;
  }

  return {
    get isOverQuota() {
      return isOverQuota;
    },
    forget(jobId) {
      forgotten.add(jobId);
      wake();
    },
    isForgotten: (jobId) => forgotten.has(jobId),
    check() {
      if (quotaBytes === null) return;
      if (isOverQuota || parts.store().usedBytes() > quotaBytes) wake();
    },
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}
