/**
 * The worker's agent: what to start, what to say and when to stop. `step` alone changes the state;
 * it knows no clock, no chance and no I/O. The shell performs the effects in order and calls again
 * with what came of them, and at `nextWakeAtMs` with `clockAdvanced`.
 */
import { fillSlots } from "./batches.ts";
import {
  onAssignmentRefused,
  onBundleFailed,
  onBundleReady,
  onTasksAssigned,
  onTasksCancelled,
  onTasksRevoked,
} from "./commands.ts";
import type { AgentEffect, AgentEvent, EventOf } from "./events.ts";
import { returnWhileUnwilling } from "./give-back.ts";
import { onLoadMeasured } from "./load.ts";
import {
  onBatchEnded,
  onBatchInspected,
  onResultsDelivered,
  onRowsGone,
  onRowsRecalled,
} from "./outcomes.ts";
import { flushWhenDue, onReportsAcknowledged } from "./reports.ts";
import {
  beat,
  onBeatEchoed,
  onConnected,
  onDisconnected,
  onSessionEnded,
  silentAtMs,
} from "./session.ts";
import type { AgentState } from "./state.ts";
import {
  checkLimits,
  limitAtMs,
  onAbortRequested,
  onDrainOrdered,
  onDrainRequested,
  proceedToStop,
} from "./stopping.ts";
import { onStorageMeasured } from "./storage.ts";

type Handler<Type extends AgentEvent["type"]> = (
  state: AgentState,
  event: EventOf<Type>,
  effects: AgentEffect[],
) => void;

/** Complete by its type: an event without a handler does not compile. */
const HANDLERS: { readonly [Type in AgentEvent["type"]]: Handler<Type> } = {
  connected: onConnected,
  disconnected: onDisconnected,
  sessionEnded: onSessionEnded,
  tasksAssigned: onTasksAssigned,
  assignmentRefused: onAssignmentRefused,
  tasksRevoked: onTasksRevoked,
  tasksCancelled: onTasksCancelled,
  reportsAcknowledged: onReportsAcknowledged,
  beatEchoed: onBeatEchoed,
  bundleReady: onBundleReady,
  bundleFailed: onBundleFailed,
  resultsDelivered: onResultsDelivered,
  rowsGone: onRowsGone,
  rowsRecalled: onRowsRecalled,
  batchInspected: onBatchInspected,
  batchEnded: onBatchEnded,
  loadMeasured: onLoadMeasured,
  storageMeasured: onStorageMeasured,
  drainOrdered: onDrainOrdered,
  drainRequested: onDrainRequested,
  abortRequested: onAbortRequested,
  clockAdvanced: onClockAdvanced,
};

const FROM_FOREMAN: ReadonlySet<AgentEvent["type"]> = new Set([
  "connected",
  "tasksAssigned",
  "assignmentRefused",
  "tasksRevoked",
  "tasksCancelled",
  "reportsAcknowledged",
  "beatEchoed",
  "drainOrdered",
]);

export function step(state: AgentState, event: AgentEvent): AgentEffect[] {
  const effects: AgentEffect[] = [];
  if (state.mode.kind === "stopped") return effects;
  const { atMs } = event;
  if (FROM_FOREMAN.has(event.type)) state.lastHeardAtMs = atMs;
  // The table pairs each type with the handler of just that event.
  (HANDLERS[event.type] as Handler<AgentEvent["type"]>)(state, event, effects);
  settleIdleness(state, atMs);
  checkLimits(state, atMs, effects);
  returnWhileUnwilling(state, atMs, effects);
  fillSlots(state, atMs, effects);
  flushWhenDue(state, atMs, effects);
  proceedToStop(state, atMs, effects);
  return effects;
}

/** When the shell must come back even if nothing happens; Infinity: never. */
export function nextWakeAtMs(state: AgentState): number {
  if (state.mode.kind === "stopped") return Number.POSITIVE_INFINITY;
  let wakeAtMs = Math.min(state.flushAtMs ?? Number.POSITIVE_INFINITY, limitAtMs(state));
  const { connection, mode } = state;
  if (connection.kind === "up") {
    wakeAtMs = Math.min(wakeAtMs, connection.nextBeatAtMs, silentAtMs(state));
  }
  if (mode.kind !== "working" && mode.giveUpAtMs !== null) {
    wakeAtMs = Math.min(wakeAtMs, mode.giveUpAtMs);
  }
  for (const { inspectAtMs } of state.batches.values()) {
    if (inspectAtMs !== null && inspectAtMs < wakeAtMs) wakeAtMs = inspectAtMs;
  }
  return wakeAtMs;
}

function onClockAdvanced(
  state: AgentState,
  { atMs }: EventOf<"clockAdvanced">,
  effects: AgentEffect[],
): void {
  beat(state, atMs, effects);
  for (const batch of state.batches.values()) {
    if (batch.inspectAtMs === null || atMs < batch.inspectAtMs) continue;
    batch.inspectAtMs = null;
    effects.push({ type: "inspectBatch", batchId: batch.batchId });
  }
}

function settleIdleness(state: AgentState, atMs: number): void {
  if (state.assignments.size === 0 && state.batches.size === 0) state.idleSinceMs ??= atMs;
}
