/**
 * Virtual time: one queue of things to come, in order of time and then of creation, and processes that
 * own them. What belongs to a dead process never happens; what belongs to a suspended one happens when
 * it goes on. Nothing here may ask a real clock.
 */
import { drainMicrotasks } from "bun:jsc";
import type { Clock, Timer } from "../../src/runtime/platform/clock.ts";

export interface Process {
  readonly name: string;
  readonly isAlive: boolean;
  readonly isSuspended: boolean;
  /** Its view of time; wall time is that of its machine. */
  readonly clock: Clock;
  /** Runs later, as this process. */
  after(delayMs: number, run: () => void): Timer;
  kill(): void;
  suspend(): void;
  resume(): void;
}

/** A machine's wall clock, which an administrator may set. */
export interface WallClock {
  offsetMs: number;
}

export interface Timeline {
  readonly nowMs: number;
  /** How many events have happened. */
  readonly eventCount: number;
  /** Whose event the last one was; null: nobody's. */
  readonly lastProcess: Process | null;
  createProcess(name: string, wall: WallClock): Process;
  /** Belongs to nobody and always happens. */
  after(delayMs: number, run: () => void): Timer;
  /** The next event, with all that follows from it at once; false: none until then. */
  runNext(untilMs: number): boolean;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Owner | null;
  readonly run: () => void;
  isCancelled: boolean;
}

interface Owner {
  process: Process | null;
  isAlive: boolean;
  isSuspended: boolean;
  readonly deferred: Entry[];
}

const WALL_START_MS = 1_700_000_000_000;

export function createTimeline(): Timeline {
  const heap: Entry[] = [];
  let nowMs = 0;
  let created = 0;
  let eventCount = 0;
  let lastProcess: Process | null = null;

  function schedule(owner: Owner | null, delayMs: number, run: () => void): Timer {
    // Whole milliseconds: a timer must never come a rounding error too early, for ever.
    const atMs = nowMs + Math.ceil(Math.max(0, delayMs));
    const entry: Entry = { atMs, order: created++, owner, run, isCancelled: false };
    pushEntry(heap, entry);
    return {
      cancel() {
        entry.isCancelled = true;
      },
    };
  }

  function createProcess(name: string, wall: WallClock): Process {
    const owner: Owner = { process: null, isAlive: true, isSuspended: false, deferred: [] };
    const after = (delayMs: number, run: () => void): Timer =>
      owner.isAlive ? schedule(owner, delayMs, run) : NO_TIMER;
    const process: Process = {
      name,
      get isAlive() {
        return owner.isAlive;
      },
      get isSuspended() {
        return owner.isSuspended;
      },
      clock: {
        nowMs: () => WALL_START_MS + wall.offsetMs + nowMs,
        monotonicMs: () => nowMs,
        setTimer: after,
        defer: (onTurn) => void after(0, onTurn),
      },
      after,
      kill() {
        owner.isAlive = false;
        owner.deferred.length = 0;
      },
      suspend() {
        owner.isSuspended = true;
      },
      resume() {
        owner.isSuspended = false;
        for (const { run, isCancelled } of owner.deferred.splice(0)) {
          if (!isCancelled) schedule(owner, 0, run);
        }
      },
    };
    owner.process = process;
    return process;
  }

  function runNext(untilMs: number): boolean {
    for (;;) {
      const entry = heap[0];
      if (entry === undefined || entry.atMs > untilMs) {
        nowMs = Math.max(nowMs, untilMs);
        return false;
      }
      popEntry(heap);
      const { owner } = entry;
      if (entry.isCancelled || owner?.isAlive === false) continue;
      nowMs = entry.atMs;
      if (owner?.isSuspended) {
        owner.deferred.push(entry);
        continue;
      }
      eventCount++;
      lastProcess = owner?.process ?? null;
      entry.run();
      drainMicrotasks();
      return true;
    }
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get eventCount() {
      return eventCount;
    },
    get lastProcess() {
      return lastProcess;
    },
    createProcess,
    after: (delayMs, run) => schedule(null, delayMs, run),
    runNext,
  };
}

const NO_TIMER: Timer = { cancel() {} };

const isBefore = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function pushEntry(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    const above = heap[parent] as Entry;
    if (!isBefore(entry, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

function popEntry(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Entry)) child++;
    if (!isBefore(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
}
