/**
 * A disk without room: nothing starts, and what waits here goes back at once, since others can run it.
 * What runs is left alone; it may have all it needs. The shell looks at the disk and says when it is
 * well again.
 */
import type { AgentEffect, EventOf } from "./events.ts";
import { announce } from "./session.ts";
import type { AgentState } from "./state.ts";

export function onStorageMeasured(
  state: AgentState,
  { trouble, atMs }: EventOf<"storageMeasured">,
  effects: AgentEffect[],
): void {
  const before = state.storageTrouble;
  state.storageTrouble = trouble;
  // First the word that nothing is taken, then the tasks: else they would come straight back.
  if (before !== trouble && state.mode.kind === "working") announce(state, atMs, effects);
  if (trouble === null) return;
  for (const batch of state.batches.values()) {
    if (batch.openCount <= 1 || batch.isRecallAsked || batch.fate !== "running") continue;
    batch.isRecallAsked = true;
    effects.push({ type: "recallRows", batchId: batch.batchId });
  }
}
