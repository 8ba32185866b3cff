/**
 * The only place that reads time. Wall time is for people; every lease, deadline and delay is
 * measured on the monotonic clock, so that a jump of the wall clock changes nothing but displays.
 */

export interface Timer {
  /** Harmless when the timer has fired already. */
  cancel(): void;
}

export interface TimerOptions {
  /** Whether a pending timer keeps the process alive; true unless said otherwise. */
  readonly holdsProcess?: boolean;
}

export interface Clock {
  /** Milliseconds since 1970, for records that people read. */
  nowMs(): number;
  /** Milliseconds since some fixed point; never goes back. */
  monotonicMs(): number;
  /**
   * Processor time of this thread so far, for whoever bounds what it takes: unlike time that passes it
   * does not grow while others have the processor. A clock that tests move has none.
   */
  cpuMs?(): number;
  /** Calls once after `delayMs`; a delay of zero or less means as soon as possible. */
  setTimer(delayMs: number, onTime: () => void, options?: TimerOptions): Timer;
  /** Calls once in the next turn, behind whatever can be read from sockets by then. */
  defer(onTurn: () => void): void;
}

/** Longer waits overflow the runtime's 32-bit timers and would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  cpuMs() {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  setTimer(delayMs, onTime, options) {
    const delay = Math.min(Math.max(0, delayMs), TIMER_DELAY_MS_MAX);
    const timeout = setTimeout(onTime, delay);
    if (options?.holdsProcess === false) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  defer: (onTurn) => void setImmediate(onTurn),
};

export interface ManualClock extends Clock {
  /** Moves both clocks on and fires what became due, in order of time and then of creation. */
  advance(durationMs: number): void;
  /** Moves wall time alone, as an administrator or NTP would. */
  jumpWall(durationMs: number): void;
  readonly pendingTimerCount: number;
}

interface ManualTimer {
  readonly dueAtMs: number;
  readonly onTime: () => void;
}

/** A clock that stands still until a test moves it. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let monotonicMs = 0;
  let wallOffsetMs = startMs;
  const timers = new Set<ManualTimer>();
  return {
    nowMs: () => wallOffsetMs + monotonicMs,
    monotonicMs: () => monotonicMs,
    setTimer(delayMs, onTime) {
      const timer = { dueAtMs: monotonicMs + Math.max(0, delayMs), onTime };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    defer: systemClock.defer,
    advance(durationMs) {
      const endMs = monotonicMs + durationMs;
      for (let timer = nextDue(timers, endMs); timer; timer = nextDue(timers, endMs)) {
        timers.delete(timer);
        monotonicMs = Math.max(monotonicMs, timer.dueAtMs);
        timer.onTime();
      }
      monotonicMs = endMs;
    },
    jumpWall(durationMs) {
      wallOffsetMs += durationMs;
    },
    get pendingTimerCount() {
      return timers.size;
    },
  };
}

/** A Set keeps the order of creation, so the first of equal times wins. */
function nextDue(timers: ReadonlySet<ManualTimer>, endMs: number): ManualTimer | null {
  let next: ManualTimer | null = null;
  for (const timer of timers) {
    if (timer.dueAtMs <= endMs && (next === null || timer.dueAtMs < next.dueAtMs)) next = timer;
  }
  return next;
}
