/**
 * Drives the agent machine: one event after the other, its effects at once and in order, and a timer
 * for when it wants to be woken. What an effect causes at once waits until the effects before it are
 * performed.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { AgentEffect, AgentEvent } from "../scheduler/agent/events.ts";
import { nextWakeAtMs, step } from "../scheduler/agent/machine.ts";
import type { AgentState } from "../scheduler/agent/state.ts";

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
  ? Omit<Union, Key>
  : never;

/** An event as the shell posts it; the loop stamps it. */
export type WorkerEvent = DistributiveOmit<AgentEvent, "atMs">;

export interface AgentLoop {
  post(event: WorkerEvent): void;
  /** Nothing is stepped or performed any more. */
  close(): void;
}

export interface AgentLoopOptions {
  readonly state: AgentState;
  readonly clock: Clock;
  readonly perform: (effect: AgentEffect) => void;
  /** A fault of our own: the state can't be trusted any more. */
  readonly onFault: (thrown: unknown) => void;
}

export function createAgentLoop(options: AgentLoopOptions): AgentLoop {
  const { state, clock, perform } = options;
  const inbox: WorkerEvent[] = [];
  let isRunning = false;
  let isClosed = false;
  let timer: Timer | null = null;
  let timerAtMs = Number.POSITIVE_INFINITY;

  function post(event: WorkerEvent): void {
    if (isClosed) return;
    inbox.push(event);
    if (!isRunning) run();
  }

  function run(): void {
    isRunning = true;
    try {
      for (let event = inbox.shift(); event !== undefined && !isClosed; event = inbox.shift()) {
        // The union's parts stay what they are; only the time is added.
        const effects = step(state, { ...event, atMs: clock.monotonicMs() } as AgentEvent);
        for (const effect of effects) perform(effect);
      }
    } catch (thrown) {
      close();
      options.onFault(thrown);
    } finally {
      isRunning = false;
    }
    armTimer();
  }

  /** A timer that comes too early costs one empty step; moving it with each batch would cost more. */
  function armTimer(): void {
    const wakeAtMs = nextWakeAtMs(state);
    if (isClosed || wakeAtMs >= timerAtMs || wakeAtMs === Number.POSITIVE_INFINITY) return;
    timer?.cancel();
    timerAtMs = wakeAtMs;
    timer = clock.setTimer(wakeAtMs - clock.monotonicMs(), onTimer);
  }

  function onTimer(): void {
    timer = null;
    timerAtMs = Number.POSITIVE_INFINITY;
    if (clock.monotonicMs() < nextWakeAtMs(state)) armTimer();
    else post({ type: "clockAdvanced" });
  }

  function close(): void {
    isClosed = true;
    timer?.cancel();
    timer = null;
  }

  return { post, close };
}
