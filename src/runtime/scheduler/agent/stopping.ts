/**
 * The ways to an end: a drain lets running tasks finish, an abort hands them back too. Both wait for
 * the foreman's acknowledgement: one that it ordered for as long as it takes, one that a signal or a
 * limit began not for ever. Stopping in order is always exit code 0.
 */
import { returnWaiting } from "./commands.ts";
import type { AgentEffect, EventOf } from "./events.ts";
import { flushResults } from "./reports.ts";
import { announce } from "./session.ts";
import { spoolUnheard } from "./spooling.ts";
import type { AgentState } from "./state.ts";

/** What the foreman calls the reason of a drain that it ordered. */
const DRAINED = "draining";
/** Once nothing runs any more: so long for a foreman that is away. */
const ACKNOWLEDGE_WITHIN_MS = 5_000;

export function onDrainRequested(
  state: AgentState,
  event: EventOf<"drainRequested">,
  effects: AgentEffect[],
): void {
  const { mode } = state;
  const { reason, atMs } = event;
  if (mode.kind === "draining" && mode.isOrdered) {
    // From here on nothing undoes it, and whoever sent the signal does not wait for ever.
    state.mode = { kind: "draining", reason, isOrdered: false, giveUpAtMs: null };
    announce(state, atMs, effects);
  } else beginDrain(state, { reason, isOrdered: false }, atMs, effects);
}

/** Always answered with what holds now: the request waits for it. */
export function onDrainOrdered(
  state: AgentState,
  { undo, atMs }: EventOf<"drainOrdered">,
  effects: AgentEffect[],
): void {
  const { mode } = state;
  if (!undo && mode.kind === "working") {
    beginDrain(state, { reason: DRAINED, isOrdered: true }, atMs, effects);
    return;
  }
  if (undo && mode.kind === "draining" && mode.isOrdered) state.mode = { kind: "working" };
  announce(state, atMs, effects);
}

export function onAbortRequested(
  state: AgentState,
  event: EventOf<"abortRequested">,
  effects: AgentEffect[],
): void {
  beginAbort(state, event.reason, event.atMs, effects);
}

function beginDrain(
  state: AgentState,
  cause: { readonly reason: string; readonly isOrdered: boolean },
  atMs: number,
  effects: AgentEffect[],
): void {
  if (state.mode.kind !== "working") return;
  state.mode = { kind: "draining", ...cause, giveUpAtMs: null };
  announce(state, atMs, effects);
  for (const batch of state.batches.values()) {
    if (batch.openCount <= 1 || batch.isRecallAsked || batch.fate !== "running") continue;
    batch.isRecallAsked = true;
    effects.push({ type: "recallRows", batchId: batch.batchId });
  }
}

function beginAbort(state: AgentState, reason: string, atMs: number, effects: AgentEffect[]): void {
  if (state.mode.kind === "aborting" || state.mode.kind === "stopped") return;
  const wasWorking = state.mode.kind === "working";
  state.mode = { kind: "aborting", reason, isOrdered: false, giveUpAtMs: null };
  if (wasWorking) announce(state, atMs, effects);
  for (const batch of state.batches.values()) {
    if (batch.fate !== "running") continue;
    batch.fate = "aborting";
    effects.push({ type: "killBatch", batchId: batch.batchId });
  }
}

/** Begins to stop when a limit is reached. */
export function checkLimits(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  const { timeLimitAtMs } = state.options;
  if (timeLimitAtMs !== null && atMs >= timeLimitAtMs) {
    beginAbort(state, "time limit", atMs, effects);
  }
  if (atMs >= idleEndsAtMs(state)) {
    beginDrain(state, { reason: "idle", isOrdered: false }, atMs, effects);
  }
}

/** When a limit is reached that has not had its effect yet; Infinity: none. */
export function limitAtMs(state: AgentState): number {
  const { kind } = state.mode;
  const timeLimitAtMs = state.options.timeLimitAtMs ?? Number.POSITIVE_INFINITY;
  if (kind === "working") return Math.min(timeLimitAtMs, idleEndsAtMs(state));
  return kind === "draining" ? timeLimitAtMs : Number.POSITIVE_INFINITY;
}

function idleEndsAtMs(state: AgentState): number {
  const { idleTimeoutMs } = state.options;
  if (idleTimeoutMs === null || state.idleSinceMs === null) return Number.POSITIVE_INFINITY;
  return state.idleSinceMs + idleTimeoutMs;
}

/** While stopping: hands back what waits (again), and stops when all is said and heard. */
export function proceedToStop(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  const { mode } = state;
  if (mode.kind !== "draining" && mode.kind !== "aborting") return;
  if (state.waitingCount > 0) {
    for (const assignment of [...state.assignments.values()]) {
      returnWaiting(state, assignment, "drain", atMs, effects);
    }
  }
  if (state.batches.size > 0) return;
  flushResults(state, atMs, effects);
  if (state.unacknowledged.length > 0) {
    if (mode.isOrdered) return;
    const giveUpAtMs = mode.giveUpAtMs ?? atMs + ACKNOWLEDGE_WITHIN_MS;
    if (atMs < giveUpAtMs) {
      state.mode = { ...mode, giveUpAtMs };
      return;
    }
  }
  if (state.connection.kind === "down") spoolUnheard(state, effects);
  if (state.connection.kind === "up") {
    effects.push({ type: "sendMessage", message: { type: "goodbye", reason: mode.reason } });
  }
  state.mode = { kind: "stopped" };
  effects.push({ type: "stop", reason: mode.reason });
}

/**
 * This process ends without the machine's word: its foreman is gone or refuses it. What is finished and
 * unheard goes to the spool; nothing else is worth doing.
 */
export function leaveUnheard(state: AgentState, atMs: number): AgentEffect[] {
  const effects: AgentEffect[] = [];
  if (state.mode.kind === "stopped") return effects;
  flushResults(state, atMs, effects);
  spoolUnheard(state, effects);
  state.mode = { kind: "stopped" };
  return effects.filter(({ type }) => type === "spoolResult");
}
