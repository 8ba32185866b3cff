/**
 * A worker that starts nothing keeps nothing waiting: others may have room for it. What runs is left
 * alone. Only after the word that nothing is taken, or the tasks would come straight back.
 */
import { returnWaiting } from "./commands.ts";
import type { AgentEffect } from "./events.ts";
import type { AgentState } from "./state.ts";

/** Also what was on its way here, or came back from an executor. */
export function returnWhileUnwilling(
  state: AgentState,
  atMs: number,
  effects: AgentEffect[],
): void {
  if (state.waitingCount === 0) return;
  const reason = unwillingness(state);
  if (reason === null) return;
  for (const assignment of [...state.assignments.values()]) {
    returnWaiting(state, assignment, reason, atMs, effects);
  }
}

function unwillingness({ storageTrouble, overload }: AgentState): string | null {
  if (storageTrouble !== null) return "worker_storage";
  return overload === null ? null : "overload";
}
