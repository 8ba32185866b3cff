/**
 * Thresholds: a machine that is busy with other things, or short of memory, starts no new tasks.
 * CPU that this worker's own tasks use does not count, or full slots would stop themselves. It
 * takes five points less than the limit to begin again, so that the decision does not flutter.
 */
import type { AgentEffect, EventOf } from "./events.ts";
import { announce } from "./session.ts";
import type { AgentState } from "./state.ts";

const HYSTERESIS_PERCENT = 5;

export function onLoadMeasured(
  state: AgentState,
  event: EventOf<"loadMeasured">,
  effects: AgentEffect[],
): void {
  state.cpuPercent = event.cpuPercent;
  state.memoryPercent = event.memoryPercent;
  const before = state.overload;
  state.overload = findOverload(state, event);
  // A reason that only changed its figure is not worth a message.
  if ((before === null) !== (state.overload === null) && state.mode.kind === "working") {
    announce(state, event.atMs, effects);
  }
}

function findOverload(state: AgentState, event: EventOf<"loadMeasured">): string | null {
  const { cpuPercentMax, memoryPercentMax } = state.options;
  const slack = state.overload === null ? 0 : HYSTERESIS_PERCENT;
  const { memoryPercent, foreignCpuPercent } = event;
  if (memoryPercent > memoryPercentMax - slack) {
    return `memory ${Math.round(memoryPercent)} % > ${memoryPercentMax} %`;
  }
  if (foreignCpuPercent > cpuPercentMax - slack) {
    return `cpu ${Math.round(foreignCpuPercent)} % > ${cpuPercentMax} %`;
  }
  return null;
}
