/**
 * Thresholds: a machine that is busy with other things, or short of memory, starts no new tasks, and
 * what waits here goes back, since another may be idle.
 * CPU that this worker's own tasks use does not count, or full slots would stop themselves, and it
 * must be high for a while, since a compiler's burst is no reason to stand still. It takes five points
 * less than the limit to begin again, so that the decision does not flutter.
 */
import type { AgentEffect, EventOf } from "./events.ts";
import { announce } from "./session.ts";
import type { AgentState } from "./state.ts";

const HYSTERESIS_PERCENT = 5;
/** So long every sample must be above the limit. */
export const CPU_PATIENCE_MS = 10_000;

export function onLoadMeasured(
  state: AgentState,
  event: EventOf<"loadMeasured">,
  effects: AgentEffect[],
): void {
  state.cpuPercent = event.cpuPercent;
  state.memoryPercent = event.memoryPercent;
  if (event.foreignCpuPercent <= limitNow(state, state.options.cpuPercentMax)) {
    state.cpuBusySinceMs = null;
  } else state.cpuBusySinceMs ??= event.atMs;
  const before = state.overload;
  state.overload = findOverload(state, event);
  // A reason that only changed its figure is not worth a message.
  if ((before === null) !== (state.overload === null) && state.mode.kind === "working") {
    announce(state, event.atMs, effects);
  }
}

function findOverload(state: AgentState, event: EventOf<"loadMeasured">): string | null {
  const { cpuPercentMax, memoryPercentMax } = state.options;
  const { memoryPercent, foreignCpuPercent, atMs } = event;
  if (memoryPercent > limitNow(state, memoryPercentMax)) {
    return `memory ${Math.round(memoryPercent)} % > ${memoryPercentMax} %`;
  }
  const { cpuBusySinceMs } = state;
  if (cpuBusySinceMs !== null && atMs - cpuBusySinceMs >= CPU_PATIENCE_MS) {
    return `cpu ${Math.round(foreignCpuPercent)} % > ${cpuPercentMax} %`;
  }
  return null;
}

const limitNow = ({ overload }: AgentState, percentMax: number): number =>
  overload === null ? percentMax : percentMax - HYSTERESIS_PERCENT;
