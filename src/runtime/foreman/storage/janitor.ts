/**
 * Has the store free what is forgotten, slice by slice: each takes a few milliseconds, and between two
 * the foreman's own work has its turn. It runs only while something is to be freed, goes on after a
 * restart where it stood, and decides nothing about what is forgotten.
 *
 *   resting   nothing is left; wakes with a removed job or with enough events
 *   working   slices with pauses; where the disk is full or somebody else writes, it tries later
 *   waiting   only free space is left to give back, which waits until nobody commits
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { type CcError, toCcError } from "../../protocol/error.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { ReclaimOutcome, Store } from "../../store/store.ts";

export interface Janitor {
  start(): void;
  /** Sees what was committed. */
  onCommitted(changes: readonly Change[]): void;
  /** Resolves when nothing is left to free, or after so long: whether nothing is left. */
  rested(patienceMs: number): Promise<boolean>;
  stop(): void;
}

export interface JanitorParts {
  readonly store: Pick<Store, "reclaim">;
  readonly clock: Pick<Clock, "monotonicMs" | "setTimer">;
  /** The foreman's time line. */
  nowMs(): number;
  /** The store is broken. */
  onFatal(error: CcError): void;
}

/** Events of workers and of the foreman itself: the newest so many, and none older. */
const EVENTS_KEPT_MAX = 100_000;
const EVENT_AGE_MS_MAX = 30 * 86_400_000;
/** After so many new ones it looks whether the oldest must go. */
const EVENTS_BETWEEN_LOOKS = 1_000;

/** A slice takes about so long; its size follows what the last ones took. */
const SLICE_MS = 4;
const SLICE_ROWS = 400;
const SLICE_BYTES = 1024 * 1024;
const SLICE_PAGES = 128;
const SCALE_MIN = 1 / 16;
const SCALE_MAX = 4;
/** Of the time, freeing takes at most a fifth while others commit, else half. */
const PAUSES_PER_SLICE_BUSY = 4;
const PAUSES_PER_SLICE_QUIET = 1;
/** Nobody has committed for so long. */
const QUIET_MS = 500;
const LATER_MS = 100;
const LATER_MS_MAX = 30_000;

export function createJanitor(parts: JanitorParts): Janitor {
  const { store, clock } = parts;
  let isStopped = false;
  let isWorking = false;
  /** Something was forgotten since the last look began. */
  let hasMore = false;
  let lastCommitAtMs = Number.NEGATIVE_INFINITY;
  let eventCount = 0;
  let scale = 1;
  let laterMs = LATER_MS;
  let timer: Timer | null = null;
  const onRested: (() => void)[] = [];

  const isQuiet = (): boolean => clock.monotonicMs() - lastCommitAtMs >= QUIET_MS;

  function wake(): void {
    hasMore = true;
    if (isWorking || isStopped) return;
    isWorking = true;
    goOnIn(0);
  }

  function goOnIn(delayMs: number): void {
    timer = clock.setTimer(delayMs, () => void work(), { holdsProcess: false });
  }

  async function work(): Promise<void> {
    if (isStopped) return;
    const quiet = isQuiet();
    const startedAtMs = clock.monotonicMs();
    hasMore = false;
    try {
      const outcome = await store.reclaim({
        rowsMax: Math.max(1, Math.round(SLICE_ROWS * scale)),
        bytesMax: Math.round(SLICE_BYTES * scale),
        pagesMax: Math.max(1, Math.round(SLICE_PAGES * scale)),
        quiet,
        nowMs: parts.nowMs(),
        eventsMax: EVENTS_KEPT_MAX,
        eventAgeMsMax: EVENT_AGE_MS_MAX,
      });
      if (!isStopped) goOnAfter(outcome, { quiet, tookMs: clock.monotonicMs() - startedAtMs });
    } catch (thrown) {
      isStopped = true;
      parts.onFatal(toCcError(thrown));
    }
  }

  function goOnAfter(
    outcome: ReclaimOutcome,
    { quiet, tookMs }: { readonly quiet: boolean; readonly tookMs: number },
  ): void {
    if (outcome === "later") {
      goOnIn(laterMs);
      laterMs = Math.min(2 * laterMs, LATER_MS_MAX);
      return;
    }
    laterMs = LATER_MS;
    if (outcome === "more") {
      if (tookMs > 2 * SLICE_MS) scale = Math.max(SCALE_MIN, scale / 2);
      else if (tookMs < SLICE_MS / 2) scale = Math.min(SCALE_MAX, scale * 2);
      goOnIn(1 + tookMs * (quiet ? PAUSES_PER_SLICE_QUIET : PAUSES_PER_SLICE_BUSY));
    } else if (hasMore) goOnIn(1);
    else if (!quiet) goOnIn(QUIET_MS);
    else rest();
  }

  function rest(): void {
    isWorking = false;
    timer = null;
    for (const tell of onRested.splice(0)) tell();
  }

  return {
    start: wake,
    onCommitted(changes) {
      if (changes.length === 0) return;
      lastCommitAtMs = clock.monotonicMs();
      let isWanted = false;
      for (const change of changes) {
        if (change.type === "jobRemoved") isWanted = true;
        else if (change.type === "eventRecorded" && change.event.jobId === null) eventCount++;
      }
      if (eventCount >= EVENTS_BETWEEN_LOOKS) {
        eventCount = 0;
        isWanted = true;
      }
      if (isWanted) wake();
    },
    rested(patienceMs) {
      if (!isWorking || isStopped) return Promise.resolve(!isWorking);
      return new Promise((resolve) => {
        const patience = clock.setTimer(patienceMs, () => resolve(false));
        onRested.push(() => {
          patience.cancel();
          resolve(true);
        });
      });
    },
    stop() {
      isStopped = true;
      timer?.cancel();
      for (const tell of onRested.splice(0)) tell();
    },
  };
}
