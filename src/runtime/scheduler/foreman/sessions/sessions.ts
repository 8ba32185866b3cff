/**
 * Sessions of workers: one per boot. Connected, or within the grace after a close, or within the
 * lease; what moves them on:
 *
 *   sessionReady       new, or connected again with what it still holds (adoption.ts)
 *   heartbeatReceived  a new beat of the live connection renews the lease, in memory only
 *   connectionLost     a close that we saw: the grace begins
 *   sessionEnded       in order: what it held comes back uncounted
 *   lease or grace over, or the worker's next boot is here: lost (session-loss.ts)
 */
import type { BootId } from "../../../protocol/ids.ts";
import type { WorkerOffer } from "../../../protocol/job-spec.ts";
import { type CurrentStep, type EventOf, recordEvent } from "../current-step.ts";
import type { Session, Worker } from "../state.ts";
import { armSession } from "../timers.ts";
import { type Adoption, adoptInventory, takeOverSpool } from "./adoption.ts";
import { noteUnheard } from "./deafness.ts";
import { noteDraining, repeatDrainOrder } from "./draining.ts";
import { isSilence, noteServing } from "./serving.ts";
import { endSession, loseSession, takeBackBlame } from "./session-loss.ts";
import { noteWillingness } from "./willingness.ts";
import { openWorker, writeWorker } from "./workers.ts";

export function onSessionReady(step: CurrentStep, event: EventOf<"sessionReady">): void {
  const known = step.state.sessions.get(event.bootId);
  if (known && event.connectionSeq <= known.connectionSeq) return;
  const isNewBoot = known === undefined;
  const isFirst = isNewBoot && step.state.workers.get(event.workerId)?.bootId !== event.bootId;
  const previous = isNewBoot ? step.state.workers.get(event.workerId)?.bootId : undefined;
  const session = known ?? openSession(step, event);
  connect(step, session, event);
  if (previous !== undefined) replaceBoot(step, previous, session, event);
  const adoption = adoptInventory(step, session, event.inventory);
  noteUnheard(step, session, adoption.requeued);
  recordArrival(step, session, isFirst ? null : adoption);
  if (isNewBoot) takeBackBlame(step, event.bootId);
  repeatDrainOrder(step, session);
  noteServing(step.state);
  step.roomySessions.add(session);
}

export function onOfferChanged(step: CurrentStep, event: EventOf<"offerChanged">): void {
  const session = step.state.sessions.get(event.bootId);
  if (!session) return;
  takeOffer(step, session, event.offer);
  const wasAccepting = session.isAccepting;
  session.isAccepting = event.accepting;
  session.reason = event.accepting ? null : event.reason;
  noteDraining(step, session, event.draining ?? null);
  noteWillingness(step, session, wasAccepting);
  noteServing(step.state);
  step.roomySessions.add(session);
}

export function onHeartbeat(step: CurrentStep, event: EventOf<"heartbeatReceived">): void {
  const session = step.state.sessions.get(event.bootId);
  if (!session?.isConnected || event.connectionSeq !== session.connectionSeq) return;
  if (event.beat <= session.lastBeat) return;
  session.lastBeat = event.beat;
  const heardAtMs = session.lastHeartbeatAtMs ?? session.connectedAtMs;
  if (isSilence(step.state, step.atMs - heardAtMs)) session.audibleSinceMs = step.atMs;
  session.leaseEndsAtMs = step.atMs + step.state.options.leaseMs;
  session.lastHeartbeatAtMs = step.atMs;
  session.worker.lastSeenAtMs = step.atMs;
  session.cpuPercent = event.cpuPercent;
  session.memoryPercent = event.memoryPercent;
}

export function onConnectionLost(step: CurrentStep, event: EventOf<"connectionLost">): void {
  const session = step.state.sessions.get(event.bootId);
  if (!session?.isConnected || event.connectionSeq !== session.connectionSeq) return;
  session.isConnected = false;
  session.graceEndsAtMs = step.atMs + step.state.options.reconnectGraceMs;
  noteServing(step.state);
  armSession(step, session);
  recordEvent(step, "worker_connection_lost", {
    workerId: session.worker.workerId,
    body: { boot: session.bootId, held: session.heldTasks },
  });
}

export function onSessionEnded(step: CurrentStep, event: EventOf<"sessionEnded">): void {
  const session = step.state.sessions.get(event.bootId);
  if (session) endSession(step, session, event.reason);
}

/** Its lease, its grace or its rest may be over. */
export function onSessionTimer(step: CurrentStep, session: Session): void {
  const { state, atMs } = step;
  session.timerAtMs = Number.POSITIVE_INFINITY;
  if (state.sessions.get(session.bootId) !== session) return;
  const graceMs = session.graceEndsAtMs;
  if (graceMs !== null && graceMs <= atMs) {
    loseSession(step, session, "it did not come back after its connection closed");
    return;
  }
  if (session.leaseEndsAtMs <= atMs) {
    loseSession(step, session, "its heartbeats stayed out");
    return;
  }
  if (session.restsUntilMs <= atMs) step.roomySessions.add(session);
  armSession(step, session);
}

function openSession(step: CurrentStep, event: EventOf<"sessionReady">): Session {
  const worker = openWorker(step, event);
  const session = createSession(worker, { bootId: event.bootId, isRecovered: false });
  step.state.sessions.set(event.bootId, session);
  return session;
}

/** Not connected yet, without a lease. */
export function createSession(
  worker: Worker,
  boot: { readonly bootId: BootId; readonly isRecovered: boolean },
): Session {
  return {
    ...boot,
    worker,
    offer: worker.offer,
    connectionSeq: -1,
    isConnected: false,
    connectedAtMs: 0,
    audibleSinceMs: 0,
    leaseEndsAtMs: Number.POSITIVE_INFINITY,
    graceEndsAtMs: null,
    lastBeat: -1,
    lastHeartbeatAtMs: null,
    cpuPercent: null,
    memoryPercent: null,
    reportSeq: 0,
    isAccepting: true,
    reason: null,
    draining: null,
    drainOrder: null,
    endsAtMs: null,
    restsUntilMs: 0,
    unheardConnections: 0,
    assignments: new Map(),
    holdings: new Map(),
    heldTasks: 0,
    heldSlots: 0,
    fencedSlots: 0,
    reservedMemoryBytes: 0,
    reservedResources: new Map(),
    isAlone: false,
    claim: null,
    awaited: new Set(),
    matches: new Map(),
    timerAtMs: Number.POSITIVE_INFINITY,
  };
}

function connect(step: CurrentStep, session: Session, event: EventOf<"sessionReady">): void {
  const { worker } = session;
  const isFirst = session.connectionSeq < 0;
  session.connectionSeq = event.connectionSeq;
  session.isConnected = true;
  session.connectedAtMs = step.atMs;
  session.audibleSinceMs = step.atMs;
  session.graceEndsAtMs = null;
  session.lastBeat = -1;
  session.leaseEndsAtMs = step.atMs + step.state.options.leaseMs;
  session.isAccepting = true;
  session.reason = null;
  // A worker that drains says so right after this; one that stays says nothing.
  session.draining = null;
  worker.lastSeenAtMs = step.atMs;
  takeOffer(step, session, event.offer);
  armSession(step, session);
  if (isFirst) writeWorker(step, worker);
}

/** @param adoption what both sides know of; null: this start of the worker was never here. */
function recordArrival(
  step: CurrentStep,
  { worker, bootId, offer }: Session,
  adoption: Adoption | null,
): void {
  const { workerId } = worker;
  const boot = { boot: bootId };
  if (adoption === null) {
    const body = { ...boot, slots: offer.slots, host: offer.host };
    recordEvent(step, "worker_connected", { workerId, body });
  } else recordEvent(step, "worker_reconnected", { workerId, body: { ...boot, ...adoption } });
}

function takeOffer(step: CurrentStep, session: Session, offer: WorkerOffer): void {
  session.offer = offer;
  session.worker.offer = offer;
  session.endsAtMs = offer.time_left_ms === null ? null : step.atMs + offer.time_left_ms;
  session.matches.clear();
}

/** The same worker has started again: its old boot never returns, but may have left results. */
function replaceBoot(
  step: CurrentStep,
  previous: BootId,
  session: Session,
  event: EventOf<"sessionReady">,
): void {
  const old = step.state.sessions.get(previous);
  if (!old || old === session) return;
  takeOverSpool(step, { from: old, to: session }, event.inventory);
  loseSession(step, old, "the worker has started again");
}
