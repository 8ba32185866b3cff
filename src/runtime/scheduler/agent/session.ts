/**
 * The session and its connections: presenting what is held after each one, heartbeats and their
 * echo, and what happens when the foreman is another one, is deaf, or has ended the session.
 */
import { expandIndexes } from "../../protocol/columns.ts";
import type { BootId } from "../../protocol/ids.ts";
import type { WorkerOffer } from "../../protocol/job-spec.ts";
import { forgetAssignments, heldIndexes, indexesOfRows } from "./assignments.ts";
import type { AgentEffect, EventOf } from "./events.ts";
import { forgetReports, keepReport, sendReport } from "./reports.ts";
import { dropSpooled, spooledTasks, takeSpooled } from "./spooling.ts";
import { type AgentState, HANDED } from "./state.ts";

/** So many beats without any word from the foreman: the way to us is cut, though ours may not be. */
const SILENT_BEATS_MAX = 3;

export function onConnected(
  state: AgentState,
  event: EventOf<"connected">,
  effects: AgentEffect[],
): void {
  const { atMs, foremanId, heartbeatMs, leaseMs } = event;
  if (state.foremanId !== foremanId) beginSession(state, event, effects);
  state.heartbeatMs = heartbeatMs;
  state.leaseMs = leaseMs;
  state.connectionSeq++;
  state.connection = {
    kind: "up",
    beat: 0,
    beatAtMs: atMs,
    nextBeatAtMs: atMs + heartbeatMs,
  };
  effects.push({
    type: "sendMessage",
    message: {
      type: "worker_ready",
      worker_id: state.options.workerId,
      boot_id: state.bootId as BootId,
      connection_seq: state.connectionSeq,
      offer: currentOffer(state, atMs),
      inventory: inventoryOf(state),
      acknowledged_seq: state.acknowledgedSeq,
    },
  });
  if (acceptance(state) !== null) announce(state, atMs, effects);
  for (const report of state.unacknowledged) sendReport(report, atMs, effects);
}

function inventoryOf(state: AgentState): { assignment: number; index: Uint32Array }[] {
  const held = [...state.assignments.values()].map((assignment) => ({
    assignment: assignment.assignmentId as number,
    index: heldIndexes(assignment),
  }));
  for (const message of spooledTasks(state)) {
    const index = expandIndexes(
      message.index ?? { first: message.first_index ?? 0 },
      message.count,
    );
    held.push({ assignment: message.assignment, index });
  }
  return held;
}

export function onDisconnected(state: AgentState): void {
  state.connection = { kind: "down" };
}

/** The next connection begins a new session, even with the same foreman. */
export function onSessionEnded(
  state: AgentState,
  event: EventOf<"sessionEnded">,
  effects: AgentEffect[],
): void {
  // The foreman wants nothing of it any more; after a mere change of foremen it might have.
  dropSpooled(state.unacknowledged, effects);
  dropSession(state, event.atMs, effects);
  state.foremanId = null;
}

function beginSession(
  state: AgentState,
  event: EventOf<"connected">,
  effects: AgentEffect[],
): void {
  dropSession(state, event.atMs, effects);
  state.foremanId = event.foremanId;
  state.bootId = event.freshBootId;
  state.connectionSeq = 0;
  for (const { spoolId, message } of takeSpooled(state, event.foremanId, effects)) {
    const byteCount = message.value.data.byteLength;
    const kept = { assignment: null, rows: [], counts: [], endedAtMs: event.atMs };
    keepReport(state, { message, ...kept, byteCount, rowCount: message.count }, spoolId);
  }
}

/** Nobody waits for what runs: it is ended, and only its slots are still counted. */
function dropSession(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  for (const batch of state.batches.values()) {
    if (batch.fate === "running") effects.push({ type: "killBatch", batchId: batch.batchId });
    batch.fate = "orphaned";
  }
  forgetAssignments(state, atMs);
  forgetReports(state);
}

/** What this worker offers at this moment. */
export function currentOffer(state: AgentState, atMs: number): WorkerOffer {
  const { offer, timeLimitAtMs } = state.options;
  const timeLeftMs = timeLimitAtMs === null ? null : Math.max(0, timeLimitAtMs - atMs);
  return { ...offer, time_left_ms: timeLeftMs };
}

/** Why no new tasks are accepted; null: they are. */
export function acceptance(state: AgentState): string | null {
  const { mode } = state;
  if (mode.kind === "draining" || mode.kind === "aborting") return mode.reason;
  return state.storageTrouble ?? state.overload;
}

export function announce(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  if (state.connection.kind !== "up") return;
  const reason = acceptance(state);
  effects.push({
    type: "sendMessage",
    message: {
      type: "announce",
      offer: currentOffer(state, atMs),
      accepting: reason === null,
      reason,
      ...drainingField(state),
    },
  });
}

function drainingField({ mode }: AgentState): { draining?: "requested" | "stopping" } {
  if (mode.kind !== "draining" && mode.kind !== "aborting") return {};
  return { draining: mode.isOrdered ? "requested" : "stopping" };
}

/** Sends a heartbeat when it is time; a foreman that has gone silent is dialled anew. */
export function beat(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  const { connection } = state;
  if (connection.kind !== "up") return;
  if (atMs >= silentAtMs(state)) {
    onDisconnected(state);
    const silentSeconds = Math.round((atMs - state.lastHeardAtMs) / 1000);
    const reason = `nothing was heard from the foreman for ${silentSeconds} s`;
    effects.push({ type: "redial", reason });
    return;
  }
  if (atMs < connection.nextBeatAtMs) return;
  connection.beat++;
  connection.beatAtMs = atMs;
  // From now, not from when it was due: a process that was stopped must not send a burst.
  connection.nextBeatAtMs = atMs + state.heartbeatMs;
  effects.push({
    type: "sendMessage",
    message: {
      type: "heartbeat",
      connection_seq: state.connectionSeq,
      beat: connection.beat,
      running: longRunning(state),
      cpu: state.cpuPercent,
      memory: state.memoryPercent,
      free_slots: state.freeSlots.length,
      ...(state.roundTripUs === null ? {} : { round_trip_us: state.roundTripUs }),
    },
  });
}

/** That something was heard, the machine notes of every word; this one says how long the way is. */
export function onBeatEchoed(
  state: AgentState,
  { beat: echoed, atMs }: EventOf<"beatEchoed">,
): void {
  const { connection } = state;
  if (connection.kind !== "up" || connection.beat !== echoed) return;
  state.roundTripUs = Math.min(0xffffffff, Math.round((atMs - connection.beatAtMs) * 1000));
}

/** When silence becomes deafness. A lease that is short in beats ends first. */
export function silentAtMs(state: AgentState): number {
  const silenceMs = Math.min(SILENT_BEATS_MAX * state.heartbeatMs, state.leaseMs);
  return state.lastHeardAtMs + silenceMs;
}

/** Only tasks reported as started: a list of thousands of short ones would be old on arrival. */
function longRunning(state: AgentState): { assignment: number; index: Uint32Array }[] {
  const running: { assignment: number; index: Uint32Array }[] = [];
  for (const batch of state.batches.values()) {
    const { assignment, startedRow, fate } = batch;
    if (startedRow < 0 || fate === "orphaned" || assignment.rowState[startedRow] !== HANDED)
      continue;
    running.push({
      assignment: assignment.assignmentId,
      index: indexesOfRows(assignment, [startedRow]),
    });
  }
  return running;
}
